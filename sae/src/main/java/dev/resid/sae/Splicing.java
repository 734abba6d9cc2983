package dev.resid.sae;

import dev.resid.hook.At;
import dev.resid.hook.Hook;
import dev.resid.hook.Intervention;
import dev.resid.sae.SpliceObserver.Activation;
import dev.resid.sae.SpliceObserver.Features;
import dev.resid.sae.SpliceObserver.Site;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.util.List;

/** Carries out a splice. */
final class Splicing {
  private final Sae sae;
  private final Splice splice;

  private Splicing(Sae sae, Splice splice) {
    this.sae = sae;
    this.splice = splice;
  }

  static Intervention intervention(Sae sae, Splice splice) {
    SaeConfig config = sae.config();
    if (!config.point().equals(config.outputPoint())) {
      throw new IllegalStateException(
          config.name()
              + " is a transcoder: it reads "
              + config.point()
              + " and writes "
              + config.outputPoint()
              + "; pass both hooks of sae.hooks(gpt2, splice) to the call");
    }
    Splicing splicing = new Splicing(sae, splice);
    return (x, at) -> {
      if (!at.point().equals(config.point())) {
        throw new IllegalArgumentException(
            config.name()
                + " belongs at "
                + config.point()
                + " and was put at "
                + at.point()
                + "; replace at sae.hookPoint()");
      }
      return splicing.run(x, x, at);
    };
  }

  static List<Hook> hooks(Sae sae, Splice splice) {
    SaeConfig config = sae.config();
    if (config.point().equals(config.outputPoint())) {
      return List.of(config.point().replace(intervention(sae, splice)));
    }
    if (!config.point().isBefore(config.outputPoint())) {
      throw new SaeMismatchException(
          config.name()
              + " reads "
              + config.point()
              + ", which a forward pass reaches after "
              + config.outputPoint()
              + ", where it writes");
    }
    Crossing crossing = new Crossing(new Splicing(sae, splice));
    return List.of(
        config.point().replace(crossing::read), config.outputPoint().replace(crossing::write));
  }

  /**
   * Returns what to put in the place of an activation.
   *
   * @param x what the SAE reads
   * @param replaced the activation at the point it writes
   */
  private Tensor run(Tensor x, Tensor replaced, At at) {
    see(Site.INPUT, x, at);
    if (isSeen(Site.PRE_ACTIVATIONS)) {
      see(Site.PRE_ACTIVATIONS, sae.preActivations(x), at);
    }
    SparseFeatures features = sae.encode(x);
    SparseFeatures edited = features;
    for (FeatureEdit edit : splice.edits()) {
      edited = edit.apply(edited);
      if (edited.rows() != features.rows() || edited.dSae() != features.dSae()) {
        throw new ShapeMismatchException(
            "an edit of features of "
                + sae.config().name()
                + " returned "
                + edited.rows()
                + " rows of "
                + edited.dSae()
                + " features, expected "
                + features.rows()
                + " of "
                + features.dSae());
      }
    }
    for (SpliceObserver observer : splice.observers()) {
      if (observer instanceof Features(var seen)) {
        seen.accept(edited, at);
      }
    }
    Tensor result = sae.decode(edited, x).reshape(replaced.shape());
    see(Site.RECONSTRUCTION, result, at);
    if (splice.mode() == SpliceMode.WITH_ERROR || isSeen(Site.ERROR)) {
      Tensor plain =
          edited == features ? result : sae.decode(features, x).reshape(replaced.shape());
      Tensor error = replaced.minus(plain);
      see(Site.ERROR, error, at);
      if (splice.mode() == SpliceMode.WITH_ERROR) {
        result = result.plus(error);
      }
    }
    return result;
  }

  private boolean isSeen(Site site) {
    return splice.observers().stream()
        .anyMatch(observer -> observer instanceof Activation seen && seen.site() == site);
  }

  private void see(Site site, Tensor tensor, At at) {
    for (SpliceObserver observer : splice.observers()) {
      if (observer instanceof Activation(var seenSite, var seen) && seenSite == site) {
        seen.accept(tensor, at);
      }
    }
  }

  /**
   * Carries what a transcoder reads to where it writes, within one pass. A pass runs on the thread
   * that called it, so passes on several threads do not meet here.
   */
  private static final class Crossing {
    private final Splicing splicing;
    private final ThreadLocal<Read> pending = new ThreadLocal<>();

    private record Read(Tensor x, int firstPosition) {}

    Crossing(Splicing splicing) {
      this.splicing = splicing;
    }

    Tensor read(Tensor x, At at) {
      pending.set(new Read(x, at.firstPosition()));
      return x;
    }

    Tensor write(Tensor replaced, At at) {
      Read read = pending.get();
      pending.remove();
      SaeConfig config = splicing.sae.config();
      if (read == null
          || read.firstPosition() != at.firstPosition()
          || read.x().elements() / config.dIn() != replaced.elements() / config.dOut()) {
        throw new IllegalStateException(
            config.name()
                + " writes "
                + at.point()
                + " from "
                + config.point()
                + ", which this pass did not reach before; pass both hooks to the same call, from"
                + " a point that is not after the one it reads");
      }
      return splicing.run(read.x(), replaced, at);
    }
  }
}

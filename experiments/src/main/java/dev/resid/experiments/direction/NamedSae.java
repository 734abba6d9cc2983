package dev.resid.experiments.direction;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeMismatchException;
import java.util.List;

/**
 * An SAE with what tables, figures and records call it.
 *
 * @param name unique in a run, without a colon, for example {@code local-layer3-l0-31}
 * @param family SAEs of one family are drawn together, for example {@code local}
 * @param sha256 of its file, or empty if it was made in memory
 * @param sae the SAE
 */
public record NamedSae(String name, String family, String sha256, Sae sae) {
  /**
   * Checks the name.
   *
   * @throws IllegalArgumentException if it is empty or has a colon, which separates it from the
   *     kind of direction in tables
   */
  public NamedSae {
    if (name.isBlank() || name.contains(":")) {
      throw new IllegalArgumentException(
          "the name of an SAE is not empty and has no colon, got \"" + name + "\"");
    }
  }

  /**
   * Returns the family that an SAE is drawn with if nobody names one: the objective that the names
   * of embedded and of Apollo's SAEs state, {@code sae} for all others.
   *
   * @param name what the SAE is called
   * @param config of the SAE
   */
  public static String familyOf(String name, SaeConfig config) {
    String id = config.provenance().neuronpediaId().orElse("");
    if (id.endsWith("res_scl-ajt") || id.endsWith("res_sll-ajt") || name.startsWith("local-")) {
      return "local";
    }
    if (id.endsWith("res_sce-ajt") || id.endsWith("res_sle-ajt") || name.startsWith("e2e-")) {
      return "e2e";
    }
    if (id.endsWith("res_scefr-ajt")
        || id.endsWith("res_slefr-ajt")
        || name.startsWith("downstream-")) {
      return "downstream";
    }
    return "sae";
  }

  /** Returns about how many bytes the weights of some SAEs take: encoders and decoders. */
  public static long bytes(List<NamedSae> saes) {
    return saes.stream()
        .map(named -> named.sae().config())
        .mapToLong(config -> (long) config.dSae() * (config.dIn() + config.dOut()) * Float.BYTES)
        .sum();
  }

  /**
   * Refuses an SAE whose reconstruction cannot take the place of what it reads, in runs of a model.
   *
   * @param gpt2 the model
   * @throws SaeMismatchException if the SAE does not belong to the model, or is a transcoder, which
   *     predicts another activation than it reads
   */
  public void requireReconstructs(Gpt2 gpt2) {
    sae.requireFits(gpt2);
    SaeConfig config = sae.config();
    if (!config.outputPoint().equals(config.point())) {
      throw new SaeMismatchException(
          name
              + " is a transcoder: it reads "
              + config.point()
              + " and writes "
              + config.outputPoint()
              + ", but here an activation is compared with its own reconstruction; choose an --sae"
              + " that writes what it reads");
    }
  }

  /**
   * Refuses an SAE whose reconstruction cannot take the place of one activation, in runs of a
   * model.
   *
   * @param gpt2 the model
   * @param point the activation
   * @throws SaeMismatchException as {@link #requireReconstructs}, and if the SAE was made for
   *     another activation
   */
  public void requireReconstructs(Gpt2 gpt2, HookPoint point) {
    requireReconstructs(gpt2);
    if (!isAt(sae.config(), point)) {
      throw new SaeMismatchException(
          name
              + " reads "
              + sae.hookPoint()
              + ", but the activations that are changed are "
              + point
              + "; choose another --sae or --layer");
    }
  }

  /**
   * Returns whether an SAE reads an activation, by either of its names where it has two: what goes
   * into a block is what comes out of the one before it.
   *
   * @param config of the SAE
   * @param point the activation
   */
  public static boolean isAt(SaeConfig config, HookPoint point) {
    return resid(config.point()).equals(resid(point));
  }

  private static HookPoint resid(HookPoint point) {
    return point.site() == Site.RESID_PRE && point.layer() > 0
        ? HookPoint.residPost(point.layer() - 1)
        : point;
  }
}

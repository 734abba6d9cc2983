package dev.resid.sae.train;

import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.model.Seed;
import dev.resid.model.Tape;
import dev.resid.model.Wanted;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * Some rows of text through the model, clean and with a reconstruction in place of an activation:
 * the terms of a loss that the clean run is compared in, and their gradient at the reconstruction.
 */
final class SplicedRun {
  private final Gpt2 gpt2;
  private final Backend backend;
  private final HookPoint point;
  private final SaeLoss loss;
  private final TokenBatch rows;
  private final ForwardResult clean;
  private final double perToken;

  /**
   * Runs the model on clean activations.
   *
   * @param rows text
   * @param tokens tokens of all rows that the means go over, these and others
   */
  SplicedRun(Gpt2 gpt2, HookPoint point, SaeLoss loss, TokenBatch rows, int tokens) {
    this.gpt2 = gpt2;
    this.backend = gpt2.backend();
    this.point = point;
    this.loss = loss;
    this.rows = rows;
    this.perToken = 1.0 / tokens;
    List<Hook> captures = new ArrayList<>();
    captures.add(point.capture());
    loss.downstreamPoints().forEach(later -> captures.add(later.capture()));
    this.clean = gpt2.forward(rows, captures.toArray(Hook[]::new));
  }

  /** Returns the clean activation at the point, [batch, pos, d_model]. */
  Tensor activation() {
    return clean.cache().get(point);
  }

  /**
   * What the run with the reconstruction gave.
   *
   * @param kl Σ over these rows' tokens of KL, divided by the tokens of all rows
   * @param downstream the same of the mean squared errors, averaged over the points
   * @param gradient of the weighed terms at the reconstruction, in its shape
   */
  record Terms(double kl, double downstream, Tensor gradient) {}

  /**
   * Runs the model on a reconstruction.
   *
   * @param reconstruction replaces the activation, [batch, pos, d_model]
   */
  Terms splice(Tensor reconstruction) {
    List<Hook> hooks = new ArrayList<>();
    hooks.add(point.replace((activation, at) -> reconstruction));
    loss.downstreamPoints().forEach(later -> hooks.add(later.capture()));
    List<Seed> seeds = new ArrayList<>();
    double kl = 0;
    double downstream = 0;
    try (Tape tape = gpt2.record(rows, hooks.toArray(Hook[]::new))) {
      if (loss.kl() > 0) {
        kl = addKl(tape.logits(), seeds);
      }
      for (HookPoint later : loss.downstreamPoints()) {
        downstream += addSquaredError(later, tape.cache().get(later), seeds);
      }
      Tensor gradient =
          tape.backward(Wanted.activations(point), seeds.toArray(Seed[]::new)).activation(point);
      return new Terms(kl, downstream, gradient);
    }
  }

  /** Adds the seed (q − p)·kl/tokens, the gradient of KL with respect to the logits of q. */
  private double addKl(Tensor logits, List<Seed> seeds) {
    Tensor p = backend.allocate(logits.shape());
    Tensor q = backend.allocate(logits.shape());
    backend.softmax(clean.logits(), p);
    backend.softmax(logits, q);
    float[] cleanLogits = clean.logits().toArray();
    float[] newLogits = logits.toArray();
    float[] cleanShares = p.toArray();
    float[] gradient = q.toArray();
    int vocabulary = logits.shape().last();
    float factor = (float) (loss.kl() * perToken);
    double sum = 0;
    for (int from = 0; from < gradient.length; from += vocabulary) {
      sum +=
          logSumExp(newLogits, gradient, from, vocabulary)
              - logSumExp(cleanLogits, cleanShares, from, vocabulary);
      for (int i = from; i < from + vocabulary; i++) {
        sum += cleanShares[i] * ((double) cleanLogits[i] - newLogits[i]);
        gradient[i] = factor * (gradient[i] - cleanShares[i]);
      }
    }
    seeds.add(Seed.logits(Tensor.wrap(logits.shape(), gradient)));
    return sum * perToken;
  }

  /** Returns ln Σ exp of a row by its likeliest token: its logit less the log of its share. */
  private static double logSumExp(float[] logits, float[] shares, int from, int n) {
    int best = from;
    for (int i = from; i < from + n; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return logits[best] - Math.log(shares[best]);
  }

  private double addSquaredError(HookPoint later, Tensor changed, List<Seed> seeds) {
    float[] difference = changed.toArray();
    float[] before = clean.cache().get(later).toArray();
    double perElement = perToken / changed.shape().last() / loss.downstreamPoints().size();
    float factor = (float) (2 * loss.downstream() * perElement);
    double sum = 0;
    for (int i = 0; i < difference.length; i++) {
      double off = (double) difference[i] - before[i];
      sum += off * off;
      difference[i] = (float) (factor * off);
    }
    seeds.add(Seed.activation(later, Tensor.wrap(changed.shape(), difference)));
    return sum * perElement;
  }
}

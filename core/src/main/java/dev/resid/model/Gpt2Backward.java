package dev.resid.model;

import static dev.resid.hook.Site.ATTN_OUT;
import static dev.resid.hook.Site.ATTN_SCORES;
import static dev.resid.hook.Site.EMBED;
import static dev.resid.hook.Site.K;
import static dev.resid.hook.Site.LN1_NORMALIZED;
import static dev.resid.hook.Site.LN1_SCALE;
import static dev.resid.hook.Site.LN2_NORMALIZED;
import static dev.resid.hook.Site.LN2_SCALE;
import static dev.resid.hook.Site.LN_FINAL_NORMALIZED;
import static dev.resid.hook.Site.LN_FINAL_SCALE;
import static dev.resid.hook.Site.MLP_OUT;
import static dev.resid.hook.Site.MLP_POST;
import static dev.resid.hook.Site.MLP_PRE;
import static dev.resid.hook.Site.PATTERN;
import static dev.resid.hook.Site.POS_EMBED;
import static dev.resid.hook.Site.Q;
import static dev.resid.hook.Site.RESID_MID;
import static dev.resid.hook.Site.RESID_POST;
import static dev.resid.hook.Site.RESID_PRE;
import static dev.resid.hook.Site.RESULT;
import static dev.resid.hook.Site.V;
import static dev.resid.hook.Site.Z;
import static dev.resid.model.Gpt2Forward.flat;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The backward pass: the second and last walk over the blocks, in the reverse of {@link
 * Gpt2Forward}'s order. Every gradient passes through {@link GradientPoints}, where seeds are
 * added, wanted gradients are kept, and gradients of replaced activations stop. Variables are named
 * after the activation whose gradient they hold, with prefix {@code d}.
 */
final class Gpt2Backward {
  private final Tape tape;
  private final PackedModel model;
  private final Gpt2Config config;
  private final Backend backend;
  private final Scope scope;
  private final Map<Weight, Tensor> sums;
  private final GradientPoints points;
  private final HookPoint lowest;

  Gpt2Backward(Tape tape, Map<Weight, Tensor> sums, Set<HookPoint> wanted, Seed... given) {
    this.tape = tape;
    this.model = tape.model();
    this.config = model.config();
    this.backend = model.backend();
    this.scope = tape.scope();
    this.sums = sums;
    this.points = new GradientPoints(tape, wanted, given);
    this.lowest =
        sums.isEmpty() && !wanted.isEmpty() ? new TreeSet<>(wanted).first() : HookPoint.embed();
  }

  /** Returns the weights that have gradients of their own. */
  static List<Weight> trained(Gpt2Config config) {
    List<Weight> weights = new ArrayList<>(Weight.all(config));
    if (config.embeddings() == Embeddings.TIED) {
      weights.remove(Weight.of(WeightNames.W_U));
    }
    return weights;
  }

  /** Runs the pass and returns the wanted gradients of activations. */
  Map<HookPoint, Tensor> run() {
    Tensor dStream = unembed();
    for (int layer = config.nLayers() - 1; layer >= 0; layer--) {
      if (HookPoint.residPost(layer).isBefore(lowest)) {
        return points.found();
      }
      dStream = block(layer, dStream);
    }
    if (lowest.isBefore(HookPoint.residPre(0))) {
      embed(dStream);
    }
    return points.found();
  }

  /** From the seeds on the logits to the gradient of the last resid_post. */
  private Tensor unembed() {
    Tensor x = tape.get(RESID_POST, config.nLayers() - 1);
    Tensor dNormalized = zeros(x.shape());
    if (!points.outputSeeds().isEmpty()) {
      Tensor normalized = tape.normalized();
      Tensor dLogits = logitsGradient();
      backend.linearBackwardInput(dLogits, model.unembedding(), dNormalized);
      WeightNames name = config.embeddings() == Embeddings.TIED ? WeightNames.W_E : WeightNames.W_U;
      sum(name, -1).forEach(d -> backend.addOuterProducts(dLogits, normalized, d));
      sum(WeightNames.b_U, -1).forEach(d -> backend.addColumnSums(dLogits, d));
      scope.give(dLogits);
    }
    return layerNorm(
        new Norm(LN_FINAL_SCALE, LN_FINAL_NORMALIZED, WeightNames.lnFinal_gamma, -1),
        dNormalized,
        x,
        model.lnFinalGamma());
  }

  private Tensor logitsGradient() {
    Tensor logits = tape.logits();
    Tensor total = zeros(logits.shape());
    for (Seed seed : points.outputSeeds()) {
      Tensor part = scope.take(logits.shape());
      switch (seed) {
        case Seed.CrossEntropy(double factor) -> {
          int[] labels = Labels.next(tape.tokens());
          double weight = factor / Labels.count(labels);
          backend.crossEntropyBackward(logits, labels, weight, part);
        }
        case Seed.Logits(Tensor gradient) -> {
          GradientPoints.requireShape("the seed on the logits", gradient, logits.shape());
          backend.copy(gradient, part);
        }
        case Seed.Activation a -> throw new IllegalStateException("not an output seed: " + a);
      }
      backend.add(total, part, total);
      scope.give(part);
    }
    return total;
  }

  private Tensor block(int layer, Tensor dPost) {
    PackedBlock w = model.block(layer);
    Tensor dResidPost = points.at(RESID_POST, layer, dPost);
    Tensor dMid = mlp(layer, w, dResidPost);
    backend.add(dMid, dResidPost, dMid);
    dMid = points.at(RESID_MID, layer, dMid);
    if (HookPoint.residMid(layer).isBefore(lowest)) {
      return dMid;
    }
    Tensor dPre = attention(layer, w, dMid);
    backend.add(dPre, dMid, dPre);
    scope.give(dMid);
    return points.at(RESID_PRE, layer, dPre);
  }

  private Tensor mlp(int layer, PackedBlock w, Tensor dResidPost) {
    Tensor dOut = points.at(MLP_OUT, layer, copy(dResidPost));
    Tensor post = tape.get(MLP_POST, layer);
    sum(WeightNames.W_out, layer).forEach(d -> backend.addOuterProducts(post, dOut, d));
    sum(WeightNames.b_out, layer).forEach(d -> backend.addColumnSums(dOut, d));
    Tensor dHidden = scope.take(post.shape());
    backend.linearBackwardInput(dOut, w.W_out(), dHidden);
    scope.give(dOut);
    Tensor dHiddenPost = points.at(MLP_POST, layer, dHidden);
    backend.activateBackward(
        dHiddenPost, tape.get(MLP_PRE, layer), config.activation(), dHiddenPost);
    Tensor dHiddenPre = points.at(MLP_PRE, layer, dHiddenPost);
    Tensor normalized = tape.get(LN2_NORMALIZED, layer);
    sum(WeightNames.W_in, layer).forEach(d -> backend.addOuterProducts(normalized, dHiddenPre, d));
    sum(WeightNames.b_in, layer).forEach(d -> backend.addColumnSums(dHiddenPre, d));
    Tensor dNormalized = scope.take(normalized.shape());
    backend.linearBackwardInput(dHiddenPre, w.W_in(), dNormalized);
    scope.give(dHiddenPre);
    return layerNorm(
        new Norm(LN2_SCALE, LN2_NORMALIZED, WeightNames.ln2_gamma, layer),
        dNormalized,
        tape.get(RESID_MID, layer),
        w.ln2_gamma());
  }

  private Tensor attention(int layer, PackedBlock w, Tensor dMid) {
    Tensor dOut = points.at(ATTN_OUT, layer, copy(dMid));
    Tensor z = tape.get(Z, layer);
    sum(WeightNames.b_O, layer).forEach(d -> backend.addColumnSums(dOut, d));
    Tensor dResult = result(layer, dOut);
    sum(WeightNames.W_O, layer).forEach(d -> backend.addOuterProducts(flat(z), dResult, d));
    Tensor dZ = scope.take(z.shape());
    backend.linearBackwardInput(dResult, w.W_O(), flat(dZ));
    scope.give(dOut);
    dZ = points.at(Z, layer, dZ);
    Tensor q = tape.get(Q, layer);
    Tensor dQ = scope.take(q.shape());
    Tensor dK = scope.take(q.shape());
    Tensor dV = scope.take(q.shape());
    mix(layer, dZ, dQ, dK, dV);
    scope.give(dZ);
    dQ = points.at(Q, layer, dQ);
    dK = points.at(K, layer, dK);
    dV = points.at(V, layer, dV);
    Tensor normalized = tape.get(LN1_NORMALIZED, layer);
    weights(WeightNames.W_Q, WeightNames.b_Q, layer, normalized, flat(dQ));
    weights(WeightNames.W_K, WeightNames.b_K, layer, normalized, flat(dK));
    weights(WeightNames.W_V, WeightNames.b_V, layer, normalized, flat(dV));
    Tensor dNormalized = scope.take(normalized.shape());
    Tensor part = scope.take(normalized.shape());
    backend.linearBackwardInput(flat(dQ), w.W_Q(), dNormalized);
    backend.linearBackwardInput(flat(dK), w.W_K(), part);
    backend.add(dNormalized, part, dNormalized);
    backend.linearBackwardInput(flat(dV), w.W_V(), part);
    backend.add(dNormalized, part, dNormalized);
    scope.give(part);
    scope.give(dQ);
    scope.give(dK);
    scope.give(dV);
    return layerNorm(
        new Norm(LN1_SCALE, LN1_NORMALIZED, WeightNames.ln1_gamma, layer),
        dNormalized,
        tape.get(RESID_PRE, layer),
        w.ln1_gamma());
  }

  /** Keeps the gradient of the per-head results if wanted, and stops it if they were replaced. */
  private Tensor result(int layer, Tensor dOut) {
    HookPoint point = new HookPoint(RESULT, layer);
    if (points.isWanted(point)) {
      float[] one = dOut.toArray();
      int heads = config.nHeads();
      int width = config.dModel();
      float[] all = new float[Math.multiplyExact(one.length, heads)];
      for (int row = 0; row < one.length / width; row++) {
        for (int h = 0; h < heads; h++) {
          System.arraycopy(one, row * width, all, (row * heads + h) * width, width);
        }
      }
      Shape shape = dOut.shape();
      points.keep(
          point,
          Tensor.wrap(
              Shape.of(
                  Axis.BATCH,
                  shape.size(Axis.BATCH),
                  Axis.POS,
                  shape.size(Axis.POS),
                  Axis.HEAD,
                  heads,
                  Axis.D_MODEL,
                  width),
              all));
    }
    return tape.plan().replaces(RESULT, layer) ? zeros(dOut.shape()) : dOut;
  }

  /** From dZ to dQ, dK and dV; through scores and pattern one by one only where someone looks. */
  private void mix(int layer, Tensor dZ, Tensor dQ, Tensor dK, Tensor dV) {
    AttentionSpec spec = new AttentionSpec(config.scoreScale(layer), 0);
    Tensor q = tape.get(Q, layer);
    Tensor k = tape.get(K, layer);
    Tensor v = tape.get(V, layer);
    if (!points.concern(ATTN_SCORES, layer) && !points.concern(PATTERN, layer)) {
      backend.attentionBackward(dZ, q, k, v, spec, dQ, dK, dV);
      return;
    }
    Tensor pattern = pattern(layer, q, k, spec);
    Tensor dPattern = scope.take(pattern.shape());
    backend.attentionMixBackward(dZ, pattern, v, dPattern, dV);
    dPattern = points.at(PATTERN, layer, dPattern);
    backend.softmaxBackward(dPattern, pattern, dPattern);
    Tensor dScores = points.at(ATTN_SCORES, layer, dPattern);
    backend.attentionScoresBackward(dScores, q, k, spec, dQ, dK);
    scope.give(dScores);
  }

  private Tensor pattern(int layer, Tensor q, Tensor k, AttentionSpec spec) {
    if (tape.has(PATTERN, layer)) {
      return tape.get(PATTERN, layer);
    }
    Shape shape = q.shape();
    Tensor scores =
        scope.take(
            Shape.of(
                Axis.BATCH,
                shape.size(Axis.BATCH),
                Axis.HEAD,
                config.nHeads(),
                Axis.POS,
                shape.size(Axis.POS),
                Axis.KEY_POS,
                shape.size(Axis.POS)));
    backend.attentionScores(q, k, spec, scores);
    backend.softmax(scores, scores);
    return scores;
  }

  private void embed(Tensor dStream) {
    int[] ids = tape.tokens().padded(0);
    Tensor dEmbed = points.at(EMBED, -1, copy(dStream));
    sum(WeightNames.W_E, -1).forEach(d -> backend.scatterAddRows(dEmbed, ids, d));
    int pos = tape.tokens().maxLength();
    int[] positions = new int[ids.length];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = i % pos;
    }
    Tensor dPositions = points.at(POS_EMBED, -1, copy(dStream));
    sum(WeightNames.W_pos, -1).forEach(d -> backend.scatterAddRows(dPositions, positions, d));
    scope.give(dEmbed);
    scope.give(dPositions);
    scope.give(dStream);
  }

  /** A layer norm: its two sites, its gain and its block. */
  private record Norm(Site scale, Site normalized, WeightNames gamma, int layer) {
    WeightNames beta() {
      return switch (gamma) {
        case ln1_gamma -> WeightNames.ln1_beta;
        case ln2_gamma -> WeightNames.ln2_beta;
        default -> WeightNames.lnFinal_beta;
      };
    }
  }

  /** Returns the gradient of what enters a layer norm; gives {@code dOut} back. */
  private Tensor layerNorm(Norm norm, Tensor dOut, Tensor x, Tensor gamma) {
    int layer = norm.layer();
    Tensor dNormalized = points.at(norm.normalized(), layer, dOut);
    Tensor scale = tape.get(norm.scale(), layer);
    Tensor dGamma = sums.get(new Weight(norm.gamma(), layer));
    Tensor dBeta = sums.get(new Weight(norm.beta(), layer));
    if (dGamma != null || dBeta != null) {
      backend.layerNormApplyBackwardParameters(
          dNormalized,
          x,
          scale,
          dGamma == null ? zeros(gamma.shape()) : dGamma,
          dBeta == null ? zeros(gamma.shape()) : dBeta);
    }
    Tensor dScale = scope.take(scale.shape());
    backend.layerNormApplyBackwardScale(dNormalized, x, scale, gamma, dScale);
    dScale = points.at(norm.scale(), layer, dScale);
    Tensor dX = scope.take(x.shape());
    backend.layerNormApplyBackwardInput(dNormalized, scale, gamma, dX);
    backend.layerNormScaleBackward(dScale, x, scale, dX);
    scope.give(dScale);
    scope.give(dNormalized);
    return dX;
  }

  private void weights(WeightNames matrix, WeightNames bias, int layer, Tensor x, Tensor dOut) {
    sum(matrix, layer).forEach(d -> backend.addOuterProducts(x, dOut, d));
    sum(bias, layer).forEach(d -> backend.addColumnSums(dOut, d));
  }

  private List<Tensor> sum(WeightNames name, int layer) {
    Tensor sum = sums.get(new Weight(name, layer));
    return sum == null ? List.of() : List.of(sum);
  }

  private Tensor copy(Tensor tensor) {
    Tensor copy = scope.take(tensor.shape());
    backend.copy(tensor, copy);
    return copy;
  }

  private Tensor zeros(Shape shape) {
    return backend.allocate(shape);
  }
}

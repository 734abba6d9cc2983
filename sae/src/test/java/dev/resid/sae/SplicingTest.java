package dev.resid.sae;

import static dev.resid.hook.HookPoint.residPre;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.metric.KlDivergence;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightTransforms;
import dev.resid.model.WeightsState;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** SAEs in forward passes: replaced activations, edits, observers, several at once, refusals. */
class SplicingTest extends OnEachCpuBackend {
  private static final int WIDTH = 8;
  private static final int D_SAE = 31;
  private static final TokenBatch TOKENS = SmallSaes.tokens(3, 30, 9, 9);

  // Adding back x − x̂ rounds twice; logits of about 1 from two blocks. Measured: 1.5e-6.
  private static final Tolerance ROUNDING = Tolerance.within(2e-5, 0);

  private Gpt2 model() {
    return Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 11), backend());
  }

  private Sae sae(HookPoint point) {
    return SmallSaes.random(point, WIDTH, D_SAE, 7, backend());
  }

  private static Tensor logits(Gpt2 gpt2, Hook... hooks) {
    return gpt2.forward(TOKENS, hooks).logits();
  }

  @Test
  void anUneditedSpliceWithItsErrorChangesRoundingOnly() {
    Gpt2 gpt2 = model();
    for (HookPoint point : List.of(residPre(1), HookPoint.mlpOut(0), HookPoint.z(1))) {
      Sae sae = sae(point);
      Tensor spliced = logits(gpt2, sae.hookPoint().replace(sae.splice(SpliceMode.WITH_ERROR)));
      check(point + " with error").close(logits(gpt2), spliced, ROUNDING);
      Tensor without = logits(gpt2, sae.hookPoint().replace(sae.splice(SpliceMode.RECONSTRUCTION)));
      double[] nats = KlDivergence.nats(logits(gpt2), without);
      assertTrue(Arrays.stream(nats).max().orElseThrow() > 1e-3, "the SAE reconstructs badly");
    }
  }

  @Test
  void aSplicePutsTheReconstructionInPlace() {
    Gpt2 gpt2 = model();
    Sae sae = sae(residPre(1));
    Tensor x = gpt2.forward(TOKENS, residPre(1).capture()).cache().get(residPre(1));
    Tensor reconstruction = sae.reconstruct(x);
    check("logits")
        .sameBits(
            logits(gpt2, residPre(1).replace((same, at) -> reconstruction)),
            logits(gpt2, Sae.hooks(gpt2, Splice.of(SpliceMode.RECONSTRUCTION), sae)));
  }

  @Test
  void anIdentitySaeChangesNoBit() {
    Gpt2 gpt2 = model();
    Sae sae = SmallSaes.identity(residPre(1), WIDTH, backend());
    for (SpliceMode mode : SpliceMode.values()) {
      check("logits " + mode)
          .sameBits(logits(gpt2), logits(gpt2, Sae.hooks(gpt2, Splice.of(mode), sae)));
    }
  }

  @Test
  void aZeroSaeIsZeroAblation() {
    Gpt2 gpt2 = model();
    Sae sae = SmallSaes.constant(residPre(1), new float[WIDTH], backend());
    check("logits")
        .sameBits(
            logits(gpt2, residPre(1).replace((x, at) -> Tensor.zeros(x.shape()))),
            logits(gpt2, Sae.hooks(gpt2, Splice.of(SpliceMode.RECONSTRUCTION), sae)));
  }

  @Test
  void severalSaesActInOnePass() {
    Gpt2 gpt2 = model();
    Sae first = sae(residPre(0));
    Sae second = sae(residPre(1));
    Splice splice = Splice.of(SpliceMode.RECONSTRUCTION);
    Tensor both = logits(gpt2, Sae.hooks(gpt2, splice, first, second));
    Tensor x =
        gpt2.forward(TOKENS, first.hookPoint().replace(first.splice(splice)), residPre(1).capture())
            .cache()
            .get(residPre(1));
    Tensor last = second.reconstruct(x);
    check("logits").sameBits(logits(gpt2, residPre(1).replace((same, at) -> last)), both);
  }

  @Test
  void editsChangeFeaturesAndKeepTheError() {
    Gpt2 gpt2 = model();
    Sae sae = sae(residPre(1));
    Tensor x = gpt2.forward(TOKENS, residPre(1).capture()).cache().get(residPre(1));
    int feature = sae.encode(x).indices()[0];
    Tensor direction = sae.weights().get(SaeWeight.W_dec).at(Axis.D_SAE, feature);
    float[] d = direction.toArray();
    Tensor moved = x.plus(everywhere(x.shape(), d, 2.5f));
    Splice steered = Splice.of(SpliceMode.WITH_ERROR).edited(FeatureEdits.steer(feature, 2.5));
    check("steered")
        .close(
            logits(gpt2, residPre(1).replace((same, at) -> moved)),
            logits(gpt2, Sae.hooks(gpt2, steered, sae)),
            ROUNDING);
    Splice back =
        steered.edited(FeatureEdits.steer(feature, -1), FeatureEdits.steer(feature, -1.5));
    check("steered and back")
        .close(logits(gpt2), logits(gpt2, Sae.hooks(gpt2, back, sae)), ROUNDING);
  }

  private static Tensor everywhere(Shape shape, float[] direction, float amount) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = amount * direction[i % direction.length];
    }
    return Tensor.wrap(shape, values);
  }

  @Test
  void observersSeeWhatPassesThrough() {
    Gpt2 gpt2 = model();
    Sae sae = sae(residPre(1));
    Map<String, Tensor> seen = new HashMap<>();
    Splice watched =
        Splice.of(SpliceMode.RECONSTRUCTION)
            .edited(FeatureEdits.set(4, 3))
            .observed(
                SpliceObserver.input((t, at) -> seen.put("input at " + at.point(), t)),
                SpliceObserver.preActivations((t, at) -> seen.put("pre", t)),
                SpliceObserver.features((f, at) -> seen.put("features", f.toDense())),
                SpliceObserver.reconstruction((t, at) -> seen.put("reconstruction", t)),
                SpliceObserver.error((t, at) -> seen.put("error", t)));
    Tensor observed = logits(gpt2, Sae.hooks(gpt2, watched, sae));
    Splice alone = new Splice(watched.mode(), watched.edits(), List.of());
    check("observed logits").sameBits(logits(gpt2, Sae.hooks(gpt2, alone, sae)), observed);
    Tensor x = seen.get("input at blocks.1.hook_resid_pre");
    SparseFeatures edited = FeatureEdits.set(4, 3).apply(sae.encode(x));
    check("pre").sameBits(sae.preActivations(x), seen.get("pre"));
    check("features").sameBits(edited.toDense(), seen.get("features"));
    check("reconstruction").sameBits(sae.decode(edited, x), seen.get("reconstruction"));
    check("error").sameBits(x.minus(sae.reconstruct(x)), seen.get("error"));
    assertEquals(5, seen.size());
  }

  @Test
  void anEditOfOtherFeaturesIsRefused() {
    Gpt2 gpt2 = model();
    Sae sae = sae(residPre(1));
    FeatureEdit other = f -> SparseFeatures.of(Tensor.zeros(Shape.of(Axis.ROW, 1, Axis.D_SAE, 3)));
    Splice splice = Splice.of(SpliceMode.RECONSTRUCTION).edited(other);
    assertThrows(IllegalArgumentException.class, () -> logits(gpt2, Sae.hooks(gpt2, splice, sae)));
  }

  // ---- transcoders

  private Sae transcoder() {
    SaeConfig config =
        SaeCase.at(
            SmallSaes.config(residPre(0), WIDTH, D_SAE),
            HookPoint.at(Site.LN2_NORMALIZED, 0),
            HookPoint.mlpOut(0));
    SaeWeights weights = sae(residPre(0)).weights();
    return Sae.of(config, weights, backend());
  }

  @Test
  void aTranscoderWritesWhereTheMlpDoes() {
    Gpt2 gpt2 = model();
    Sae transcoder = transcoder();
    HookPoint in = transcoder.hookPoint();
    Tensor x = gpt2.forward(TOKENS, in.capture()).cache().get(in);
    Tensor y = transcoder.reconstruct(x);
    Hook[] pair = Sae.hooks(gpt2, Splice.of(SpliceMode.RECONSTRUCTION), transcoder);
    assertEquals(2, pair.length);
    Tensor expected = logits(gpt2, HookPoint.mlpOut(0).replace((same, at) -> y));
    check("reconstruction").sameBits(expected, logits(gpt2, pair));
    check("the same pair again").sameBits(expected, logits(gpt2, pair));
    check("with error")
        .close(
            logits(gpt2),
            logits(gpt2, Sae.hooks(gpt2, Splice.of(SpliceMode.WITH_ERROR), transcoder)),
            ROUNDING);
  }

  @Test
  void halfOfATranscoderIsRefused() {
    Gpt2 gpt2 = model();
    Sae transcoder = transcoder();
    Splice splice = Splice.of(SpliceMode.RECONSTRUCTION);
    Hook[] pair = Sae.hooks(gpt2, splice, transcoder);
    assertThrows(IllegalStateException.class, () -> logits(gpt2, pair[1]));
    assertThrows(IllegalStateException.class, () -> transcoder.splice(splice));
    Sae backwards =
        Sae.of(
            SaeCase.at(transcoder.config(), HookPoint.mlpOut(0), HookPoint.at(Site.Z, 0)),
            transcoder.weights(),
            backend());
    assertThrows(SaeMismatchException.class, () -> Sae.hooks(gpt2, splice, backwards));
  }

  // ---- what does not fit

  private void refused(Gpt2 gpt2, Sae sae, String... words) {
    String message =
        assertThrows(SaeMismatchException.class, () -> sae.requireFits(gpt2)).getMessage();
    for (String word : words) {
      assertTrue(message.contains(word), message);
    }
  }

  @Test
  void anotherModelIsRefusedWithTheRemedy() {
    Gpt2 raw = model();
    Gpt2 lens =
        Gpt2.of(
            WeightTransforms.transformerLens().apply(SmallSaes.model(SmallSaes.MODEL, 11)),
            backend());
    Sae sae = sae(residPre(1));
    sae.requireFits(raw);
    refused(lens, sae, "raw weights", "--weights raw");
    SaeConfig config = sae.config();
    Sae onLens =
        Sae.of(config.withWeights(WeightsState.TRANSFORMER_LENS), sae.weights(), backend());
    onLens.requireFits(lens);
    refused(raw, onLens, "--weights transformerlens", "WeightTransforms.transformerLens()");
    SaeConfig untold =
        new SaeConfig(
            config.name(),
            config.architecture(),
            config.dIn(),
            config.dSae(),
            config.dOut(),
            config.k(),
            config.topKScale(),
            config.normalization(),
            config.inputScale(),
            config.decoderBias(),
            config.point(),
            config.outputPoint(),
            Optional.empty(),
            config.provenance());
    refused(raw, Sae.of(untold, sae.weights(), backend()), "--weights raw");
  }

  @Test
  void anotherPointOrWidthIsRefused() {
    Gpt2 gpt2 = model();
    refused(gpt2, sae(residPre(2)), "blocks.2.hook_resid_pre", "blocks 0 to 1");
    refused(gpt2, sae(HookPoint.at(Site.MLP_POST, 0)), "width 8", "width 32");
    refused(gpt2, sae(HookPoint.pattern(0)), "no vectors");
    Sae sae = sae(residPre(1));
    assertThrows(
        IllegalArgumentException.class,
        () -> logits(gpt2, residPre(0).replace(sae.splice(SpliceMode.RECONSTRUCTION))));
    Sae narrow = SmallSaes.random(residPre(1), 4, D_SAE, 7, backend());
    assertThrows(
        SaeMismatchException.class,
        () -> logits(gpt2, residPre(1).replace(narrow.splice(SpliceMode.RECONSTRUCTION))));
  }
}

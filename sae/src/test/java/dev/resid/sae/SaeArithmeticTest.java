package dev.resid.sae;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Tolerance;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Encoding and decoding against float64 formulas, and what must hold whatever the numbers. */
class SaeArithmeticTest extends OnEachCpuBackend {
  private static final int ROWS = 15;

  // Sums of up to 71 float32 products of size about 1 (times 1/0.37 after the widest undoing):
  // 71 · 2^-24 · 71 · 3 is 1e-3 at worst; rounding errors add up like their square root.
  private static final Tolerance CLOSE = Tolerance.within(2e-5, 1e-5);

  private static Tensor activations(int rows, int width) {
    return Tensor.wrap(
        Shape.of(Axis.BATCH, rows / 5, Axis.POS, 5, Axis.D_MODEL, width),
        SmallSaes.normal(5, 0, rows * width, 2));
  }

  private static double[] row(Tensor x, int row) {
    int width = x.shape().last();
    float[] values = x.toArray();
    double[] result = new double[width];
    Arrays.setAll(result, c -> values[row * width + c]);
    return result;
  }

  @Test
  void everyKindComputesItsFormula() {
    for (SaeCase one : SaeCase.all()) {
      Sae sae = Sae.of(one.config(), one.weights(), backend());
      Float64Sae expected = new Float64Sae(one.config(), one.weights());
      Tensor x = activations(ROWS, SaeCase.D_IN);
      double[] features = new double[ROWS * SaeCase.D_SAE];
      double[] reconstruction = new double[ROWS * one.config().dOut()];
      for (int r = 0; r < ROWS; r++) {
        double[] in = row(x, r);
        double[] f = expected.features(in);
        System.arraycopy(f, 0, features, r * f.length, f.length);
        double[] y = expected.decode(f, in);
        System.arraycopy(y, 0, reconstruction, r * y.length, y.length);
        // No feature is so near its threshold that rounding could decide.
        assertTrue(Arrays.stream(expected.margins(in)).allMatch(m -> Math.abs(m) > 1e-5));
      }
      SparseFeatures found = sae.encode(x);
      assertEquals("[batch=3, pos=5]", found.leading().toString());
      check(one + " features").close(features, found.toDense(), CLOSE);
      check(one + " reconstruction").close(reconstruction, sae.reconstruct(x), CLOSE);
      assertTrue(found.count() > ROWS && found.count() < ROWS * SaeCase.D_SAE, "some are active");
    }
  }

  @Test
  void denseFeaturesAreThoseOfThePreActivations() {
    for (SaeCase one : SaeCase.all()) {
      if (one.config().architecture() == Architecture.RELU) {
        Sae sae = Sae.of(one.config(), one.weights(), backend());
        Tensor x = activations(ROWS, SaeCase.D_IN);
        check(one + " features")
            .sameBits(sae.preActivations(x).map(v -> Math.max(v, 0)), sae.encode(x).toDense());
      }
    }
  }

  @Test
  void rowsAndThreadsDoNotChangeBits() {
    try (Backend one = open(1)) {
      for (SaeCase each : SaeCase.all()) {
        Sae sae = Sae.of(each.config(), each.weights(), backend());
        Sae alone = Sae.of(each.config(), each.weights(), one);
        Tensor x = activations(ROWS, SaeCase.D_IN);
        Tensor all = sae.reconstruct(x);
        for (int b = 0; b < 3; b++) {
          check(each + " batch " + b)
              .sameBits(
                  all.slice(Axis.BATCH, b, b + 1),
                  alone.reconstruct(x.slice(Axis.BATCH, b, b + 1)));
        }
      }
    }
  }

  @Test
  void headsAreFlattenedAndRestored() {
    SaeCase one = SaeCase.all().getFirst();
    Sae sae = Sae.of(one.config(), one.weights(), backend());
    Tensor flat = activations(ROWS, SaeCase.D_IN);
    Shape heads = Shape.of(Axis.BATCH, 3, Axis.POS, 5, Axis.HEAD, 4, Axis.D_HEAD, 6);
    check("hook_z")
        .sameBits(sae.reconstruct(flat).reshape(heads), sae.reconstruct(flat.reshape(heads)));
    assertEquals("[batch=3, pos=5]", sae.encode(flat.reshape(heads)).leading().toString());
    Shape wide = Shape.of(Axis.BATCH, 3, Axis.HEAD, 5, Axis.D_HEAD, SaeCase.D_IN);
    assertThrows(SaeMismatchException.class, () -> sae.encode(flat.reshape(wide)));
  }

  @Test
  void withoutRowsThereIsNothing() {
    for (SaeCase one : SaeCase.all()) {
      Sae sae = Sae.of(one.config(), one.weights(), backend());
      Tensor none = Tensor.zeros(Shape.of(Axis.BATCH, 0, Axis.POS, 5, Axis.D_MODEL, SaeCase.D_IN));
      assertEquals(0, sae.encode(none).count());
      assertEquals(0, sae.reconstruct(none).elements());
    }
  }

  @Test
  void nanReachesItsRowAndNoOther() {
    for (SaeCase one : SaeCase.all()) {
      Sae sae = Sae.of(one.config(), one.weights(), backend());
      float[] values = activations(ROWS, SaeCase.D_IN).toArray();
      Tensor clean = Tensor.of(activations(ROWS, SaeCase.D_IN).shape(), values);
      values[7 * SaeCase.D_IN + 3] = Float.NaN;
      float[] before = sae.reconstruct(clean).toArray();
      float[] after = sae.reconstruct(Tensor.wrap(clean.shape(), values)).toArray();
      int width = one.config().dOut();
      for (int i = 0; i < after.length; i++) {
        assertEquals(i / width == 7 ? Float.NaN : before[i], after[i], one + " at " + i);
      }
    }
  }

  @Test
  void rowsWithoutLengthOrSpreadComeBack() {
    float[] bias = new float[SaeCase.D_IN];
    for (Normalization normalization :
        new Normalization[] {Normalization.CONSTANT_NORM, Normalization.LAYER_NORM}) {
      SaeCase one =
          SaeCase.of(
              Architecture.RELU,
              normalization,
              DecoderBias.ADDED,
              SaeConfig.TopKScale.PLAIN,
              SaeCase.D_IN);
      Sae sae = Sae.of(one.config(), one.weights(), backend());
      Tensor zeros = Tensor.wrap(Shape.of(Axis.ROW, 1, Axis.D_MODEL, SaeCase.D_IN), bias);
      check(normalization + " of zeros").sameBits(zeros, sae.reconstruct(zeros));
      if (normalization == Normalization.LAYER_NORM) {
        Tensor same = zeros.map(zero -> 3);
        check("layer norm of equal values").sameBits(same, sae.reconstruct(same));
      }
    }
  }

  @Test
  void theIdentitySaeGivesBackItsInput() {
    Sae sae = SmallSaes.identity(HookPoint.residPre(0), SaeCase.D_IN, backend());
    Tensor x = activations(ROWS, SaeCase.D_IN);
    check("reconstruction").sameBits(x, sae.reconstruct(x));
    for (int r = 0; r < ROWS; r++) {
      assertEquals(SaeCase.D_IN, sae.encode(x).count(r));
    }
  }

  @Test
  void shiftingInputAndDecoderBiasShiftsTheReconstruction() {
    SaeCase one = SaeCase.all().getFirst();
    assertEquals(DecoderBias.SUBTRACTED_AND_ADDED, one.config().decoderBias());
    // Halves and quarters add without rounding, so that features keep their bits.
    Tensor x = activations(ROWS, SaeCase.D_IN).map(v -> Math.round(v * 4) / 4f);
    Tensor bias = one.weights().get(SaeWeight.b_dec).map(v -> Math.round(v * 8) / 8f);
    Sae sae = Sae.of(one.config(), with(one.weights(), SaeWeight.b_dec, bias), backend());
    Sae shifted =
        Sae.of(
            one.config(), with(one.weights(), SaeWeight.b_dec, bias.map(v -> v + 2.5f)), backend());
    Tensor moved = x.map(v -> v + 2.5f);
    check("features").sameBits(sae.encode(x).toDense(), shifted.encode(moved).toDense());
    check("reconstruction")
        .close(
            sae.reconstruct(x).map(v -> v + 2.5f),
            shifted.reconstruct(moved),
            Tolerance.within(2e-6, 2e-7));
  }

  private static SaeWeights with(SaeWeights weights, SaeWeight name, Tensor tensor) {
    Map<SaeWeight, Tensor> tensors = new EnumMap<>(weights.tensors());
    tensors.put(name, tensor);
    return new SaeWeights(tensors);
  }

  @Test
  void weightsComeBackAsTheyWere() {
    for (SaeCase one : SaeCase.all()) {
      SaeWeights found = Sae.of(one.config(), one.weights(), backend()).weights();
      assertEquals(one.weights().tensors().keySet(), found.tensors().keySet());
      one.weights()
          .tensors()
          .forEach((name, tensor) -> check(one + " " + name).sameBits(tensor, found.get(name)));
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    SaeCase one = SaeCase.all().getFirst();
    Sae sae = Sae.of(one.config(), one.weights(), backend());
    Tensor x = activations(ROWS, SaeCase.D_IN);
    assertThrows(SaeMismatchException.class, () -> sae.encode(activations(ROWS, 12)));
    SparseFeatures features = sae.encode(x);
    assertThrows(
        IllegalArgumentException.class, () -> sae.decode(features, x.slice(Axis.BATCH, 0, 1)));
    SparseFeatures other = SparseFeatures.of(Tensor.zeros(Shape.of(Axis.ROW, ROWS, Axis.D_SAE, 3)));
    assertThrows(SaeMismatchException.class, () -> sae.decode(other));
    assertThrows(SaeMismatchException.class, () -> sae.decode(other, x));
    SaeCase jump =
        SaeCase.of(
            Architecture.JUMP_RELU,
            Normalization.NONE,
            DecoderBias.ADDED,
            SaeConfig.TopKScale.PLAIN,
            SaeCase.D_IN);
    SaeWeights broken =
        with(
            jump.weights(),
            SaeWeight.threshold,
            jump.weights().get(SaeWeight.threshold).map(t -> Float.NaN));
    assertThrows(IllegalArgumentException.class, () -> Sae.of(jump.config(), broken, backend()));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            SaeCase.of(
                Architecture.RELU,
                Normalization.NONE,
                DecoderBias.SUBTRACTED_AND_ADDED,
                SaeConfig.TopKScale.PLAIN,
                10));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            SaeCase.of(
                Architecture.RELU,
                Normalization.NONE,
                DecoderBias.ADDED,
                SaeConfig.TopKScale.DECODER_NORM,
                SaeCase.D_IN));
  }

  /** A row of zeros has no direction: dividing by its norm must not make infinities of it. */
  @Test
  void aFeatureWithoutADirectionIsNeverActive() {
    SaeCase one =
        SaeCase.of(
            Architecture.TOP_K,
            Normalization.NONE,
            DecoderBias.ADDED,
            SaeConfig.TopKScale.DECODER_NORM,
            SaeCase.D_IN);
    Sae whole = Sae.of(one.config(), one.weights(), backend());
    Tensor x = activations(ROWS, SaeCase.D_IN);
    SparseFeatures before = whole.encode(x);
    int gone = before.indices()[0];
    float[] decoder = whole.weights().get(SaeWeight.W_dec).toArray();
    int width = decoder.length / whole.config().dSae();
    Arrays.fill(decoder, gone * width, (gone + 1) * width, 0);
    Tensor rows = Tensor.wrap(whole.weights().get(SaeWeight.W_dec).shape(), decoder);
    Sae without = Sae.of(whole.config(), with(whole.weights(), SaeWeight.W_dec, rows), backend());
    SparseFeatures after = without.encode(x);
    int k = whole.config().k().getAsInt();
    for (int row = 0; row < after.rows(); row++) {
      assertEquals(0, after.get(row, gone), "row " + row);
      assertTrue(after.count(row) <= k && after.count(row) > 0, "row " + row);
    }
    // Also if a caller sets it: it adds nothing, and everything stays finite.
    float[] with = without.decode(before).toArray();
    for (float value : with) {
      assertTrue(Float.isFinite(value), "finite");
    }
    SparseFeatures only =
        new SparseFeatures(
            Shape.of(Axis.ROW, 1),
            before.dSae(),
            new long[] {0, 1},
            new int[] {gone},
            new float[] {3});
    assertArrayEquals(
        without.weights().get(SaeWeight.b_dec).toArray(), without.decode(only).toArray());
  }
}

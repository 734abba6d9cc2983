package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.analysis.Ablation;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The table of weights, weights in memory and on a backend, and fresh ones. */
class WeightsTest extends OnEachCpuBackend {
  @Test
  void tableGivesEveryWeightItsNamesAndShapes() {
    Gpt2Config config = Gpt2Config.of(2, 3, 12, 50, 7);
    List<Weight> all = Weight.all(config);
    assertEquals(2 + 2 * 16 + 4, all.size());
    assertEquals(all.size(), new HashSet<>(all).size());
    assertEquals(all.size(), all.stream().map(Weight::lensName).distinct().count());
    // Query, key and value share a tensor; b_U is in no file.
    assertEquals(2 + 2 * 12 + 4, all.stream().map(Weight::fileKey).distinct().count());
    Weight query = Weight.of(WeightNames.W_Q, 1);
    assertEquals("h.1.attn.c_attn.weight", query.fileKey());
    assertEquals("blocks.1.attn.W_Q", query.lensName());
    assertEquals("[head=3, d_model=12, d_head=4]", query.name().lensShape(config).toString());
    assertEquals("[d_model=12, out=12]", query.name().shape(config).toString());
    assertEquals("[d_mlp=48, d_model=12]", WeightNames.W_out.shape(config).toString());
    assertEquals("[d_vocab=50, d_model=12]", WeightNames.W_U.shape(config).toString());
    assertEquals("[d_model=12, d_vocab=50]", WeightNames.W_U.lensShape(config).toString());
    for (Weight weight : all) {
      assertEquals(
          weight.name().shape(config).elements(), weight.name().lensShape(config).elements());
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void everyWeightComesBackFromTheBackendWithItsBits(ModelCase c) {
    Gpt2Weights back = c.on(backend()).weights();
    assertEquals(c.config(), back.config());
    for (Weight weight : Weight.all(c.config())) {
      check(weight + " of " + c, c.seed()).sameBits(c.weights().get(weight), back.get(weight));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void updatedWeightsAreThoseOfANewModel(ModelCase c) {
    ModelCase other = ModelCase.of(c.seed() + 1_000_000, c.config());
    Gpt2 gpt2 = c.on(backend());
    gpt2.forward(c.tokens());
    gpt2.update(other.weights());
    check("logits of " + c, c.seed())
        .sameBits(
            other.on(backend()).forward(c.tokens()).logits(), gpt2.forward(c.tokens()).logits());
    for (Weight weight : Weight.all(c.config())) {
      check(weight + " of " + c, c.seed())
          .sameBits(other.weights().get(weight), gpt2.weights().get(weight));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void anEditedWeightIsReadBackInBothShapesAndOthersStay(ModelCase c) {
    Gpt2Weights weights = c.weights();
    boolean tied = c.config().embeddings() == Embeddings.TIED;
    for (Weight weight : Weight.all(c.config())) {
      if (tied && weight.name() == WeightNames.W_U) {
        assertThrows(
            IllegalArgumentException.class, () -> weights.with(weight, weights.get(weight)));
        continue;
      }
      Tensor lens = weights.lens(weight).times(-3);
      Gpt2Weights byLens = weights.with(weight, lens);
      Gpt2Weights byTable = weights.with(weight, weights.get(weight).times(-3));
      assertTrue(byLens.lens(weight).sameBits(lens), weight + " of " + c);
      assertTrue(byLens.get(weight).sameBits(byTable.get(weight)), weight + " of " + c);
      for (Weight other : Weight.all(c.config())) {
        boolean follows =
            tied && weight.name() == WeightNames.W_E && other.name() == WeightNames.W_U;
        boolean stays = byLens.get(other).sameBits(weights.get(other));
        boolean zero = weights.get(other).norm(lastAxis(weights.get(other))).toArray()[0] == 0;
        if (!zero) {
          assertEquals(!other.equals(weight) && !follows, stays, other + " after " + weight);
        }
      }
    }
  }

  private static Axis lastAxis(Tensor tensor) {
    return tensor.shape().dims().getLast().axis();
  }

  @Test
  void anEditOfAnotherShapeOrLayerIsRefused() {
    Gpt2Weights weights = Gpt2Weights.random(Gpt2Config.of(2, 2, 8, 30, 9), 1);
    Weight query = Weight.of(WeightNames.W_Q, 1);
    String message =
        assertThrows(
                ShapeMismatchException.class,
                () -> weights.with(query, Tensor.zeros(Shape.of(Axis.D_MODEL, 8))))
            .getMessage();
    assertEquals(
        "weight blocks.1.attn.W_Q is [d_model=8], expected [d_model=8, out=8] or [head=2,"
            + " d_model=8, d_head=4]",
        message);
    Weight beyond = Weight.of(WeightNames.W_Q, 2);
    assertThrows(IllegalArgumentException.class, () -> weights.with(beyond, weights.get(query)));
  }

  /** A head whose output is taken from W_O does what ablating it does. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void anEditedModelRunsWithTheEdit(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    Weight output = Weight.of(WeightNames.W_O, 0);
    Tensor W_O = gpt2.weights().lens(output);
    Tensor without = W_O.with(Axis.HEAD, 0, W_O.at(Axis.HEAD, 0).times(0));
    Gpt2 edited = Gpt2.of(gpt2.weights().with(output, without), backend());
    Tensor ablated =
        gpt2.forward(c.tokens(), HookPoint.z(0).replace(Ablation.zeroAt(Axis.HEAD, 0))).logits();
    Tensor logits = edited.forward(c.tokens()).logits();
    for (int row = 0; row < c.tokens().rows(); row++) {
      check("logits of " + c, c.seed())
          .sameBits(
              ablated.at(Axis.BATCH, row).slice(Axis.POS, 0, c.tokens().length(row)),
              logits.at(Axis.BATCH, row).slice(Axis.POS, 0, c.tokens().length(row)));
    }
  }

  @Test
  void freshWeightsDependOnTheSeedAlone() {
    Gpt2Config config = Gpt2Config.of(2, 2, 8, 30, 9);
    Gpt2Weights once = Gpt2Weights.random(config, 5);
    Gpt2Weights again = Gpt2Weights.random(config, 5);
    Gpt2Weights other = Gpt2Weights.random(config, 6);
    for (Weight weight : Weight.all(config)) {
      check(weight.toString(), 5).sameBits(once.get(weight), again.get(weight));
      boolean drawn = weight.name().shape(config).rank() == 2;
      assertEquals(!drawn, once.get(weight).sameBits(other.get(weight)), weight.toString());
    }
  }

  /** Deviations of freshly drawn matrices, to five standard errors. */
  @Test
  void freshWeightsHaveGpt2sDeviations() {
    Gpt2Config config = Gpt2Config.of(8, 4, 64, 500, 128);
    Gpt2Weights weights = Gpt2Weights.random(config, 11);
    for (Weight weight : Weight.all(config)) {
      double expected =
          switch (weight.name()) {
            case W_E, W_U, W_Q, W_K, W_V, W_in -> 0.02;
            case W_pos -> 0.01;
            case W_O, W_out -> 0.02 / 4; // two writes a block, eight blocks
            default -> 0;
          };
      double[] values = Reference.doubles(weights.get(weight));
      double squares = 0;
      double sum = 0;
      for (double value : values) {
        squares += value * value;
        sum += value;
      }
      if (expected > 0) {
        double error = 5 / Math.sqrt(values.length);
        assertEquals(0, sum / values.length, error * expected, weight.toString());
        assertEquals(
            expected, Math.sqrt(squares / values.length), error * expected, weight.toString());
      } else {
        double constant = weight.lensName().endsWith(".w") ? 1 : 0;
        assertEquals(constant, sum / values.length, weight.toString());
        assertEquals(constant, squares / values.length, weight.toString());
      }
    }
  }

  @Test
  void differentMatricesAreDrawnIndependently() {
    Gpt2Config config = Gpt2Config.of(2, 2, 8, 30, 9);
    Gpt2Weights weights = Gpt2Weights.random(config, 5);
    Set<Float> ratios =
        Weight.all(config).stream()
            .filter(w -> w.name().shape(config).rank() == 2 && w.name() != WeightNames.W_U)
            .map(w -> weights.get(w).get(0, 0) / weights.get(w).get(0, 1))
            .collect(Collectors.toSet());
    assertEquals(2 + 2 * 6, ratios.size(), "first draw over second, whatever the deviation");
  }

  @Test
  void lensShapesHoldTheHeadsOneAfterTheOther() {
    Gpt2Config config = Gpt2Config.of(1, 2, 4, 6, 3);
    ModelCase c = ModelCase.of(9, config);
    Weight query = Weight.of(WeightNames.W_Q, 0);
    Tensor ours = c.weights().get(query);
    Tensor lens = c.weights().lens(query);
    for (int head = 0; head < 2; head++) {
      for (int i = 0; i < 4; i++) {
        for (int d = 0; d < 2; d++) {
          assertEquals(ours.get(i, head * 2 + d), lens.get(head, i, d));
        }
      }
    }
    Weight output = Weight.of(WeightNames.W_O, 0);
    Tensor rows = c.weights().lens(output);
    assertEquals(c.weights().get(output).get(3, 1), rows.get(1, 1, 1));
    Weight unembedding = Weight.of(WeightNames.W_U);
    assertEquals(c.weights().get(unembedding).get(5, 2), c.weights().lens(unembedding).get(2, 5));
    Shape shape = WeightNames.b_K.lensShape(config);
    assertEquals(shape, c.weights().lens(Weight.of(WeightNames.b_K, 0)).shape());
    assertTrue(c.weights().get(unembedding).sameBits(c.weights().get(Weight.of(WeightNames.W_E))));
  }
}

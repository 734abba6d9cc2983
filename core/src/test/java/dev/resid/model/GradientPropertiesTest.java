package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.NoSuchActivationException;
import dev.resid.hook.Site;
import dev.resid.reference.Distributions;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which scalar is differentiated, with respect to what, and where gradients stop. */
class GradientPropertiesTest extends OnEachCpuBackend {
  private TensorAssert check(ModelCase c, Object what) {
    return check(what + " of " + c, c.seed());
  }

  private static HookPoint[] points(ModelCase c) {
    return Reference.points(c.config()).toArray(HookPoint[]::new);
  }

  private static Tolerance near(Tensor expected) {
    // The same gradient by another order of sums; see GradientReferenceTest.
    return Tolerance.within(
        1e-5 * Math.max(0.1, Reference.largest(Reference.doubles(expected))), 0);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void recordingChangesNoBit(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    ForwardResult plain = gpt2.forward(c.tokens(), HookPoint.z(1).capture());
    try (Tape tape = gpt2.record(c.tokens(), HookPoint.z(1).capture())) {
      check(c, "logits").sameBits(plain.logits(), tape.logits());
      check(c, "z").sameBits(plain.cache().get(HookPoint.z(1)), tape.cache().get(HookPoint.z(1)));
      for (int row = 0; row < c.tokens().rows(); row++) {
        check(c, "cross-entropy")
            .sameBits(
                Reference.numbers(c.tokens().length(row) - 1),
                gpt2.crossEntropyNats(c.tokens()).row(row),
                tape.crossEntropyNats().row(row));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void whatElseIsWantedChangesNoGradientByABit(ModelCase c) {
    try (Tape tape = c.on(backend()).record(c.tokens())) {
      Gradients weights = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      Gradients all = tape.backward(Wanted.weightGradients().and(points(c)), Seed.crossEntropy());
      for (Weight weight : weights.weights()) {
        check(c, weight).sameBits(weights.weight(weight), all.weight(weight));
      }
      for (HookPoint point : points(c)) {
        check(c, point)
            .sameBits(
                all.activation(point),
                tape.backward(Wanted.activations(point), Seed.crossEntropy()).activation(point));
      }
    }
  }

  /** dCE/dlogits by the formula, given back as a seed, is the loss itself. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void aSeedOnTheLogitsIsTheChainRule(ModelCase c) {
    try (Tape tape = c.on(backend()).record(c.tokens())) {
      Tensor logits = tape.logits();
      int vocabulary = c.config().dVocab();
      float[] gradient = new float[Math.toIntExact(logits.elements())];
      double count = c.tokens().tokenCount() - c.tokens().rows();
      for (int row = 0; row < c.tokens().rows(); row++) {
        for (int pos = 0; pos + 1 < c.tokens().length(row); pos++) {
          double[] logs =
              Distributions.logProbabilities(
                  Reference.doubles(logits.at(Axis.BATCH, row).at(Axis.POS, pos)));
          int from = (row * c.tokens().maxLength() + pos) * vocabulary;
          for (int v = 0; v < vocabulary; v++) {
            double label = v == c.tokens().id(row, pos + 1) ? 1 : 0;
            gradient[from + v] = (float) ((Math.exp(logs[v]) - label) / count);
          }
        }
      }
      Wanted wanted = Wanted.weightGradients().and(points(c));
      Gradients loss = tape.backward(wanted, Seed.crossEntropy());
      Gradients seeded = tape.backward(wanted, Seed.logits(Tensor.wrap(logits.shape(), gradient)));
      for (Weight weight : loss.weights()) {
        check(c, weight)
            .close(loss.weight(weight), seeded.weight(weight), near(loss.weight(weight)));
      }
      for (HookPoint point : points(c)) {
        check(c, point)
            .close(loss.activation(point), seeded.activation(point), near(loss.activation(point)));
      }
    }
  }

  /** The gradient at a point, given as a seed there, gives the gradients below it. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void aSeedAtASiteOfTheStreamContinuesTheWalk(ModelCase c) {
    try (Tape tape = c.on(backend()).record(c.tokens())) {
      Gradients loss = tape.backward(Wanted.weightGradients().and(points(c)), Seed.crossEntropy());
      for (Site site : List.of(Site.RESID_PRE, Site.RESID_MID, Site.RESID_POST)) {
        HookPoint point = HookPoint.at(site, 1);
        Gradients below =
            tape.backward(
                Wanted.weightGradients().and(points(c)),
                Seed.activation(point, loss.activation(point)));
        for (HookPoint earlier : points(c)) {
          if (earlier.isBefore(point)) {
            check(c, earlier + " below " + point)
                .sameBits(loss.activation(earlier), below.activation(earlier));
          } else if (!earlier.equals(point) && !samePlace(point, earlier)) {
            check(c, earlier + " above " + point)
                .sameBits(loss.activation(earlier).map(x -> 0), zeroed(below.activation(earlier)));
          }
        }
      }
    }
  }

  /** What leaves a block is what enters the next. */
  private static boolean samePlace(HookPoint point, HookPoint other) {
    return point.site() == Site.RESID_POST && other.equals(HookPoint.residPre(point.layer() + 1));
  }

  /** Returns the tensor with −0 made 0. */
  private static Tensor zeroed(Tensor tensor) {
    return tensor.map(x -> x == 0 ? 0 : x);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void severalSeedsAddUp(ModelCase c) {
    HookPoint point = HookPoint.mlpOut(1);
    HookPoint entry = HookPoint.residPre(0);
    try (Tape tape = c.on(backend()).record(c.tokens(), point.capture())) {
      Tensor seed = c.noise(tape.cache().get(point).shape(), 1);
      Wanted wanted = Wanted.activations(entry);
      Tensor one = tape.backward(wanted, Seed.crossEntropy()).activation(entry);
      Tensor other = tape.backward(wanted, Seed.activation(point, seed)).activation(entry);
      Tensor both =
          tape.backward(wanted, Seed.crossEntropy(), Seed.activation(point, seed))
              .activation(entry);
      check(c, "sum").close(one.plus(other), both, near(both));
      Tensor thrice =
          tape.backward(wanted, new Seed.CrossEntropy(2), Seed.crossEntropy()).activation(entry);
      check(c, "three times the loss").close(one.times(3), thrice, near(thrice));
    }
  }

  /** A replaced activation is a constant: its own gradient is known, what made it has none. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void gradientsReachAReplacedActivationAndStopThere(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    try (Tape clean = gpt2.record(c.tokens())) {
      Gradients free = clean.backward(Wanted.weightGradients().and(points(c)), Seed.crossEntropy());
      for (HookPoint point : points(c)) {
        Hook constant = point.replace((x, at) -> Tensor.of(x.shape(), x.toArray()));
        try (Tape tape = gpt2.record(c.tokens(), constant)) {
          Gradients stopped =
              tape.backward(Wanted.weightGradients().and(points(c)), Seed.crossEntropy());
          check(c, "gradient at the replaced " + point)
              .sameBits(free.activation(point), stopped.activation(point));
          for (Weight weight : without(point)) {
            Tensor gradient = stopped.weight(weight);
            check(c, weight + " below the replaced " + point)
                .sameBits(gradient.map(x -> 0), zeroed(gradient));
          }
        }
      }
    }
  }

  /** Returns weights that act by way of the point alone. */
  private static Set<Weight> without(HookPoint point) {
    int layer = point.layer();
    List<WeightNames> names =
        switch (point.site()) {
          case Q -> List.of(WeightNames.W_Q, WeightNames.b_Q);
          case K -> List.of(WeightNames.W_K, WeightNames.b_K);
          case V -> List.of(WeightNames.W_V, WeightNames.b_V);
          case ATTN_SCORES, PATTERN ->
              List.of(WeightNames.W_Q, WeightNames.b_Q, WeightNames.W_K, WeightNames.b_K);
          case Z -> List.of(WeightNames.W_Q, WeightNames.W_K, WeightNames.W_V, WeightNames.b_V);
          case RESULT -> List.of(WeightNames.W_O, WeightNames.W_V, WeightNames.ln1_gamma);
          case ATTN_OUT -> List.of(WeightNames.W_O, WeightNames.b_O, WeightNames.ln1_beta);
          case LN1_NORMALIZED -> List.of(WeightNames.ln1_gamma, WeightNames.ln1_beta);
          case LN2_NORMALIZED -> List.of(WeightNames.ln2_gamma, WeightNames.ln2_beta);
          case MLP_PRE -> List.of(WeightNames.W_in, WeightNames.b_in);
          case MLP_POST -> List.of(WeightNames.W_in, WeightNames.b_in, WeightNames.ln2_gamma);
          case MLP_OUT -> List.of(WeightNames.W_out, WeightNames.b_out, WeightNames.W_in);
          case RESID_MID -> List.of(WeightNames.W_O, WeightNames.b_O, WeightNames.W_Q);
          case RESID_POST -> List.of(WeightNames.W_out, WeightNames.b_O, WeightNames.ln1_gamma);
          default -> List.of();
        };
    return names.stream().map(name -> new Weight(name, layer)).collect(Collectors.toSet());
  }

  /** The gradient of a replaced run is that of the run with the replacement as it is. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#tiny")
  void gradientsOfAChangedRunAgreeWithDifferences(ModelCase c) {
    Float64Gpt2 reference = Reference.of(c.weights());
    HookPoint point = HookPoint.at(Site.RESULT, 0);
    HookPoint later = HookPoint.residPost(0);
    int[] ids = c.tokens().row(0);
    Gpt2 gpt2 = c.on(backend());
    var tokens = dev.resid.tokenizer.TokenBatch.of(ids);
    Hook half = point.replace((x, at) -> x.times(0.5));
    try (Tape tape = gpt2.record(tokens, half)) {
      Tensor got = tape.backward(Wanted.activations(later), Seed.crossEntropy()).activation(later);
      double[] want = new double[Math.toIntExact(got.elements())];
      for (int i = 0; i < want.length; i++) {
        want[i] =
            (shifted(reference, point, later, i, 1e-5, ids)
                    - shifted(reference, point, later, i, -1e-5, ids))
                / 2e-5;
      }
      check(c, later)
          .close(want, got, Tolerance.within(1e-4 * Math.max(0.1, Reference.largest(want)), 0));
    }
  }

  private static double shifted(
      Float64Gpt2 reference, HookPoint point, HookPoint later, int index, double by, int... ids) {
    Map<String, java.util.function.UnaryOperator<double[]>> changes =
        Map.of(
            point.name(), x -> java.util.Arrays.stream(x).map(v -> v / 2).toArray(),
            later.name(),
                x -> {
                  x[index] += by;
                  return x;
                });
    return java.util.Arrays.stream(
            Float64Gpt2.crossEntropies(reference.run(changes, ids).get("logits"), ids))
        .average()
        .orElseThrow();
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void wrongRequestsSayWhatIsWrong(ModelCase c) {
    try (Tape tape = c.on(backend()).record(c.tokens())) {
      List<RuntimeException> errors = new ArrayList<>();
      errors.add(
          assertThrows(
              IllegalArgumentException.class, () -> tape.backward(Wanted.weightGradients())));
      Tensor wrong = Tensor.zeros(Reference.numbers(3));
      errors.add(
          assertThrows(
              ShapeMismatchException.class,
              () -> tape.backward(Wanted.weightGradients(), Seed.logits(wrong))));
      HookPoint point = HookPoint.residPre(0);
      errors.add(
          assertThrows(
              ShapeMismatchException.class,
              () -> tape.backward(Wanted.weightGradients(), Seed.activation(point, wrong))));
      Gradients none = tape.backward(Wanted.activations(point), Seed.crossEntropy());
      errors.add(
          assertThrows(
              IllegalArgumentException.class, () -> none.weight(Weight.of(WeightNames.W_E))));
      errors.add(
          assertThrows(NoSuchActivationException.class, () -> none.activation(HookPoint.z(0))));
      errors.add(
          assertThrows(
              IllegalArgumentException.class,
              () -> tape.backward(Wanted.activations(HookPoint.z(99)), Seed.crossEntropy())));
      List<String> says =
          List.of("seed", "logits", point.name(), "weightGradients", "hook_z", "blocks.99");
      assertEquals(says.size(), errors.size());
      for (int i = 0; i < says.size(); i++) {
        assertTrue(errors.get(i).getMessage().contains(says.get(i)), errors.get(i).getMessage());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void aWeightAskedForAloneHasTheSameBits(ModelCase c) {
    try (Tape tape = c.on(backend()).record(c.tokens())) {
      Gradients all = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      for (Weight weight : all.weights()) {
        Tensor alone = backend().allocate(weight.name().shape(c.config()));
        tape.addWeightGradients(Map.of(weight, alone), Seed.crossEntropy());
        check(c, weight).sameBits(all.weight(weight), alone);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void weightGradientsAddUpOverBatches(ModelCase c) {
    try (Tape tape = c.on(backend()).record(c.tokens())) {
      Gradients once = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      Map<Weight, Tensor> sums = new java.util.HashMap<>();
      for (Weight weight : once.weights()) {
        sums.put(weight, backend().allocate(weight.name().shape(c.config())));
      }
      tape.addWeightGradients(sums, Seed.crossEntropy());
      tape.addWeightGradients(sums, Seed.crossEntropy());
      for (Weight weight : once.weights()) {
        Tensor twice = once.weight(weight).times(2);
        check(c, weight).close(twice, sums.get(weight), near(twice));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void meanLossOfATapeIsTheMeanOfItsCrossEntropies(ModelCase c) {
    try (Tape tape = c.on(backend()).record(c.tokens())) {
      assertEquals(tape.crossEntropyNats().mean(), tape.meanCrossEntropyNats(), 1e-6, c::toString);
    }
  }
}

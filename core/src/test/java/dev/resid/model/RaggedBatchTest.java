package dev.resid.model;

import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows that differ in length give, bit for bit, what each gives alone. */
class RaggedBatchTest extends OnEachCpuBackend {
  private TensorAssert check(ModelCase c, Object what) {
    return check(what + " of " + c, c.seed());
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void logitsAndEveryActivationAreThoseOfTheRowAlone(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    Capture[] all =
        Reference.points(c.config()).stream().map(HookPoint::capture).toArray(Capture[]::new);
    ForwardResult together = gpt2.forward(c.tokens(), all);
    for (int row = 0; row < c.tokens().rows(); row++) {
      int length = c.tokens().length(row);
      ForwardResult alone = gpt2.forward(TokenBatch.of(c.tokens().row(row)), all);
      check(c, "logits of row " + row)
          .sameBits(alone.logits(), Reference.rowOf(together.logits(), row, length));
      for (HookPoint point : Reference.points(c.config())) {
        check(c, point + " of row " + row)
            .sameBits(
                alone.cache().get(point),
                Reference.rowOf(together.cache().get(point), row, length));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void capturesPastTheEndOfARowAreZero(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    for (HookPoint point : Reference.points(c.config())) {
      Tensor captured = gpt2.capture(c.tokens(), point.capture()).get(point);
      for (int row = 0; row < c.tokens().rows(); row++) {
        Tensor padding =
            captured
                .at(Axis.BATCH, row)
                .slice(Axis.POS, c.tokens().length(row), c.tokens().maxLength());
        check(c, point + " past the end of row " + row).sameBits(padding.map(x -> 0), padding);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void crossEntropyKlAndL2AreThoseOfTheRowAlone(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    HookPoint point = HookPoint.residPre(1);
    HookPoint inner = HookPoint.at(Site.MLP_POST, c.config().nLayers() - 1);
    HookPoint last = HookPoint.residPost(c.config().nLayers() - 1);
    try (BaseRun together = gpt2.baseRun(c.tokens(), point, inner)) {
      Tensor noise = c.noise(together.activation().shape(), 0.5);
      Continuation changed = together.continueWith(together.activation().plus(noise), inner);
      for (int row = 0; row < c.tokens().rows(); row++) {
        TokenBatch one = TokenBatch.of(c.tokens().row(row));
        Tensor part = Reference.rowOf(noise, row, one.maxLength());
        try (BaseRun alone = gpt2.baseRun(one, point, inner)) {
          Continuation other = alone.continueWith(alone.activation().plus(part), inner);
          same(
              c, "clean cross-entropy", alone.crossEntropyNats(), together.crossEntropyNats(), row);
          same(c, "cross-entropy", other.crossEntropyNats(), changed.crossEntropyNats(), row);
          same(
              c,
              "cross-entropy",
              gpt2.crossEntropyNats(one),
              gpt2.crossEntropyNats(c.tokens()),
              row);
          same(c, "KL", other.klNats(), changed.klNats(), row);
          same(c, "L2", other.l2At(last), changed.l2At(last), row);
          same(c, "inner L2", other.l2At(inner), changed.l2At(inner), row);
          check(c, "logits of row " + row)
              .sameBits(other.logits(), Reference.rowOf(changed.logits(), row, one.maxLength()));
        }
      }
    }
  }

  private void same(
      ModelCase c, String what, PositionValues alone, PositionValues together, int row) {
    check(c, what + " of row " + row)
        .sameBits(Reference.numbers(alone.length(0)), alone.row(0), together.row(row));
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void orderOfTheRowsDoesNotMatter(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int rows = c.tokens().rows();
    int[][] reversed = new int[rows][];
    for (int row = 0; row < rows; row++) {
      reversed[row] = c.tokens().row(rows - 1 - row);
    }
    Tensor forwards = gpt2.forward(c.tokens()).logits();
    Tensor backwards = gpt2.forward(TokenBatch.of(reversed)).logits();
    for (int row = 0; row < rows; row++) {
      int length = c.tokens().length(row);
      check(c, "row " + row)
          .sameBits(
              Reference.rowOf(forwards, row, length),
              Reference.rowOf(backwards, rows - 1 - row, length));
    }
  }

  /** The loss is a mean over tokens, so a batch's gradient is the weighted mean of its rows'. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void gradientsAreTheMeanOfTheRowsGradients(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int total = c.tokens().tokenCount() - c.tokens().rows();
    try (Tape tape = gpt2.record(c.tokens())) {
      Gradients together = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      for (Weight weight : together.weights()) {
        double[] sum = new double[Math.toIntExact(together.weight(weight).elements())];
        for (int row = 0; row < c.tokens().rows(); row++) {
          add(sum, gpt2, c.tokens().row(row), weight, total);
        }
        // Four roundings a term more or less; the terms are not larger than a few times the sum.
        double allowed = 64 * Tolerance.U * Math.max(1, Reference.largest(sum));
        check(c, "gradient of " + weight)
            .close(sum, together.weight(weight), Tolerance.within(allowed, 0));
      }
    }
  }

  private static void add(double[] sum, Gpt2 gpt2, int[] row, Weight weight, int total) {
    try (Tape tape = gpt2.record(TokenBatch.of(row))) {
      double part = (row.length - 1.0) / total;
      float[] alone =
          tape.backward(Wanted.weightGradients(), Seed.crossEntropy()).weight(weight).toArray();
      for (int i = 0; i < sum.length; i++) {
        sum[i] += part * alone[i];
      }
    }
  }
}

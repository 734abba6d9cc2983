package dev.resid.backend;

import static dev.resid.backend.ContractBench.abs;
import static dev.resid.backend.ContractBench.rows;

import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.Formulas;
import dev.resid.testing.Tolerance;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Contract of the kernels that treat rows or elements: embedding, sums, softmax, activations. */
interface RowContract {
  /** One, below, at and above 4, 8 and 16 lanes and their multiples, primes, GPT-2's widths. */
  int[] WIDTHS = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 47, 64, 101, 768};

  /** Returns the bench of the running test. */
  ContractBench bench();

  /** Row r is the row of the table that id r names. */
  @Test
  default void gatherRowsCopiesRows() {
    for (int width : WIDTHS) {
      Tensor table = bench().in(Values.MIXED, rows(11, width));
      int[] ids = {10, 0, 3, 3, 7};
      bench().compareBits("gatherRows", rows(5, width), (b, out) -> b.gatherRows(table, ids, out));
    }
  }

  /** Row r is the column of the matrix that id r names. */
  @Test
  default void gatherColumnsCopiesColumns() {
    for (int width : WIDTHS) {
      for (int n : new int[] {1, 13, 64, 101}) {
        Tensor w = bench().in(Values.MIXED, ContractBench.matrix(width, n));
        int[] ids = bench().cases.indices(5, n);
        ids[4] = n - 1;
        bench()
            .compareBits(
                "gatherColumns", rows(5, width), (b, out) -> b.gatherColumns(b.pack(w), ids, out));
      }
    }
  }

  /** Rows with the same id add up. */
  @Test
  default void scatterAddRowsAddsRepeatedIds() {
    for (int width : WIDTHS) {
      Tensor rows = bench().in(rows(6, width));
      Tensor table = bench().in(rows(4, width));
      int[] ids = {3, 1, 3, 0, 3, 1};
      Tensor magnitudes = Tensor.of(table.shape(), abs(table).toArray());
      bench().reference.scatterAddRows(abs(rows), ids, magnitudes);
      bench()
          .compareAdded(
              "scatterAddRows",
              table,
              (b, sum) -> b.scatterAddRows(rows, ids, sum),
              Tolerance.sums(4, magnitudes));
    }
  }

  /** Softmax agrees for rows of every kind, and −∞ gives 0. */
  @Test
  default void softmaxAgrees() {
    for (int width : WIDTHS) {
      for (Values kind : Values.values()) {
        Tensor x = bench().in(kind, rows(3, width));
        bench()
            .compare(
                "softmax of " + kind,
                x.shape(),
                (b, out) -> b.softmax(x, out),
                KernelBounds.softmax(x));
      }
      float[] masked = bench().cases.values(2 * width, Values.ORDINARY);
      Arrays.fill(masked, 1, width, Float.NEGATIVE_INFINITY);
      Tensor x = bench().in(Tensor.wrap(rows(2, width), masked));
      bench()
          .compare(
              "softmax of masked rows",
              x.shape(),
              (b, out) -> b.softmax(x, out),
              KernelBounds.softmax(x));
    }
  }

  /** The gradient through the softmax agrees. */
  @Test
  default void softmaxBackwardAgrees() {
    for (int width : WIDTHS) {
      for (Values kind : new Values[] {Values.ORDINARY, Values.CANCELLING, Values.MIXED}) {
        Tensor x = bench().in(rows(3, width));
        Tensor p = bench().in(bench().reference(x.shape(), (b, out) -> b.softmax(x, out)));
        Tensor dP = bench().in(kind, x.shape());
        bench()
            .compare(
                "softmaxBackward of " + kind,
                x.shape(),
                (b, out) -> b.softmaxBackward(dP, p, out),
                KernelBounds.softmaxBackward(dP, p));
      }
    }
  }

  /** Every activation is its formula in float64, rounded. */
  @Test
  default void activationsAreTheirFormulas() {
    for (Activation activation : Activation.values()) {
      for (Tensor x : activationInputs()) {
        double[] expected = Formulas.each(x, v -> Formulas.activation(activation, v));
        Tensor actual = bench().tested(x.shape(), (b, out) -> b.activate(x, activation, out));
        bench().check("activate " + activation).close(expected, actual, KernelBounds.activation(x));
      }
    }
  }

  /** Every activation's gradient is the slope of its formula. */
  @Test
  default void activationGradientsAreFiniteDifferences() {
    for (Activation activation : Activation.values()) {
      for (Tensor x : activationInputs()) {
        Tensor dOut = bench().in(x.shape());
        float[] d = dOut.toArray();
        double[] slopes = Formulas.each(x, v -> Formulas.activationSlope(activation, v));
        for (int i = 0; i < slopes.length; i++) {
          slopes[i] *= d[i];
        }
        Tolerance rounding = KernelBounds.activationBackward(dOut, x, activation);
        Tensor actual =
            bench().tested(x.shape(), (b, out) -> b.activateBackward(dOut, x, activation, out));
        bench()
            .check("activateBackward " + activation)
            .close(
                slopes,
                actual,
                (i, expected) ->
                    rounding.allowed(i, expected) + Formulas.SLOPE_ERROR * Math.abs(d[i]));
      }
    }
  }

  private Tensor[] activationInputs() {
    float[] grid = new float[241];
    for (int i = 0; i < grid.length; i++) {
      grid[i] = (i - 120) / 10f + 0.003f;
    }
    return new Tensor[] {
      bench().in(Tensor.wrap(rows(1, grid.length), grid)),
      bench().in(rows(3, 17)),
      bench().in(Values.TINY, rows(1, 33)),
      bench().in(Values.HUGE, rows(1, 33)),
      bench().in(Values.ORDINARY, rows(1, 1))
    };
  }

  /** Activations treat every length alike, the last elements too. */
  @Test
  default void activationsOfEveryLengthAgree() {
    for (int width : WIDTHS) {
      for (Activation activation : Activation.values()) {
        Tensor x = bench().in(Values.MIXED, rows(1, width));
        Tensor dOut = bench().in(x.shape());
        bench()
            .compare(
                "activate " + activation,
                x.shape(),
                (b, out) -> b.activate(x, activation, out),
                KernelBounds.activation(x));
        bench()
            .compare(
                "activateBackward " + activation,
                x.shape(),
                (b, out) -> b.activateBackward(dOut, x, activation, out),
                KernelBounds.activationBackward(dOut, x, activation));
      }
    }
  }

  /** A sum of two tensors is rounded once. */
  @Test
  default void addIsRoundedOnce() {
    for (int width : WIDTHS) {
      for (Values kind : Values.values()) {
        Tensor a = bench().in(kind, rows(3, width));
        Tensor c = bench().in(Values.MIXED, rows(3, width));
        bench().compareBits("add", a.shape(), (b, out) -> b.add(a, c, out));
      }
    }
  }

  /** A scaled sum is one fused multiply-add. */
  @Test
  default void addScaledIsFused() {
    for (int width : WIDTHS) {
      for (Values kind : Values.values()) {
        Tensor a = bench().in(kind, rows(3, width));
        Tensor c = bench().in(kind, rows(3, width));
        bench().compareBits("addScaled", a.shape(), (b, out) -> b.addScaled(a, -1.0 / 3, c, out));
      }
    }
  }

  /** One step of AdamW changes the parameter and both moments as the paper says. */
  @Test
  default void adamWAgrees() {
    for (int width : WIDTHS) {
      for (long step : new long[] {1, 2, 1000}) {
        adamWAgrees(width, new AdamStep(3e-3, 0.9, 0.95, 1e-8, 0.1, 0.5, step));
      }
    }
    adamWAgrees(33, new AdamStep(1e-2, 0.9, 0.999, 1e-3, 0, 1, 3));
  }

  private void adamWAgrees(int width, AdamStep step) {
    Tensor p = bench().in(rows(2, width));
    Tensor g = bench().in(rows(2, width));
    Tensor m = bench().in(bench().cases.tensor(rows(2, width), Values.ORDINARY).times(0.1));
    Tensor v = bench().in(bench().cases.tensor(rows(2, width), Values.ORDINARY).map(x -> x * x));
    Tensor[] expected = {copy(p), copy(m), copy(v)};
    bench().reference.adamW(step, expected[0], g, expected[1], expected[2]);
    Tensor[] actual = {bench().accumulator(p), bench().accumulator(m), bench().accumulator(v)};
    bench().tested.adamW(step, actual[0], g, actual[1], actual[2]);
    float[] gs = g.toArray();
    float[] ms = m.toArray();
    float[] vs = v.toArray();
    float[] ps = p.toArray();
    double[] momentError = new double[gs.length];
    double[] secondError = new double[gs.length];
    double[] parameterError = new double[gs.length];
    for (int i = 0; i < gs.length; i++) {
      double gradient = Math.abs(gs[i] * step.gradientScale());
      // Products and sum of the moments: four roundings of each term.
      momentError[i] =
          4 * Tolerance.U * (step.beta1() * Math.abs(ms[i]) + (1 - step.beta1()) * gradient);
      secondError[i] =
          6 * Tolerance.U * (step.beta2() * vs[i] + (1 - step.beta2()) * gradient * gradient);
      double second =
          (step.beta2() * vs[i] + (1 - step.beta2()) * gradient * gradient)
              / (1 - Math.pow(step.beta2(), step.step()));
      double size =
          momentError[i]
              / (4 * Tolerance.U)
              / (1 - Math.pow(step.beta1(), step.step()))
              / (Math.sqrt(second) + step.epsilon());
      // The direction has ten roundings, the new parameter three.
      parameterError[i] = Tolerance.U * (14 * step.learningRate() * size + 3 * Math.abs(ps[i]));
    }
    String what = "adamW step " + step.step();
    bench()
        .check(what + " parameter")
        .close(expected[0], actual[0], Tolerance.each(parameterError));
    bench().check(what + " moment1").close(expected[1], actual[1], Tolerance.each(momentError));
    bench().check(what + " moment2").close(expected[2], actual[2], Tolerance.each(secondError));
  }

  private static Tensor copy(Tensor tensor) {
    return Tensor.of(tensor.shape(), tensor.toArray());
  }

  /** Row kernels accept tensors without rows. */
  @Test
  default void rowKernelsAcceptNoRows() {
    Shape none = rows(0, 5);
    Tensor x = bench().in(none);
    Tensor table = bench().in(rows(3, 5));
    bench().compareBits("gatherRows", none, (b, out) -> b.gatherRows(table, new int[0], out));
    bench().compareBits("softmax", none, (b, out) -> b.softmax(x, out));
    bench().compareBits("activate", none, (b, out) -> b.activate(x, Activation.GELU_NEW, out));
    bench().compareBits("add", none, (b, out) -> b.add(x, x, out));
    bench().compareBits("addScaled", none, (b, out) -> b.addScaled(x, 2, x, out));
    bench()
        .compareAdded(
            "scatterAddRows",
            table,
            (b, sum) -> b.scatterAddRows(x, new int[0], sum),
            Tolerance.within(0, 0));
    bench()
        .compareBits(
            "gatherRows",
            Shape.of(Axis.BATCH, 2, Axis.POS, 0, Axis.D_MODEL, 5),
            (b, out) -> b.gatherRows(table, new int[0], out));
  }

  /** NaN and infinities come out where the formulas put them. */
  @Test
  default void rowKernelsPropagateNonFiniteValues() {
    float[] odd = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
    for (float value : odd) {
      for (int at : new int[] {0, 6, 16}) {
        float[] values = bench().cases.values(34, Values.ORDINARY);
        values[17 + at] = value;
        Tensor x = bench().in(Tensor.wrap(rows(2, 17), values));
        Tensor other = bench().in(rows(2, 17));
        bench()
            .compare(
                "softmax with " + value,
                x.shape(),
                (b, out) -> b.softmax(x, out),
                KernelBounds.softmax(x));
        bench().compareBits("add with " + value, x.shape(), (b, out) -> b.add(x, other, out));
        bench()
            .compareBits(
                "addScaled with " + value, x.shape(), (b, out) -> b.addScaled(other, 0.5, x, out));
        for (Activation activation : Activation.values()) {
          bench()
              .compare(
                  "activate " + activation + " with " + value,
                  x.shape(),
                  (b, out) -> b.activate(x, activation, out),
                  KernelBounds.activation(x));
        }
      }
    }
  }

  /** A NaN in the input of an activation makes its gradient NaN there and nowhere else. */
  @Test
  default void activationGradientsPropagateNan() {
    float[] values = bench().cases.values(17, Values.ORDINARY);
    values[9] = Float.NaN;
    Tensor x = bench().in(Tensor.wrap(rows(1, 17), values));
    Tensor dOut = bench().in(rows(1, 17));
    for (Activation activation : Activation.values()) {
      if (activation != Activation.IDENTITY) {
        bench()
            .compare(
                "activateBackward " + activation + " with NaN",
                x.shape(),
                (b, out) -> b.activateBackward(dOut, x, activation, out),
                KernelBounds.activationBackward(dOut, x, activation));
      }
    }
  }
}

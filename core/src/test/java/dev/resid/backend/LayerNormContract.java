package dev.resid.backend;

import static dev.resid.backend.ContractBench.abs;
import static dev.resid.backend.ContractBench.perRow;
import static dev.resid.backend.ContractBench.rows;
import static dev.resid.backend.ContractBench.vector;
import static dev.resid.testing.Tolerance.U;
import static dev.resid.testing.Tolerance.UNDERFLOW;

import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.Tolerance;
import org.junit.jupiter.api.Test;

/** Contract of the layer norm and its gradients. */
interface LayerNormContract {
  /** Returns the bench of the running test. */
  ContractBench bench();

  /** The scale is √(variance + epsilon), by two passes. */
  @Test
  default void layerNormScaleAgrees() {
    for (int width : RowContract.WIDTHS) {
      for (Values kind : Values.values()) {
        for (double epsilon : new double[] {1e-5, 0.25}) {
          Tensor x = bench().in(kind, rows(3, width));
          bench()
              .compare(
                  "layerNormScale of " + kind,
                  perRow(3),
                  (b, out) -> b.layerNormScale(x, epsilon, out),
                  KernelBounds.layerNormScale(x));
        }
      }
    }
  }

  /** A large common offset does not drown the variance, as squares minus a squared mean would. */
  @Test
  default void layerNormScaleSurvivesLargeMeans() {
    Tensor x = bench().in(bench().cases.tensor(rows(3, 64), Values.ORDINARY).map(v -> v + 3000));
    bench()
        .compare(
            "layerNormScale with mean 3000",
            perRow(3),
            (b, out) -> b.layerNormScale(x, 1e-5, out),
            KernelBounds.layerNormScale(x));
  }

  /** Centring, dividing, gamma and beta agree. */
  @Test
  default void layerNormApplyAgrees() {
    for (int width : RowContract.WIDTHS) {
      for (Values kind : Values.values()) {
        Tensor x = bench().in(kind, rows(3, width));
        Tensor scale =
            bench().in(bench().reference(perRow(3), (b, out) -> b.layerNormScale(x, 1e-5, out)));
        Tensor gamma = bench().in(vector(width));
        Tensor beta = bench().in(vector(width));
        bench()
            .compare(
                "layerNormApply of " + kind,
                x.shape(),
                (b, out) -> b.layerNormApply(x, scale, gamma, beta, out),
                KernelBounds.layerNormApply(x, scale, gamma, beta));
      }
    }
  }

  /** The gradient to the input with the scale held agrees. */
  @Test
  default void layerNormApplyBackwardInputAgrees() {
    for (int width : RowContract.WIDTHS) {
      for (Values kind : new Values[] {Values.ORDINARY, Values.CANCELLING, Values.MIXED}) {
        Tensor dOut = bench().in(kind, rows(3, width));
        Tensor scale = bench().positive(0.1, perRow(3));
        Tensor gamma = bench().in(vector(width));
        float[] d = dOut.toArray();
        float[] s = scale.toArray();
        float[] g = gamma.toArray();
        bench()
            .compare(
                "layerNormApplyBackwardInput of " + kind,
                dOut.shape(),
                (b, out) -> b.layerNormApplyBackwardInput(dOut, scale, gamma, out),
                (i, expected) -> {
                  // A mean of width products of relative error 2u each, and a difference.
                  int r = i / width;
                  double mean = 0;
                  for (int c = 0; c < width; c++) {
                    mean += Math.abs((double) d[r * width + c] * g[c] / s[r]) / width;
                  }
                  double own = Math.abs((double) d[i] * g[i % width] / s[r]);
                  return U * ((width + 5) * mean + 4 * own) + UNDERFLOW / s[r];
                });
      }
    }
  }

  /** The gradient to the scale agrees. */
  @Test
  default void layerNormApplyBackwardScaleAgrees() {
    for (int width : RowContract.WIDTHS) {
      Tensor dOut = bench().in(rows(3, width));
      Tensor x = bench().in(rows(3, width));
      Tensor scale = bench().positive(0.1, perRow(3));
      Tensor gamma = bench().in(vector(width));
      float[] d = dOut.toArray();
      float[] s = scale.toArray();
      float[] g = gamma.toArray();
      bench()
          .compare(
              "layerNormApplyBackwardScale",
              perRow(3),
              (b, out) -> b.layerNormApplyBackwardScale(dOut, x, scale, gamma, out),
              (r, expected) -> {
                // A sum of width products whose factor x − mean is off by (width+1)·u·mean|x|.
                double sum = 0;
                double mean = KernelBounds.meanMagnitude(x.toArray(), r, width);
                for (int c = 0; c < width; c++) {
                  double centred = Math.abs(x.get(r, c)) + mean;
                  sum += Math.abs((double) d[r * width + c] * g[c]) * centred / s[r] / s[r];
                }
                return (2 * width + 10) * U * sum + UNDERFLOW / s[r] / s[r];
              });
    }
  }

  /** The gradients to gamma and beta agree and are added. */
  @Test
  default void layerNormApplyBackwardParametersAddsGradients() {
    for (int width : RowContract.WIDTHS) {
      for (int R : new int[] {1, 5, 18}) {
        Tensor dOut = bench().in(rows(R, width));
        Tensor x = bench().in(rows(R, width));
        Tensor scale = bench().positive(0.1, perRow(R));
        Tensor gammaBefore = bench().in(vector(width));
        Tensor betaBefore = bench().in(vector(width));
        Tensor dGamma = Tensor.of(gammaBefore.shape(), gammaBefore.toArray());
        Tensor dBeta = Tensor.of(betaBefore.shape(), betaBefore.toArray());
        bench().reference.layerNormApplyBackwardParameters(dOut, x, scale, dGamma, dBeta);
        Tensor dGammaActual = bench().accumulator(gammaBefore);
        Tensor dBetaActual = bench().accumulator(betaBefore);
        bench().tested.layerNormApplyBackwardParameters(dOut, x, scale, dGammaActual, dBetaActual);
        float[] xs = x.toArray();
        Tolerance gammaBound =
            (c, expected) -> {
              double sum = Math.abs(gammaBefore.get(c));
              for (int r = 0; r < R; r++) {
                double mean = KernelBounds.meanMagnitude(xs, r, width);
                double centred = Math.abs(x.get(r, c)) + mean;
                sum += Math.abs(dOut.get(r, c)) * centred / scale.get(r, 0);
              }
              return (R + width + 6) * U * sum + UNDERFLOW;
            };
        Tolerance betaBound =
            (c, expected) -> {
              double sum = Math.abs(betaBefore.get(c));
              for (int r = 0; r < R; r++) {
                sum += Math.abs(dOut.get(r, c));
              }
              return (R + 2) * U * sum + UNDERFLOW;
            };
        bench().check("dGamma of " + R + " rows").close(dGamma, dGammaActual, gammaBound);
        bench().check("dBeta of " + R + " rows").close(dBeta, dBetaActual, betaBound);
      }
    }
  }

  /** The gradient through the scale agrees and is added. */
  @Test
  default void layerNormScaleBackwardAddsGradients() {
    for (int width : RowContract.WIDTHS) {
      Tensor dScale = bench().in(perRow(3));
      Tensor x = bench().in(rows(3, width));
      Tensor scale = bench().positive(0.1, perRow(3));
      Tensor before = bench().in(rows(3, width));
      bench()
          .compareAdded(
              "layerNormScaleBackward",
              before,
              (b, sum) -> b.layerNormScaleBackward(dScale, x, scale, sum),
              (i, expected) -> {
                int r = i / width;
                double mean = KernelBounds.meanMagnitude(x.toArray(), r, width);
                double centred = Math.abs(x.get(r, i % width)) + mean;
                double term = Math.abs(dScale.get(r, 0)) * centred / width / scale.get(r, 0);
                double own = Math.abs(before.get(r, i % width));
                return U * ((width + 8) * term + 2 * own) + UNDERFLOW;
              });
    }
  }

  /** Tensors without rows are accepted and add nothing. */
  @Test
  default void layerNormAcceptsNoRows() {
    Tensor x = bench().in(rows(0, 5));
    Tensor scale = bench().in(perRow(0));
    Tensor gamma = bench().in(vector(5));
    bench().compareBits("scale", perRow(0), (b, out) -> b.layerNormScale(x, 1e-5, out));
    bench()
        .compareBits(
            "apply", rows(0, 5), (b, out) -> b.layerNormApply(x, scale, gamma, gamma, out));
    bench()
        .compareAdded(
            "parameters",
            gamma,
            (b, sum) -> b.layerNormApplyBackwardParameters(x, x, scale, sum, b.allocate(vector(5))),
            Tolerance.within(0, 0));
  }

  /** One value that is not finite makes its row NaN and leaves the other rows alone. */
  @Test
  default void layerNormKeepsNonFiniteValuesInTheirRow() {
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      float[] values = bench().cases.values(51, Values.ORDINARY);
      values[17 + 16] = value;
      Tensor x = bench().in(Tensor.wrap(rows(3, 17), values));
      Tensor scale = bench().positive(0.5, perRow(3));
      Tensor gamma = bench().in(vector(17));
      Tensor beta = bench().in(vector(17));
      bench()
          .compare(
              "layerNormScale with " + value,
              perRow(3),
              (b, out) -> b.layerNormScale(x, 1e-5, out),
              KernelBounds.layerNormScale(x));
      bench()
          .compare(
              "layerNormApply with " + value,
              x.shape(),
              (b, out) -> b.layerNormApply(x, scale, gamma, beta, out),
              KernelBounds.layerNormApply(x, scale, gamma, beta));
      Tensor dOut = bench().in(rows(3, 17));
      bench()
          .compare(
              "layerNormApplyBackwardInput with " + value,
              x.shape(),
              (b, out) -> b.layerNormApplyBackwardInput(x, scale, abs(gamma), out),
              Tolerance.within(1e-4, 0));
      bench()
          .compare(
              "layerNormApplyBackwardScale with " + value,
              perRow(3),
              (b, out) -> b.layerNormApplyBackwardScale(dOut, x, scale, gamma, out),
              Tolerance.within(1e-3, 1e-3));
    }
  }
}

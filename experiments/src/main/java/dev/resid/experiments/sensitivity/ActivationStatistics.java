package dev.resid.experiments.sensitivity;

import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import java.util.List;

/**
 * What is known about the clean activations at the perturbed point.
 *
 * @param vectors activations, without those of position 0
 * @param meanNorm mean Euclidean norm, position 0 included
 * @param meanNormWithoutFirst mean Euclidean norm without position 0
 * @param meanDistance mean distance of two different activations of the pool
 * @param covarianceTrace trace of the covariance, divisor n − 1, without position 0
 */
record ActivationStatistics(
    long vectors,
    double meanNorm,
    double meanNormWithoutFirst,
    double meanDistance,
    double covarianceTrace) {
  /** Two machines may round differently in float32; more than this is another run. */
  private static final double TOLERANCE = 1e-5;

  /** Returns whether both describe the same activations, up to rounding in float32. */
  boolean agreesWith(ActivationStatistics other) {
    return vectors == other.vectors
        && close(meanNorm, other.meanNorm)
        && close(meanNormWithoutFirst, other.meanNormWithoutFirst)
        && close(meanDistance, other.meanDistance)
        && close(covarianceTrace, other.covarianceTrace);
  }

  private static boolean close(double a, double b) {
    return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
  }

  /** Returns a table of the numbers. */
  ResultTable table() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("quantity", Type.TEXT, "Which number."),
                new Column("value", Type.NUMBER, "The number, in the model's own units."),
                new Column("meaning", Type.TEXT, "What it is.")));
    table.add("vectors", (double) vectors, "activations, without those of position 0");
    table.add("mean_norm", meanNorm, "mean Euclidean norm, position 0 included");
    table.add("mean_norm_without_first", meanNormWithoutFirst, "the same without position 0");
    table.add("mean_distance", meanDistance, "mean distance of two activations of the pool");
    table.add("covariance_trace", covarianceTrace, "trace of the covariance without position 0");
    return table;
  }
}

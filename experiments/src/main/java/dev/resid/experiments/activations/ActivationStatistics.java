package dev.resid.experiments.activations;

import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What is known about the clean activations at the perturbed point.
 *
 * @param vectors activations, without those of position 0
 * @param meanNorm mean Euclidean norm, position 0 included
 * @param meanNormWithoutFirst mean Euclidean norm without position 0
 * @param meanDistance mean distance of two different activations of the pool
 * @param covarianceTrace trace of the covariance, divisor n − 1, without position 0
 * @param saes what the data say about each SAE
 */
public record ActivationStatistics(
    long vectors,
    double meanNorm,
    double meanNormWithoutFirst,
    double meanDistance,
    double covarianceTrace,
    List<SaeCensus> saes) {
  /** Two machines may round differently in float32; more than this is another run. */
  private static final double TOLERANCE = 1e-5;

  /** Copies the list. */
  public ActivationStatistics {
    saes = List.copyOf(saes);
  }

  /** Returns the census of an SAE by name. */
  public SaeCensus sae(String name) {
    return saes.stream().filter(sae -> sae.name().equals(name)).findFirst().orElseThrow();
  }

  /** Returns whether both describe the same activations, up to rounding in float32. */
  public boolean agreesWith(ActivationStatistics other) {
    return vectors == other.vectors
        && close(meanNorm, other.meanNorm)
        && close(meanNormWithoutFirst, other.meanNormWithoutFirst)
        && close(meanDistance, other.meanDistance)
        && close(covarianceTrace, other.covarianceTrace)
        && saes.size() == other.saes.size()
        && IntStream.range(0, saes.size()).allMatch(i -> saes.get(i).agreesWith(other.saes.get(i)));
  }

  private static boolean close(double a, double b) {
    return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
  }

  /** Returns a table of the numbers. */
  public ResultTable table() {
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
    for (SaeCensus sae : saes) {
      table.add("l0 " + sae.name(), sae.meanL0(), "mean number of active features at a position");
      table.add(
          "error " + sae.name(), sae.meanError(), "mean distance of x and its reconstruction");
      table.add(
          "alive " + sae.name(),
          (double) sae.alive().cardinality(),
          "features active anywhere, of " + sae.dSae());
    }
    return table;
  }
}

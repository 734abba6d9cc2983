package dev.resid.experiments.plateau;

import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFiles;
import dev.resid.experiments.result.RunFolder;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What is known about the clean activations at the last position of prompts.
 *
 * @param prompts how many
 * @param meanNorm mean Euclidean norm at the perturbed site
 * @param meanDistance mean distance of two different prompts there
 * @param readDistance mean distance of two different prompts at the last {@code resid_post}
 * @param covarianceTrace trace of the covariance at the perturbed site, divisor n − 1
 * @param meanFeatureNorm mean Euclidean norm of the values of an SAE's features there; 0 where a
 *     run does not need it
 */
record PromptStatistics(
    long prompts,
    double meanNorm,
    double meanDistance,
    double readDistance,
    double covarianceTrace,
    double meanFeatureNorm) {
  /** Two machines may round differently in float32; more than this is another run. */
  private static final double TOLERANCE = 1e-5;

  private static final int FORMAT = 2;

  /** Returns whether both describe the same activations, up to rounding in float32. */
  boolean agreesWith(PromptStatistics other) {
    return prompts == other.prompts
        && close(meanNorm, other.meanNorm)
        && close(meanDistance, other.meanDistance)
        && close(readDistance, other.readDistance)
        && close(covarianceTrace, other.covarianceTrace)
        && close(meanFeatureNorm, other.meanFeatureNorm);
  }

  private static boolean close(double a, double b) {
    return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
  }

  /**
   * Writes the numbers in a file.
   *
   * @throws IOException if it cannot be written; it is then as before
   */
  void write(Path file) throws IOException {
    RunFiles.writeNumbers(
        file,
        out -> {
          out.writeInt(FORMAT);
          out.writeLong(prompts);
          for (double value :
              new double[] {
                meanNorm, meanDistance, readDistance, covarianceTrace, meanFeatureNorm
              }) {
            out.writeDouble(value);
          }
        });
  }

  /**
   * Returns the numbers that {@link #write} wrote.
   *
   * @throws IOException if there is no such file, or it is of another version
   */
  static PromptStatistics read(Path file) throws IOException {
    return RunFiles.numbers(file, in -> read(file, in));
  }

  private static PromptStatistics read(Path file, DataInputStream in) throws IOException {
    int format = in.readInt();
    if (format != FORMAT) {
      throw new IOException(
          file + ": format " + format + ", expected " + FORMAT + "; it is of another version");
    }
    return new PromptStatistics(
        in.readLong(),
        in.readDouble(),
        in.readDouble(),
        in.readDouble(),
        in.readDouble(),
        in.readDouble());
  }

  /** Returns these with the mean norm of an SAE's features. */
  PromptStatistics withFeatureNorm(double norm) {
    return new PromptStatistics(
        prompts, meanNorm, meanDistance, readDistance, covarianceTrace, norm);
  }

  /**
   * Copies the numbers of the parts of a run, which must agree.
   *
   * @param parts folders of all parts; those without a prompt have none
   * @throws IllegalStateException if two parts found other activations
   * @throws IOException if something cannot be read or written
   */
  static void copy(List<Path> parts, RunFolder to) throws IOException {
    List<Path> walked =
        parts.stream()
            .filter(part -> Files.exists(RunFolder.work(part, PlateauStudy.STATISTICS)))
            .toList();
    if (walked.isEmpty()) {
      throw new IllegalStateException(
          "no part has "
              + RunFolder.work(parts.getFirst(), PlateauStudy.STATISTICS)
              + "; run a part again");
    }
    PromptStatistics first = of(walked.getFirst());
    for (Path part : walked) {
      PromptStatistics other = of(part);
      if (!first.agreesWith(other)) {
        throw new IllegalStateException(
            part
                + " found other activations than "
                + walked.getFirst()
                + " (mean distance "
                + other.meanDistance()
                + " and "
                + first.meanDistance()
                + "); were both finished by the same version?");
      }
    }
    first.write(to.work(PlateauStudy.STATISTICS));
  }

  /** Returns the numbers in the folder of a run. */
  static PromptStatistics of(Path folder) throws IOException {
    return read(RunFolder.work(folder, PlateauStudy.STATISTICS));
  }

  /** Returns a table of these numbers and of the scales that follow from them. */
  ResultTable table(Scale.Values scale) {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("quantity", Type.TEXT, "Which number."),
                new Column("value", Type.NUMBER, "The number, in the model's own units."),
                new Column("meaning", Type.TEXT, "What it is.")));
    table.add("prompts", (double) prompts, "prompts whose last position is in the statistics");
    table.add("mean_norm", meanNorm, "mean Euclidean norm at the perturbed site");
    table.add("mean_distance", meanDistance, "mean distance of two prompts at the perturbed site");
    table.add("read_distance", readDistance, "mean distance of two prompts at the last resid_post");
    table.add("covariance_trace", covarianceTrace, "trace of the covariance");
    if (meanFeatureNorm > 0) {
      table.add("mean_feature_norm", meanFeatureNorm, "mean Euclidean norm of the feature values");
    }
    table.add("step", scale.step(), "length of an absolute step");
    table.add("threshold", scale.threshold(), "L2 at which a plateau ends");
    table.add("least_slope", scale.leastSlope(), "smallest slope of L2 that counts as a step");
    table.add("feature_value", scale.featureValue(), "value of a single feature");
    table.add(
        "feature_margin",
        scale.featureMargin(),
        "allowed difference of a single feature's distance");
    return table;
  }
}

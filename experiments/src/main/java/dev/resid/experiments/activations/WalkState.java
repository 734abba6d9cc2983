package dev.resid.experiments.activations;

import dev.resid.experiments.direction.Covariance;
import dev.resid.experiments.result.RunFiles;
import dev.resid.experiments.sweep.Moments;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a walk over the data knows so far, as it stands in its file.
 *
 * @param rowsDone rows that are in the numbers
 * @param norms Euclidean norms, position 0 included
 * @param normsWithoutFirst Euclidean norms without position 0
 * @param distances of pairs of the pool; none before the walk is complete
 * @param covariance without position 0
 * @param firstSum sum over rows of the activations of position 0, [d_model]
 * @param censuses one for each SAE
 * @param poolParts what the file of the pool holds
 */
record WalkState(
    int rowsDone,
    Moments norms,
    Moments normsWithoutFirst,
    Moments distances,
    Covariance covariance,
    double[] firstSum,
    List<SaeCensus> censuses,
    List<PoolPart> poolParts) {
  private static final int FORMAT = 4;

  /** Returns the numbers for the report. */
  ActivationStatistics statistics() {
    return new ActivationStatistics(
        covariance.count(),
        norms.mean(),
        normsWithoutFirst.mean(),
        distances.mean(),
        covariance.trace(),
        censuses);
  }

  /** Writes the file, all of it or nothing. */
  void write(Path path) throws IOException {
    RunFiles.writeNumbers(
        path,
        out -> {
          out.writeInt(FORMAT);
          out.writeInt(rowsDone);
          for (Moments moments : new Moments[] {norms, normsWithoutFirst, distances}) {
            out.writeLong(moments.count());
            out.writeDouble(moments.mean());
            out.writeDouble(moments.sumOfSquares());
          }
          covariance.write(out);
          for (double value : firstSum) {
            out.writeDouble(value);
          }
          out.writeInt(censuses.size());
          for (SaeCensus census : censuses) {
            census.write(out);
          }
          out.writeInt(poolParts.size());
          for (PoolPart part : poolParts) {
            out.writeLong(part.bytes());
            out.writeInt(part.crc());
          }
        });
  }

  /**
   * Returns what stands in a file.
   *
   * @throws IOException if it is missing, damaged or of another version
   */
  static WalkState read(Path path) throws IOException {
    return RunFiles.numbers(path, in -> read(path, in));
  }

  private static WalkState read(Path path, DataInputStream in) throws IOException {
    int format = in.readInt();
    if (format != FORMAT) {
      throw new IOException(
          path + ": format " + format + ", expected " + FORMAT + "; it is of another version");
    }
    int rowsDone = in.readInt();
    Moments norms = moments(in);
    Moments normsWithoutFirst = moments(in);
    Moments distances = moments(in);
    Covariance covariance = Covariance.read(in);
    double[] firstSum = new double[covariance.dimension()];
    for (int c = 0; c < firstSum.length; c++) {
      firstSum[c] = in.readDouble();
    }
    List<SaeCensus> censuses = new ArrayList<>();
    for (int remaining = in.readInt(); remaining > 0; remaining--) {
      censuses.add(SaeCensus.read(in));
    }
    List<PoolPart> poolParts = new ArrayList<>();
    for (int remaining = in.readInt(); remaining > 0; remaining--) {
      poolParts.add(new PoolPart(in.readLong(), in.readInt()));
    }
    return new WalkState(
        rowsDone, norms, normsWithoutFirst, distances, covariance, firstSum, censuses, poolParts);
  }

  private static Moments moments(DataInputStream in) throws IOException {
    return new Moments(in.readLong(), in.readDouble(), in.readDouble());
  }
}

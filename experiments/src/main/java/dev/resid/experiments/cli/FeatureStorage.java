package dev.resid.experiments.cli;

import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Active features read as the dense matrix they stand for, which is never in memory at once. */
final class FeatureStorage implements Storage {
  private final List<SparseFeatures> parts;
  private final int width;
  private final long size;

  private FeatureStorage(List<SparseFeatures> parts, int width, int rows) {
    this.parts = List.copyOf(parts);
    this.width = width;
    this.size = (long) rows * width;
  }

  /**
   * Returns the rows of all parts, [row, d_sae].
   *
   * @param parts features of one d_sae
   * @param width d_sae
   */
  static Tensor rows(List<SparseFeatures> parts, int width) {
    int rows = parts.stream().mapToInt(SparseFeatures::rows).sum();
    return Tensor.on(
        Shape.of(Axis.ROW, rows, Axis.D_SAE, width), new FeatureStorage(parts, width, rows));
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long offset, float[] target, int targetOffset, int length) {
    Objects.checkFromIndexSize(offset, length, size);
    Arrays.fill(target, targetOffset, targetOffset + length, 0);
    int first = 0; // row of the whole at which the part begins
    for (SparseFeatures part : parts) {
      long from = Math.max(offset / width, first) - first;
      for (int r = (int) Math.min(from, part.rows()); r < part.rows(); r++) {
        long row = (long) (first + r) * width;
        if (row >= offset + length) {
          return;
        }
        for (int at = part.start(r); at < part.end(r); at++) {
          long place = row + part.indices()[at] - offset;
          if (place >= 0 && place < length) {
            target[targetOffset + (int) place] = part.values()[at];
          }
        }
      }
      first += part.rows();
    }
  }
}

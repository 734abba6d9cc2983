package dev.resid.sae;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Dim;
import dev.resid.tensor.Shape;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The active features of every row, in compressed rows: the pairs of row r stand from {@code
 * starts[r]} to {@code starts[r + 1]}, in ascending order of feature. Active means not 0.
 *
 * <p>Immutable by agreement: the arrays are not copied, so that millions of pairs cost nothing to
 * pass on; whoever has one does not write to it.
 */
public final class SparseFeatures {
  private final Shape leading;
  private final int dSae;
  private final long[] starts;
  private final int[] indices;
  private final float[] values;

  /**
   * Creates features from compressed rows; the arrays are kept, not copied.
   *
   * @param leading the axes of the activation without its last one (or two, for heads), for example
   *     [batch, pos]; its number of elements is the number of rows
   * @param dSae number of features a row could have
   * @param starts where each row's pairs start, [rows + 1]
   * @param indices features, ascending within a row; at least {@code starts[rows]} entries
   * @param values their values, not 0
   * @throws IllegalArgumentException if the lengths do not fit
   */
  public SparseFeatures(Shape leading, int dSae, long[] starts, int[] indices, float[] values) {
    if (starts.length != leading.elements() + 1
        || starts[0] != 0
        || starts[starts.length - 1] > Math.min(indices.length, values.length)) {
      throw new IllegalArgumentException(
          "compressed rows of "
              + leading
              + " need "
              + (leading.elements() + 1)
              + " starts from 0 to at most "
              + Math.min(indices.length, values.length)
              + ", got "
              + starts.length
              + " starts");
    }
    this.leading = leading;
    this.dSae = dSae;
    this.starts = starts;
    this.indices = indices;
    this.values = values;
  }

  private SparseFeatures(Shape leading, SparseRows rows) {
    this.leading = leading;
    dSae = rows.columns();
    starts = rows.starts();
    indices = rows.indices();
    values = rows.values();
  }

  /** Returns the features of rows in which only active ones are kept. */
  static SparseFeatures of(Shape leading, SparseRows active) {
    return new SparseFeatures(leading, active);
  }

  /** Returns a value for what is kept of a row. */
  @FunctionalInterface
  interface ValueOf {
    float apply(float kept, int feature);
  }

  /** Returns the features of rows, of which only values above 0, or NaN, are active. */
  static SparseFeatures active(Shape leading, SparseRows rows, ValueOf valueOf) {
    long[] starts = new long[rows.rows() + 1];
    int[] indices = new int[rows.count()];
    float[] values = new float[rows.count()];
    int n = 0;
    for (int r = 0; r < rows.rows(); r++) {
      for (int at = rows.start(r); at < rows.end(r); at++) {
        int feature = rows.indices()[at];
        float value = valueOf.apply(rows.values()[at], feature);
        if (!(value <= 0)) {
          indices[n] = feature;
          values[n++] = value;
        }
      }
      starts[r + 1] = n;
    }
    return new SparseFeatures(leading, new SparseRows(rows.columns(), starts, indices, values));
  }

  /** Returns the rows without the names of their axes; on the same arrays. */
  public SparseRows sparseRows() {
    return new SparseRows(dSae, starts, indices, values);
  }

  /**
   * Returns the active entries of a dense tensor.
   *
   * @param dense features [..., d_sae]
   */
  public static SparseFeatures of(Tensor dense) {
    int dSae = dense.shape().last();
    float[] all = dense.toArray();
    List<Dim> dims = dense.shape().dims();
    Shape leading = new Shape(dims.subList(0, dims.size() - 1));
    int rows = Math.toIntExact(leading.elements());
    long[] starts = new long[rows + 1];
    int n = 0;
    for (float value : all) {
      n += value != 0 ? 1 : 0;
    }
    int[] indices = new int[n];
    float[] values = new float[n];
    n = 0;
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < dSae; i++) {
        float value = all[r * dSae + i];
        if (value != 0) {
          indices[n] = i;
          values[n++] = value;
        }
      }
      starts[r + 1] = n;
    }
    return new SparseFeatures(leading, dSae, starts, indices, values);
  }

  /** Returns the axes of the rows, for example [batch, pos]. */
  public Shape leading() {
    return leading;
  }

  /** Returns the number of rows. */
  public int rows() {
    return starts.length - 1;
  }

  /** Returns the number of features a row could have. */
  public int dSae() {
    return dSae;
  }

  /** Returns the number of active features of all rows together. */
  public long count() {
    return starts[starts.length - 1];
  }

  /** Returns the number of active features of a row: its L0. */
  public int count(int row) {
    return (int) (starts[row + 1] - starts[row]);
  }

  /** Returns where a row's pairs start in {@link #indices} and {@link #values}. */
  public int start(int row) {
    return (int) starts[row];
  }

  /** Returns where a row's pairs end, exclusive. */
  public int end(int row) {
    return (int) starts[row + 1];
  }

  /**
   * Returns the features of all rows; row r from {@code start(r)} to {@code end(r)}. Not a copy.
   */
  public int[] indices() {
    return indices;
  }

  /** Returns the values of all rows; row r from {@code start(r)} to {@code end(r)}. Not a copy. */
  public float[] values() {
    return values;
  }

  /** Returns the value of a feature in a row; 0 if it is not active there. */
  public float get(int row, int feature) {
    int at = Arrays.binarySearch(indices, start(row), end(row), feature);
    return at < 0 ? 0 : values[at];
  }

  /**
   * A feature that is active in a row.
   *
   * @param feature from 0 to d_sae − 1
   * @param value not 0
   */
  public record Active(int feature, float value) {}

  /**
   * Returns the active features of a row with the largest values, the largest first, the lowest
   * number first among equals.
   *
   * @param row of the leading axes flattened: of [batch, pos], b·positions + p
   * @param k at most so many
   * @throws IndexOutOfBoundsException if there is no such row
   */
  public List<Active> largest(int row, int k) {
    if (row < 0 || row >= rows()) {
      throw new IndexOutOfBoundsException(
          "there is no row " + row + " in the features of " + leading);
    }
    return IntStream.range(start(row), end(row))
        .mapToObj(at -> new Active(indices[at], values[at]))
        .sorted(Comparator.comparing(Active::value).reversed()) // stable: features ascend
        .limit(k)
        .toList();
  }

  /** Returns all features as a dense tensor, [..., d_sae]. */
  public Tensor toDense() {
    List<Dim> dims = new ArrayList<>(leading.dims());
    dims.add(new Dim(Axis.D_SAE, dSae));
    Shape shape = new Shape(dims);
    float[] dense = new float[Math.toIntExact(shape.elements())];
    for (int r = 0; r < rows(); r++) {
      for (int at = start(r); at < end(r); at++) {
        dense[r * dSae + indices[at]] = values[at];
      }
    }
    return Tensor.wrap(shape, dense);
  }
}

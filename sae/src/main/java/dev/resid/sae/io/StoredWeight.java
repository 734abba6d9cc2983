package dev.resid.sae.io;

import dev.resid.io.TensorFile;
import dev.resid.io.TensorInfo;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * Where a parameter lies in a file.
 *
 * @param weight which parameter
 * @param file the open file
 * @param key its name there
 * @param layout how it lies there
 */
record StoredWeight(SaeWeight weight, TensorFile file, String key, Layout layout) {
  private static final int SQUARE = 32;

  /** How a matrix lies in a file. */
  enum Layout {
    /** As {@link SaeWeight#shape} says. */
    AS_IS,
    /** With its two axes exchanged, as PyTorch's linear layers have it. */
    TRANSPOSED
  }

  /** Adds a row to a table of where parameters lie. */
  static void put(
      Map<SaeWeight, StoredWeight> table,
      TensorFile file,
      SaeWeight weight,
      String key,
      Layout layout) {
    table.put(weight, new StoredWeight(weight, file, key, layout));
  }

  /** Returns the entry in the file. */
  TensorInfo info() throws IOException {
    return file.entry(key);
  }

  /**
   * Returns the sizes a matrix has here, in our order.
   *
   * @throws IOException if it is no matrix or a size is no width
   */
  int[] matrixSizes() throws IOException {
    List<Long> sizes = info().shape();
    if (sizes.size() != 2
        || sizes.stream().anyMatch(size -> size < 1 || size > Integer.MAX_VALUE)) {
      throw fail("has shape " + sizes + ", expected a matrix. Fetch the file again");
    }
    int first = Math.toIntExact(sizes.get(0));
    int second = Math.toIntExact(sizes.get(1));
    return layout == Layout.AS_IS ? new int[] {first, second} : new int[] {second, first};
  }

  /**
   * Refuses another shape or dtype than expected, without reading values.
   *
   * @param dIn width of the input
   * @param dSae number of features
   * @param dOut width of the output
   */
  void check(int dIn, int dSae, int dOut) throws IOException {
    Shape expected = inFile(weight.shape(dIn, dSae, dOut));
    if (!info().fits(expected)) {
      throw fail(
          "has shape "
              + info().shape()
              + ", expected "
              + expected
              + "; the files do not belong together. Fetch them again");
    }
    if (!info().dtype().isFloat()) {
      throw fail(
          "is stored as " + info().dtype() + ", supported are F16, BF16, F32 and F64. Convert it");
    }
  }

  /** Returns the values, in the shape {@link SaeWeight#shape} says. */
  Tensor read(int dIn, int dSae, int dOut) throws IOException {
    Shape shape = weight.shape(dIn, dSae, dOut);
    Tensor stored = file.tensor(key, inFile(shape));
    float[] values = stored.toArray();
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw fail(
            "holds " + values[i] + " at element " + i + "; the SAE is damaged. Fetch it again");
      }
    }
    return layout == Layout.AS_IS ? stored : Tensor.wrap(shape, transposed(values, shape));
  }

  SaeCheckpointException fail(String what) {
    return new SaeCheckpointException(file.file() + ": tensor " + SaeJson.shown(key) + " " + what);
  }

  private Shape inFile(Shape shape) {
    return layout == Layout.AS_IS
        ? shape
        : new Shape(List.of(shape.dims().get(1), shape.dims().get(0)));
  }

  private static float[] transposed(float[] values, Shape shape) {
    int[] sizes = shape.sizes();
    int rows = sizes[0];
    int columns = sizes[1];
    float[] out = new float[values.length];
    // Square by square, so that lines of both matrices stay in the cache until they are used up.
    for (int fromC = 0; fromC < columns; fromC += SQUARE) {
      int toC = Math.min(columns, fromC + SQUARE);
      for (int fromR = 0; fromR < rows; fromR += SQUARE) {
        int toR = Math.min(rows, fromR + SQUARE);
        for (int c = fromC; c < toC; c++) {
          for (int r = fromR; r < toR; r++) {
            out[r * columns + c] = values[c * rows + r];
          }
        }
      }
    }
    return out;
  }
}

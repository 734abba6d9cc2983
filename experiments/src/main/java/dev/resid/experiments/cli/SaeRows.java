package dev.resid.experiments.cli;

import dev.resid.io.Npy;
import dev.resid.io.TensorFile;
import dev.resid.io.TensorInfo;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;

/** A matrix in a file, as the commands on SAEs take it. */
final class SaeRows {
  /** Rows that are computed together; their number does not change a result. */
  static final int AT_A_TIME = 256;

  private SaeRows() {}

  /** Returns the name of a tensor in a file; that of the only one, where files hold one unnamed. */
  static String nameIn(TensorFile file, String name) {
    return file instanceof Npy ? file.names().getFirst() : name;
  }

  /**
   * Reads a matrix of rows.
   *
   * @param file where it lies
   * @param name its name there
   * @param axis name of its columns
   * @param width how many columns the SAE needs
   * @return [row, axis]
   * @throws IOException if it is missing, of another shape, or holds a value that is not finite
   */
  static Tensor read(Path file, String name, Axis axis, int width) throws IOException {
    try (TensorFile tensors = TensorFile.open(file)) {
      TensorInfo info = tensors.entry(nameIn(tensors, name));
      if (info.shape().size() != 2 || info.shape().get(1) != width) {
        throw new IOException(
            file
                + ": tensor "
                + name
                + " has shape "
                + info.shape()
                + ", the SAE needs [rows, "
                + width
                + "].");
      }
      if (info.elements() > Integer.MAX_VALUE - 8) {
        throw new IOException(
            file
                + ": tensor "
                + name
                + " has "
                + info.elements()
                + " values, more than can be held at once; split it into files of fewer rows.");
      }
      int rows = Math.toIntExact(info.shape().get(0));
      Tensor matrix = tensors.tensor(info.name(), Shape.of(Axis.ROW, rows, axis, width));
      float[] values = matrix.toArray();
      for (int i = 0; i < values.length; i++) {
        if (!Float.isFinite(values[i])) {
          throw new IOException(
              file
                  + ": tensor "
                  + name
                  + " holds "
                  + values[i]
                  + " in row "
                  + i / width
                  + ", column "
                  + i % width
                  + "; only finite numbers can be used.");
        }
      }
      return matrix;
    }
  }
}

package dev.resid.experiments.cli;

import dev.resid.io.NpyWriter;
import dev.resid.io.NpzWriter;
import dev.resid.io.SafetensorsWriter;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Tensors on their way into a file whose name says its format: {@code .npz} and {@code .npy} are
 * numpy's, everything else is safetensors. Only the last keeps metadata.
 */
final class TensorOutput {
  private final SafetensorsWriter safetensors = new SafetensorsWriter();
  private final NpzWriter npz = new NpzWriter();
  private final List<Single> singles = new ArrayList<>();

  /** Writes one tensor as a file of its own. */
  @FunctionalInterface
  private interface Single {
    void write(Path file) throws IOException;
  }

  /** Starts with no tensors. */
  TensorOutput() {}

  private static boolean isForOne(Path file) {
    return hasEnding(file, ".npy");
  }

  /** Adds a string that says where the tensors come from. */
  TensorOutput metadata(String key, String value) {
    safetensors.metadata(key, value);
    return this;
  }

  /** Adds a tensor as float32. */
  TensorOutput add(String name, Tensor tensor) {
    safetensors.add(name, tensor);
    npz.add(name, tensor);
    singles.add(file -> NpyWriter.write(file, tensor));
    return this;
  }

  /** Adds values as float64; they must not change until they are written. */
  TensorOutput add(String name, Shape shape, double[] values) {
    safetensors.add(name, shape, values);
    npz.add(name, shape, values);
    singles.add(file -> NpyWriter.write(file, shape, values));
    return this;
  }

  /**
   * Writes the file.
   *
   * @throws IOException if it cannot be written; it is then as before
   */
  void write(Path file) throws IOException {
    if (isForOne(file)) {
      requireOne(file, singles.size());
      singles.getFirst().write(file);
    } else if (hasEnding(file, ".npz")) {
      npz.write(file);
    } else {
      safetensors.write(file);
    }
  }

  /**
   * Refuses a file that has no place for so many tensors.
   *
   * @throws IOException if it is an npy file and there are several
   */
  static void requireOne(Path file, int tensors) throws IOException {
    if (isForOne(file) && tensors != 1) {
      throw new IOException(
          file
              + ": an npy file holds one array, but there are "
              + tensors
              + " to write; name a file that ends in .npz or .safetensors.");
    }
  }

  private static boolean hasEnding(Path file, String ending) {
    return file.toString().toLowerCase(Locale.ROOT).endsWith(ending);
  }
}

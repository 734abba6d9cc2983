package dev.resid.experiments.cli;

import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The required option {@code --out} of commands that write one file. */
final class OutputMixin {
  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description =
          "File to write; replaced if it exists. One that ends in .npz, or in .npy for a single"
              + " tensor, is numpy's; every other is safetensors.")
  private Path file;

  /** Called by picocli. */
  OutputMixin() {}

  /**
   * Refuses a file that cannot be written. For the start of a command, so that nothing is computed
   * in vain.
   *
   * @throws IOException if the file cannot be written
   */
  void require() throws IOException {
    OutputPaths.requireFile(file);
  }

  /**
   * Refuses a file that has no place for so many tensors; as {@link #require}, for the start.
   *
   * @throws IOException if the file can hold one only
   */
  void requireRoomFor(int tensors) throws IOException {
    TensorOutput.requireOne(file, tensors);
  }

  /**
   * Writes the file.
   *
   * @throws IOException if it cannot be written; it is then as before
   */
  void write(TensorOutput tensors) throws IOException {
    tensors.write(file);
  }
}

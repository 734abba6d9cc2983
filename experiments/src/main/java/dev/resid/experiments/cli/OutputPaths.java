package dev.resid.experiments.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds out before a computation whether its result could be written where it is to go. A disk may
 * still fill up meanwhile; writing reports that.
 */
final class OutputPaths {
  private OutputPaths() {}

  /**
   * Refuses a file that cannot be created or replaced.
   *
   * @throws IOException if it is a folder, or its folder is missing or cannot be written to
   */
  static void requireFile(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a folder; name a file in it.");
    }
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      return; // a pipe or a device
    }
    Path real = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
    Path folder = real.getParent();
    if (folder != null && Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new IOException(
          "cannot write " + file + ": " + folder + " is a file; name a file in a folder.");
    }
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException(
          "cannot write "
              + file
              + ": there is no folder "
              + file.toAbsolutePath().getParent()
              + "; create it first.");
    }
    requireWritable(folder);
  }

  /**
   * Refuses a folder that cannot be created or written to.
   *
   * @throws IOException if it or a folder above it is a file or cannot be written to
   */
  static void requireFolder(Path folder) throws IOException {
    for (Path at = folder.toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.isDirectory(at)) {
        requireWritable(at);
        return;
      }
      if (Files.exists(at)) {
        throw new IOException(at + " is a file; name a folder.");
      }
    }
  }

  private static void requireWritable(Path folder) throws AccessDeniedException {
    if (!Files.isWritable(folder)) {
      throw new AccessDeniedException(folder.toString());
    }
  }
}

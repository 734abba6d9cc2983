package dev.resid.experiments.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What is in a folder, to see that a command which failed has left nothing behind. */
final class FolderListing {
  private FolderListing() {}

  /** Returns the size and the time of change of every file below a folder, hidden ones included. */
  static Map<String, String> of(Path folder) {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> below = Files.walk(folder)) {
      below.forEach(path -> files.put(folder.relativize(path).toString(), state(path)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files;
  }

  /** Removes a folder, and of links the link only. */
  static void delete(Path folder) throws IOException {
    try (Stream<Path> below = Files.walk(folder)) {
      for (Path path : below.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static String state(Path path) {
    try {
      return Files.isDirectory(path)
          ? "folder"
          : Files.size(path) + " bytes, " + Files.getLastModifiedTime(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

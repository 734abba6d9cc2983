package dev.resid.model;

import dev.resid.io.FileHash;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/** Where a model came from: a name for records and the files that identify its weights. */
sealed interface ModelSource {
  /** Returns a directory, {@code embedded} or {@code memory}. */
  String name();

  /** Returns the SHA-256 of the weight files, hexadecimal, or the empty string. */
  String sha256();

  /** A checkpoint directory; hashed when asked for. */
  record Directory(String name, List<Path> files) implements ModelSource {
    @Override
    public String sha256() {
      try {
        StringBuilder all = new StringBuilder();
        for (Path file : files) {
          all.append(all.isEmpty() ? "" : "+").append(FileHash.sha256(file));
        }
        return all.toString();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Known content. */
  record Fixed(String name, String sha256) implements ModelSource {}
}

package dev.resid.experiments.cli;

import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.io.Stated;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * An SAE as a command line names it: a folder, a file, or {@code embedded:NAME}.
 *
 * @param text what was given
 */
record SaeSource(String text) {
  /** What the argument is called and explained as, wherever it occurs. */
  static final String LABEL = "SAE";

  static final String DESCRIPTION =
      "Folder or file of an SAE, or embedded:NAME for one that ships with Resid ('resid sae list"
          + " --embedded' names them).";

  private static final String EMBEDDED = "embedded:";

  /** Returns what people call it, without the path to it. */
  String name() {
    if (text.startsWith(EMBEDDED)) {
      return text.substring(EMBEDDED.length());
    }
    Path name = path().toAbsolutePath().normalize().getFileName();
    return name == null ? text : name.toString();
  }

  /**
   * Opens its files without loading weights; the caller closes the result.
   *
   * @param stated what the command line states about it
   * @throws IOException if it cannot be read, or its files state something else
   */
  SaeCheckpoint open(Stated stated) throws IOException {
    if (!text.startsWith(EMBEDDED)) {
      return SaeCheckpoint.open(path(), stated);
    }
    return EmbeddedSaes.ofLibrary().open(name(), stated);
  }

  private Path path() {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("\"" + text + "\" is no path: " + e.getReason() + ".", e);
    }
  }
}

package dev.resid.experiments.cli;

import dev.resid.hub.HubCache;
import dev.resid.hub.HubException;
import dev.resid.hub.HubName;
import dev.resid.hub.HubSnapshot;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.io.Stated;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An SAE as a command line names it: a folder, a file, {@code embedded:NAME}, or the name of a
 * published one that is in the cache of Hugging Face. A folder or file of the name wins.
 *
 * @param text what was given
 */
record SaeSource(String text) {
  /** What the argument is called and explained as, wherever it occurs. */
  static final String LABEL = "SAE";

  static final String DESCRIPTION =
      "Folder or file of an SAE, embedded:NAME for one that ships with Resid ('resid sae list"
          + " --embedded' names them), or RELEASE/ID for a published one that 'resid download"
          + " --sae' fetched.";

  private static final String EMBEDDED = "embedded:";

  /** Returns what people call it, without the path to it. */
  String name() {
    if (text.startsWith(EMBEDDED)) {
      return text.substring(EMBEDDED.length());
    }
    Path name = path().toAbsolutePath().normalize().getFileName();
    return name == null ? text : name.toString();
  }

  /** Returns the SAE that ships with Resid under this name, if no file is called so; else this. */
  SaeSource orEmbedded() throws IOException {
    boolean ships =
        !text.startsWith(EMBEDDED)
            && Files.notExists(path())
            && EmbeddedSaes.ofLibrary().names().contains(text);
    return ships ? new SaeSource(EMBEDDED + text) : this;
  }

  /**
   * Opens its files without loading weights; the caller closes the result.
   *
   * @param stated what the command line states about it
   * @throws IOException if it cannot be read, or its files state something else
   */
  SaeCheckpoint open(Stated stated) throws IOException {
    if (!orEmbedded().equals(this)) {
      throw new IOException(
          text
              + ": there is no such file or folder; the SAE of this name that ships with Resid is "
              + EMBEDDED
              + text
              + ".");
    }
    if (!text.startsWith(EMBEDDED)) {
      return SaeCheckpoint.open(localOrCached(), stated);
    }
    return EmbeddedSaes.ofLibrary().open(name(), stated);
  }

  /**
   * Returns the folder or file, in the cache of Hugging Face where it is the name of a published
   * SAE.
   *
   * @throws HubException if it is such a name and not in the cache
   * @throws IOException if the cache cannot be read
   */
  Path localOrCached() throws IOException {
    Optional<SaeCatalogue.Entry> entry =
        Files.exists(path()) ? Optional.empty() : SaeCatalogue.load().named(text);
    if (entry.isEmpty()) {
      return path();
    }
    HubCache cache = HubCache.fromEnvironment();
    Optional<HubSnapshot> found =
        cache.find(HubName.parse(entry.get().repository()), entry.get().hubFiles());
    if (found.isEmpty()) {
      throw new HubException(
          text
              + ": is not, or not all of it, in the Hugging Face cache "
              + cache.settings().cache()
              + "; 'resid download --sae "
              + text
              + "' fetches it.");
    }
    return entry.get().in(found.get());
  }

  private Path path() {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("\"" + text + "\" is no path: " + e.getReason() + ".", e);
    }
  }
}

package dev.resid.experiments.cli;

import dev.resid.hub.HubCache;
import dev.resid.hub.HubException;
import dev.resid.hub.HubFiles;
import dev.resid.hub.HubName;
import dev.resid.hub.HubSnapshot;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Finds what a command line means by the name of a folder. A file or folder of this name on this
 * machine wins, as in Python's tools; else it is a repository in the cache of Hugging Face.
 */
final class HubFolder {
  private HubFolder() {}

  /**
   * Returns the folder; what was given, if it cannot be the name of a repository.
   *
   * @param given what the command line says
   * @param files what the repository must have, to be taken for fetched
   * @throws HubException if it could be a repository, but is not in the cache
   * @throws IOException if the cache cannot be read
   */
  static Path of(Path given, HubFiles files) throws IOException {
    String name = given.toString().replace(File.separatorChar, '/');
    if (Files.exists(given) || !HubName.isName(name)) {
      return given;
    }
    HubCache cache = HubCache.fromEnvironment();
    Optional<HubSnapshot> found = cache.find(HubName.parse(name), files);
    if (found.isEmpty()) {
      throw new HubException(
          name
              + ": there is no such folder, and no such model, or not all of it, in the Hugging"
              + " Face cache "
              + cache.settings().cache()
              + "; 'resid download "
              + name
              + "' fetches it from the hub.");
    }
    return found.get().folder();
  }

  /**
   * Returns the folder of a tokenizer.
   *
   * @param given what the command line says
   * @throws IOException as {@link #of}
   */
  static Path ofTokenizer(Path given) throws IOException {
    HubFiles files =
        HubFiles.of()
            .firstOf(
                List.of("tokenizer.json", "vocab.json"),
                file -> file.endsWith("vocab.json") ? List.of("merges.txt") : List.of());
    return of(given, files);
  }
}

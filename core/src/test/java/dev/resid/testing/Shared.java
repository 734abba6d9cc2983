package dev.resid.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * The folder of other implementations' values and test data that lies beside the project on the
 * continuous-integration machine. A user has only the project, so tests that read it skip, and say
 * so, where it is missing; each such class is listed in {@code docs/skips.md}.
 */
public final class Shared {
  private Shared() {}

  /**
   * Returns a file or folder of the shared folder.
   *
   * @param relative path inside it, for example {@code goldens/hf}
   * @throws org.opentest4j.TestAbortedException if the folder is missing; the test is then skipped
   * @throws IllegalStateException if the folder is there but the path in it is not
   */
  public static Path require(String relative) {
    Path root = root();
    Assumptions.assumeTrue(
        root != null, "skipped: no ../shared beside the project, so no " + relative);
    Path path = root.resolve(relative);
    if (!Files.exists(path)) {
      throw new IllegalStateException("../shared exists but has no " + relative);
    }
    return path;
  }

  private static Path root() {
    for (Path dir = Path.of("").toAbsolutePath(); dir != null; dir = dir.getParent()) {
      Path candidate = dir.resolveSibling("shared");
      if (Files.isRegularFile(dir.resolve("pom.xml"))
          && Files.isDirectory(candidate.resolve("goldens"))) {
        return candidate;
      }
    }
    return null;
  }
}

package dev.resid.sae.io;

import dev.resid.sae.Sae;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * The SAEs that ship with the library, trained on the model that does. Each is a SAELens folder of
 * the class path under {@code dev/resid/sae/embedded/}, where {@code index.txt} names them, one a
 * line.
 */
public final class EmbeddedSaes {
  private static final String INDEX = "index.txt";

  private final ClassLoader loader;
  private final String prefix;

  /**
   * Looks for SAEs under another path; for tests.
   *
   * @param loader finds them
   * @param prefix the path of index.txt, with a slash at the end
   */
  EmbeddedSaes(ClassLoader loader, String prefix) {
    this.loader = loader;
    this.prefix = prefix;
  }

  /** Returns those of this library. */
  public static EmbeddedSaes ofLibrary() {
    return new EmbeddedSaes(EmbeddedSaes.class.getClassLoader(), "dev/resid/sae/embedded/");
  }

  /**
   * Returns the names of all embedded SAEs, in the order of the index; empty if none ship.
   *
   * @throws IOException if the index cannot be read
   */
  public List<String> names() throws IOException {
    try (InputStream in = loader.getResourceAsStream(prefix + INDEX)) {
      if (in == null) {
        return List.of();
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(String::strip)
          .filter(line -> !line.isEmpty() && !line.startsWith("#"))
          .toList();
    }
  }

  /**
   * Returns an embedded SAE, open.
   *
   * @param name one of {@link #names}
   * @throws SaeCheckpointException if there is none of that name
   * @throws IOException if it cannot be read
   */
  public SaeCheckpoint open(String name) throws IOException {
    return open(name, Stated.nothing());
  }

  /**
   * Returns an embedded SAE, open, after comparing what its files state with what the caller does.
   *
   * @param name one of {@link #names}
   * @param stated what the caller knows
   * @throws SaeCheckpointException if there is none of that name, or it states something else
   * @throws IOException if it cannot be read
   */
  public SaeCheckpoint open(String name, Stated stated) throws IOException {
    List<String> names = names();
    if (!names.contains(name)) {
      throw new SaeCheckpointException(
          "no SAE called "
              + SaeJson.shown(name)
              + " ships with Resid; "
              + (names.isEmpty() ? "none does" : "there are " + String.join(", ", names)));
    }
    return SaeCheckpoint.open(
        new SaeFolder.Resource(loader, prefix + name + "/", Path.of("embedded", name)), stated);
  }

  /**
   * Returns an embedded SAE loaded to a backend.
   *
   * @param name one of {@link #names}
   * @param backend where it runs
   * @throws SaeCheckpointException if there is none of that name
   * @throws IOException if it cannot be read
   */
  public Sae load(String name, Backend backend) throws IOException {
    try (SaeCheckpoint checkpoint = open(name, Stated.nothing())) {
      return checkpoint.load(backend);
    }
  }
}

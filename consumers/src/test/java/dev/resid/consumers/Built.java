package dev.resid.consumers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What the build made, and what lies beside it. */
final class Built {
  /** The folder of the project. */
  static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  private Built() {}

  /** Returns the jars that a program needs that depends on one artefact: no more than these. */
  static List<Path> jarsOf(String artefact) throws IOException {
    List<Path> all = all();
    Predicate<String> needed =
        switch (artefact) {
          case "resid-core" -> name -> name.matches("(resid-core|fastutil-core|jackson-).*");
          case "resid-sae" ->
              name -> name.matches("(resid-core|resid-sae|fastutil-core|jackson-).*");
          case "resid-experiments" -> name -> true;
          default -> throw new IllegalArgumentException(artefact);
        };
    return all.stream().filter(jar -> needed.test(jar.getFileName().toString())).toList();
  }

  private static List<Path> all() throws IOException {
    Path list = Path.of("target/class-path");
    if (!Files.exists(list)) {
      throw new AssertionError(list.toAbsolutePath() + " is missing: run mvn verify");
    }
    List<Path> jars =
        Stream.of(Files.readString(list).strip().split(File.pathSeparator)).map(Path::of).toList();
    for (Path jar : jars) {
      if (!Files.isRegularFile(jar)) {
        throw new AssertionError(jar + " is no jar: run mvn verify");
      }
    }
    return jars;
  }
}

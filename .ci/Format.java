import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Checks or applies google-java-format to every Java source of the project. Run by the build on JDK
 * 25: the formatter parses with the Java compiler of the JVM it runs in, so inside a Maven that
 * runs on JDK 17 it cannot read this project.
 */
final class Format {
  private Format() {}

  /**
   * Formats.
   *
   * @param args {@code check} or {@code apply}, the folder of the project, and a file that will
   *     list what is not formatted, and not exist if nothing is
   */
  public static void main(String[] args) throws IOException {
    boolean apply =
        switch (args[0]) {
          case "check" -> false;
          case "apply" -> true;
          default -> throw new IllegalArgumentException("format is check or apply, not " + args[0]);
        };
    Path root = Path.of(args[1]);
    List<String> problems;
    try (Stream<Path> files = sources(root).parallelStream()) {
      problems = files.map(file -> problem(root, file, apply)).flatMap(Optional::stream).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    Path list = Path.of(args[2]);
    Files.deleteIfExists(list);
    if (!problems.isEmpty()) {
      problems.forEach(problem -> System.err.println("not formatted: " + problem));
      Files.write(list, problems);
    }
  }

  /** Returns what is wrong with a file and was not put right. */
  private static Optional<String> problem(Path root, Path file, boolean apply) {
    Path name = root.relativize(file);
    try {
      String before = Files.readString(file);
      String after = new Formatter().formatSourceAndFixImports(before);
      if (after.equals(before)) {
        return Optional.empty();
      }
      if (!apply) {
        return Optional.of(name.toString());
      }
      Files.writeString(file, after);
      System.out.println("formatted " + name);
      return Optional.empty();
    } catch (FormatterException e) {
      return Optional.of(name + ": " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Path> sources(Path root) throws IOException {
    List<Path> found = new ArrayList<>();
    for (Path folder : folders(root)) {
      if (folder.endsWith(".ci")) {
        addSources(folder, found);
      } else if (folder.endsWith("examples")) {
        // Not the scripts beside the projects: JBang's first lines are comments of a form of its
        // own.
        for (Path project : folders(folder)) {
          addSources(project.resolve("src"), found);
        }
      } else {
        addSources(folder.resolve("src"), found);
      }
    }
    return found;
  }

  private static List<Path> folders(Path parent) throws IOException {
    try (Stream<Path> folders = Files.list(parent)) {
      return folders.filter(Files::isDirectory).sorted().toList();
    }
  }

  private static void addSources(Path start, List<Path> found) throws IOException {
    if (Files.isDirectory(start)) {
      try (Stream<Path> files = Files.walk(start)) {
        files.filter(file -> file.toString().endsWith(".java")).sorted().forEach(found::add);
      }
    }
  }
}

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    List<String> problems = new ArrayList<>();
    for (Path file : sources(root)) {
      String before = Files.readString(file);
      try {
        String after = new Formatter().formatSourceAndFixImports(before);
        if (!after.equals(before)) {
          if (apply) {
            Files.writeString(file, after);
            System.out.println("formatted " + root.relativize(file));
          } else {
            problems.add(root.relativize(file).toString());
          }
        }
      } catch (FormatterException e) {
        problems.add(root.relativize(file) + ": " + e.getMessage());
      }
    }
    Path list = Path.of(args[2]);
    Files.deleteIfExists(list);
    if (!problems.isEmpty()) {
      problems.forEach(problem -> System.err.println("not formatted: " + problem));
      Files.write(list, problems);
    }
  }

  private static List<Path> sources(Path root) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> folders = Files.list(root)) {
      for (Path folder : folders.filter(Files::isDirectory).sorted().toList()) {
        Path start = folder.endsWith(".ci") ? folder : folder.resolve("src");
        if (Files.isDirectory(start)) {
          try (Stream<Path> files = Files.walk(start)) {
            files.filter(file -> file.toString().endsWith(".java")).sorted().forEach(found::add);
          }
        }
      }
    }
    return found;
  }
}

package dev.resid.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No test is skipped in silence: what can be skipped stands in {@code docs/skips.md}. */
class SkipsTest {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  private static final Pattern CONDITION =
      Pattern.compile(
          "\\bShared\\.require\\(|@(Enabled|Disabled)[A-Z]?|\\bAssumptions\\.|\\bassum(e|ing)[A-Z]\\w*\\(");

  private static final Pattern LISTED = Pattern.compile("^\\| `([\\w.]+)` \\|");

  @Test
  void theListNamesExactlyTheConditionalTests() throws IOException {
    TreeSet<String> conditional = conditionalClasses();
    assertTrue(conditional.contains("dev.resid.io.SafetensorsReferenceFilesTest"), "found too few");
    assertEquals(lines(conditional), lines(listed()));
  }

  private static TreeSet<String> conditionalClasses() throws IOException {
    TreeSet<String> found = new TreeSet<>();
    for (Path tests : testRoots()) {
      try (Stream<Path> walk = Files.walk(tests)) {
        for (Path file : walk.filter(f -> f.toString().endsWith("Test.java")).toList()) {
          if (CONDITION.matcher(Files.readString(file)).find()) {
            String name = tests.relativize(file).toString().replace('/', '.').replace('\\', '.');
            found.add(name.substring(0, name.length() - ".java".length()));
          }
        }
      }
    }
    return found;
  }

  private static List<Path> testRoots() throws IOException {
    List<Path> roots = new ArrayList<>();
    try (Stream<Path> folders = Files.list(ROOT)) {
      folders
          .map(folder -> folder.resolve("src/test/java"))
          .filter(Files::isDirectory)
          .forEach(roots::add);
    }
    return roots;
  }

  private static TreeSet<String> listed() throws IOException {
    TreeSet<String> listed = new TreeSet<>();
    for (String line : Files.readAllLines(ROOT.resolve("docs/skips.md"))) {
      Matcher matcher = LISTED.matcher(line);
      if (matcher.find()) {
        listed.add(matcher.group(1));
      }
    }
    return listed;
  }

  private static String lines(TreeSet<String> names) {
    return names.stream().collect(Collectors.joining("\n"));
  }
}

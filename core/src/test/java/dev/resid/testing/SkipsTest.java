package dev.resid.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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

  /** Returns the test classes that hold a condition or use a helper class that holds one. */
  private static TreeSet<String> conditionalClasses() throws IOException {
    TreeSet<String> direct = new TreeSet<>();
    Map<String, String> tests = new TreeMap<>();
    for (Path root : testRoots()) {
      try (Stream<Path> walk = Files.walk(root)) {
        for (Path file : walk.filter(f -> f.toString().endsWith(".java")).toList()) {
          String text = Files.readString(file);
          String path = root.relativize(file).toString().replace('/', '.').replace('\\', '.');
          String name = path.substring(0, path.length() - ".java".length());
          if (name.endsWith("Test")) {
            tests.put(name, text);
          } else if (CONDITION.matcher(text).find()) {
            direct.add(name.substring(name.lastIndexOf('.') + 1));
          }
        }
      }
    }
    Pattern helper = Pattern.compile("\\b(" + String.join("|", direct) + ")\\b[.(]");
    TreeSet<String> found = new TreeSet<>();
    tests.forEach(
        (name, text) -> {
          if (CONDITION.matcher(text).find() || helper.matcher(text).find()) {
            found.add(name);
          }
        });
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

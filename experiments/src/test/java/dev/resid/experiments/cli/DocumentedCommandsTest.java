package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What the documents tell readers to type is understood by the command line. */
class DocumentedCommandsTest {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  /** A line of code that is a command: in a block, at its beginning or indented. */
  private static final Pattern LINE = Pattern.compile("(?m)^ *(?:\\./)?resid ([^|\n]*)$");

  /** A command within a sentence, which may go on in the next line. */
  private static final Pattern INLINE = Pattern.compile("`(?:\\./)?resid ([^`|]+)`");

  private static final Pattern OPTION = Pattern.compile("`(--[a-z][a-z-]*)[^`]*`");

  /** Options of java, Maven and spark-submit. */
  private static final Set<String> OTHERS =
      Set.of(
          "--add-modules",
          "--enable-native-access",
          "--illegal-native-access",
          "--master",
          "--conf",
          "--release",
          "--offline");

  private final CommandLine resid =
      ResidCommand.commandLine(
          new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()));

  @Test
  void commandsOfTheirOwnLineParse() throws IOException {
    List<String> wrong = new ArrayList<>();
    int found = 0;
    for (Path file : documents()) {
      Matcher line = LINE.matcher(ShellWords.joined(Files.readString(file)));
      while (line.find()) {
        found++;
        // What stands behind a gap explains the command.
        String command = line.group(1).strip().replaceFirst("(  +|\\s#).*", "");
        try {
          resid.parseArgs(ShellWords.of(command).toArray(String[]::new));
        } catch (ParameterException e) {
          wrong.add(ROOT.relativize(file) + ": resid " + command + ": " + e.getMessage());
        }
      }
    }
    assertTrue(found >= 50, "found only " + found);
    assertEquals("", String.join("\n", wrong));
  }

  @Test
  void commandsInSentencesHaveTheirNamesAndOptions() throws IOException {
    List<String> wrong = new ArrayList<>();
    int found = 0;
    for (Path file : documents()) {
      Matcher inline = INLINE.matcher(Files.readString(file));
      while (inline.find()) {
        String command = inline.group(1).replaceAll("\\s+", " ");
        if (command.matches("(STUDY|COMMAND)\\b.*")) {
          continue;
        }
        found++;
        try {
          resid.parseArgs(ShellWords.of(command).toArray(String[]::new));
        } catch (UnmatchedArgumentException e) {
          wrong.add(ROOT.relativize(file) + ": resid " + command + ": " + e.getMessage());
        } catch (ParameterException e) {
          // Sentences leave out what is needed and say N for a number.
        }
      }
    }
    assertTrue(found >= 50, "found only " + found);
    assertEquals("", String.join("\n", wrong));
  }

  @Test
  void optionsInSentencesExist() throws IOException {
    Set<String> known = options(resid);
    Set<String> wrong = new LinkedHashSet<>();
    int found = 0;
    for (Path file : documents()) {
      Matcher option = OPTION.matcher(Files.readString(file));
      while (option.find()) {
        found++;
        if (!known.contains(option.group(1)) && !OTHERS.contains(option.group(1))) {
          wrong.add(ROOT.relativize(file) + ": " + option.group());
        }
      }
    }
    assertTrue(found >= 50, "found only " + found);
    assertEquals("", String.join("\n", wrong));
  }

  private static Set<String> options(CommandLine command) {
    Set<String> names = new LinkedHashSet<>();
    command.getCommandSpec().options().forEach(option -> names.addAll(List.of(option.names())));
    command.getSubcommands().values().forEach(sub -> names.addAll(options(sub)));
    return names;
  }

  private static List<Path> documents() throws IOException {
    List<Path> found =
        new ArrayList<>(
            List.of(
                ROOT.resolve("README.md"),
                ROOT.resolve("CONTRIBUTING.md"),
                ROOT.resolve("examples/README.md")));
    try (Stream<Path> walk = Files.walk(ROOT.resolve("docs"))) {
      walk.filter(file -> file.toString().endsWith(".md")).sorted().forEach(found::add);
    }
    return found;
  }
}

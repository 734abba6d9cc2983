package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.study.RowRunner;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

class ResidCommandTest {
  @TestFactory
  Stream<DynamicTest> everyCommandIsDescribedAndHasAnExampleThatParses() {
    return commands(frame()).stream()
        .map(
            command ->
                DynamicTest.dynamicTest(
                    command.getCommandSpec().qualifiedName(), () -> requireExample(command)));
  }

  @TestFactory
  Stream<DynamicTest> everyCommandAnswersHelp() {
    return commands(frame()).stream()
        .map(
            command ->
                DynamicTest.dynamicTest(
                    command.getCommandSpec().qualifiedName(),
                    () -> {
                      CliRun run = CliRun.of(pathOf(command, "--help"));
                      assertAll(
                          () -> assertEquals(ResidCommand.OK, run.exitCode()),
                          () -> assertEquals("", run.err()),
                          () ->
                              assertTrue(
                                  run.out()
                                      .startsWith(
                                          "Usage: " + command.getCommandSpec().qualifiedName()),
                                  run.out()));
                    }));
  }

  @TestFactory
  Stream<DynamicTest> everyCommandRefusesAnUnknownOption() {
    return commands(frame()).stream()
        .map(
            command ->
                DynamicTest.dynamicTest(
                    command.getCommandSpec().qualifiedName(),
                    () -> {
                      CliRun run = CliRun.of(pathOf(command, "--no-such-option"));
                      assertAll(
                          () -> assertEquals(ResidCommand.WRONG_USAGE, run.exitCode()),
                          () -> assertEquals("", run.out()),
                          () -> assertTrue(run.err().startsWith("resid: "), run.err()),
                          () ->
                              assertFalse(
                                  run.err().contains("\tat "), "no stack trace: " + run.err()));
                    }));
  }

  @Test
  void aCommandWithoutAnExampleIsFound() {
    CommandLine line = frame().addSubcommand(new Mute());
    CommandLine mute = line.getSubcommands().get("mute");
    AssertionError error = assertThrows(AssertionError.class, () -> requireExample(mute));
    assertTrue(error.getMessage().contains("resid mute"), error.getMessage());
  }

  @Test
  void anExampleWithAMisspelledOptionIsFound() {
    CommandLine line = frame().addSubcommand(new Misspelled());
    CommandLine bad = line.getSubcommands().get("misspelled");
    assertThrows(ParameterException.class, () -> requireExample(bad));
  }

  @Test
  void onlyTheCommandThatIsAskedForIsMade() {
    PrintWriter nowhere = new PrintWriter(new StringWriter());
    CommandLine one =
        ResidCommand.commandLine(nowhere, nowhere, RowRunner.here(), "sae", "list", "--embedded");
    assertEquals(Set.of("sae"), one.getSubcommands().keySet());
    CommandLine all = ResidCommand.commandLine(nowhere, nowhere, RowRunner.here(), "--help");
    assertEquals(frame().getSubcommands().keySet(), all.getSubcommands().keySet());
  }

  @Test
  void nothingToDoIsWrongUsage() {
    CliRun run = CliRun.of();
    assertEquals(ResidCommand.WRONG_USAGE, run.exitCode());
    assertEquals("resid: a command is missing", run.err().lines().findFirst().orElseThrow());
  }

  @Test
  void aMisspelledCommandIsSuggestedCorrectly() {
    CliRun run = CliRun.of("docter");
    assertEquals(ResidCommand.WRONG_USAGE, run.exitCode());
    assertTrue(run.err().contains("doctor"), run.err());
  }

  @Test
  void theVersionIsOneLine() {
    CliRun run = CliRun.of("--version");
    assertEquals(ResidCommand.OK, run.exitCode());
    assertTrue(run.out().matches("resid \\d+\\.\\d+\\.\\d+\\S* \\(commit \\S+\\)\\R"), run.out());
  }

  private static CommandLine frame() {
    return ResidCommand.commandLine(
        new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()));
  }

  private static List<CommandLine> commands(CommandLine root) {
    List<CommandLine> found = new ArrayList<>(List.of(root));
    root.getSubcommands().values().forEach(sub -> found.addAll(commands(sub)));
    return found;
  }

  private static String[] pathOf(CommandLine command, String last) {
    List<String> words =
        new ArrayList<>(List.of(command.getCommandSpec().qualifiedName().split(" ")));
    words.removeFirst();
    words.add(last);
    return words.toArray(String[]::new);
  }

  /** Requires a description and an example; parses the example with a fresh command line. */
  private static void requireExample(CommandLine command) {
    String name = command.getCommandSpec().qualifiedName();
    assertTrue(
        command.getCommandSpec().usageMessage().description().length > 0,
        name + " has no description");
    String first = command.getCommandSpec().usageMessage().description()[0];
    assertTrue(first.endsWith("."), name + ": lists of commands show half a sentence: " + first);
    for (String line : command.getCommandSpec().usageMessage().footer()) {
      boolean whole = !line.startsWith("  ") || line.length() <= 100;
      assertTrue(whole, name + ": help would break the example: " + line);
    }
    String footer = String.join("\n", command.getCommandSpec().usageMessage().footer());
    List<String> examples =
        ShellWords.joined(footer).lines().filter(line -> line.startsWith("  " + name)).toList();
    assertFalse(examples.isEmpty(), name + " has no example in its footer");
    CommandLine root = command;
    while (root.getParent() != null) {
      root = root.getParent();
    }
    for (String example : examples) {
      List<String> words = ShellWords.of(example);
      root.parseArgs(words.subList(1, words.size()).toArray(String[]::new));
    }
  }

  @Command(name = "mute", description = "Has no example.")
  private static final class Mute implements Runnable {
    @Override
    public void run() {}
  }

  @Command(
      name = "misspelled",
      description = "Has an example that does not parse.",
      footer = "  resid misspelled --colour")
  private static final class Misspelled implements Runnable {
    @Override
    public void run() {}
  }
}

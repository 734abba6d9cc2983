package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import picocli.CommandLine;

/** Studies on two emulated GPUs, beyond those few that {@link EmulatedDevicesTest} runs. */
class EmulatedStudiesTest {
  @Test
  void noCommandThatTakesSeveralGpusIsForgotten() {
    List<String> found = new ArrayList<>();
    collect(
        "",
        ResidCommand.commandLine(
            new PrintWriter(PrintWriter.nullWriter()), new PrintWriter(PrintWriter.nullWriter())),
        found);
    TreeSet<String> known = new TreeSet<>(EmulatedStudies.commands());
    known.add("sensitivity");
    assertEquals(known, new TreeSet<>(found));
  }

  private static void collect(String before, CommandLine line, List<String> found) {
    line.getSubcommands()
        .forEach(
            (name, command) -> {
              if (command.getCommandSpec().findOption("--devices") != null) {
                found.add(before + name);
              }
              collect(before + name + " ", command, found);
            });
  }

  /** Seconds of them, in the profile {@code cuda-emulation} alone. */
  @Nested
  @Tag("emulation")
  class Slow {
    @TempDir private static Path folder;

    private static List<String> said;

    /** Runs the studies in the folder that is the argument. */
    static final class Runs {
      private Runs() {}

      public static void main(String[] arguments) {
        if (EmulatedStudies.loaded().isPresent()) {
          for (String name : EmulatedStudies.SLOW) {
            for (CliRun run : EmulatedStudies.run(name, Path.of(arguments[0]))) {
              System.out.println(run.exitCode() + " " + run.err().strip().replace('\n', '|'));
            }
          }
        }
      }
    }

    @BeforeAll
    static void runEverything() throws IOException, InterruptedException {
      EmulatedStudies.write(folder);
      said = EmulatedStudies.inAProcess(Runs.class, folder);
    }

    @ParameterizedTest
    @FieldSource("dev.resid.experiments.cli.EmulatedStudies#SLOW")
    void theBytesAreThoseOfOneGpu(String study) throws IOException {
      int at = 2 * EmulatedStudies.SLOW.indexOf(study);
      assertEquals(List.of("0 ", "0 "), said.subList(at, at + 2));
      EmulatedStudies.requireSameResults(study, folder);
    }
  }
}

package dev.resid.consumers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.consumers.Program.Outcome;
import dev.resid.consumers.Program.Where;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Programs in {@code examples} build and run with the jars, and need no more than they say. */
@Execution(ExecutionMode.CONCURRENT)
class ExamplesTest {
  private static final Path EXAMPLES = Built.ROOT.resolve("examples");
  private static final List<String> VECTOR = List.of("--add-modules", "jdk.incubator.vector");

  @TempDir Path temporary;

  private Path classes;

  @BeforeEach
  void makeFolder() throws IOException {
    classes = Files.createDirectory(temporary.resolve("classes"));
  }

  private Program compile(String source, Where where, String artefact) throws IOException {
    return Program.compile(EXAMPLES.resolve(source), classes, where, Built.jarsOf(artefact));
  }

  private static String lines(Outcome outcome) {
    assertEquals(0, outcome.exit(), outcome.err());
    return outcome.out().replace(System.lineSeparator(), "\n");
  }

  @Test
  void coreAloneRunsOnTheClassPath() throws Exception {
    Program program = compile("core", Where.CLASS_PATH, "resid-core");
    assertEquals(
        "vector says \" man\"\n", lines(program.run("org.example.core.NextToken", VECTOR)));
  }

  @Test
  void withoutTheVectorApiTheScalarBackendRunsAndTheReasonIsSaid() throws Exception {
    Program program = compile("core", Where.MODULE_PATH, "resid-core");
    Outcome outcome = program.run("org.example.core/org.example.core.NextToken", List.of());
    assertEquals(
        "no vector: the module jdk.incubator.vector is not loaded. Pass --add-modules"
            + " jdk.incubator.vector\nscalar says \" man\"\n",
        lines(outcome));
    // The log's default handler puts time and place in a line before.
    List<String> log = outcome.err().lines().toList();
    assertEquals(2, log.size(), outcome.err());
    assertEquals(
        "WARNING: Not using vector: the module jdk.incubator.vector is not loaded. Pass"
            + " --add-modules jdk.incubator.vector.",
        log.getLast());
  }

  @Test
  void coreAndSaeRunOnTheModulePath() throws Exception {
    Program program = compile("sae", Where.MODULE_PATH, "resid-sae");
    String out = lines(program.run("org.example.sae/org.example.sae.ActiveFeatures", VECTOR));
    assertTrue(
        out.matches(
            "vector: 16 SAEs ship; \\d\\d\\d active features on 11 tokens; loss 4\\.\\d{3}, with"
                + " the SAE 4\\.\\d{3}\n"),
        out);
  }

  @Test
  void everythingRunsOnTheModulePath() throws Exception {
    Program program = compile("all", Where.MODULE_PATH, "resid-experiments");
    Path out = Files.createDirectory(temporary.resolve("out"));
    Outcome outcome =
        program.run("org.example.all/org.example.all.SmallStudy", VECTOR, out.toString());
    assertEquals("vector wrote small.csv\n", lines(outcome));
    List<String> rows = Files.readAllLines(out.resolve("small.csv"));
    assertEquals(4, rows.size());
    double random = Double.parseDouble(rows.get(1).split(",")[1]);
    double error = Double.parseDouble(rows.get(3).split(",")[1]);
    assertTrue(0 < random && random < error, random + " " + error);
  }

  @Test
  void theTutorialsProjectRuns() throws Exception {
    Program program = compile("tutorial", Where.CLASS_PATH, "resid-experiments");
    String first = lines(program.run("org.example.heads.FirstLook", VECTOR));
    assertTrue(first.contains("[batch=1, pos=9, d_model=192]\n"), first);
    Path out = temporary.resolve("heads");
    lines(program.run("org.example.heads.HeadStudy", VECTOR, out.toString()));
    List<String> rows = Files.readAllLines(out.resolve("results.csv"));
    assertEquals(1 + 7 * 3, rows.size(), "random directions and six heads, at three lengths");
    assertTrue(Files.exists(out.resolve("report.html")));
  }

  /** A space behind the slashes makes comments of them: a formatter that is let loose adds it. */
  @Test
  void theJbangScriptSaysWhatItNeeds() throws IOException {
    List<String> lines = Files.readAllLines(EXAMPLES.resolve("LogitLens.java"));
    assertEquals("///usr/bin/env jbang \"$0\" \"$@\" ; exit $?", lines.getFirst());
    assertTrue(lines.contains("//JAVA 25"), "JDK");
    assertTrue(lines.contains("//RUNTIME_OPTIONS --add-modules jdk.incubator.vector"), "vectors");
    assertEquals(
        List.of("resid-core"),
        lines.stream()
            .filter(line -> line.startsWith("//DEPS dev.resid:"))
            .map(line -> line.split(":")[1])
            .toList());
  }

  @Test
  void theJbangScriptRuns() throws Exception {
    Program program = compile("LogitLens.java", Where.CLASS_PATH, "resid-core");
    String out = lines(program.run("LogitLens", VECTOR, "Once upon a"));
    assertEquals(13, out.lines().count(), "a line a point, also where the end of a line is next");
    assertTrue(out.contains("\"\\n\""), out);
    assertTrue(out.lines().toList().getLast().contains("\" man\""), out);
  }
}

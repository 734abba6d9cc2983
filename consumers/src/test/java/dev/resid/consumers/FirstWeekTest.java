package dev.resid.consumers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.consumers.Program.Where;
import dev.resid.experiments.report.HeatMap;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.sweep.Workers;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The programs of {@code examples/first-week} find what they are made to find. They run in this
 * process, with one model, on less text than their main methods take.
 */
class FirstWeekTest {
  @TempDir private static Path temporary;

  private static URLClassLoader programs;
  private static Backend backend;
  private static Gpt2 gpt2;

  @BeforeAll
  static void compile() throws IOException {
    Path classes = Files.createDirectory(temporary.resolve("classes"));
    Program.compile(
        Built.ROOT.resolve("examples/first-week"),
        classes,
        Where.CLASS_PATH,
        Built.jarsOf("resid-experiments"));
    URL[] where = {classes.toUri().toURL()};
    programs = new URLClassLoader(where, FirstWeekTest.class.getClassLoader());
    backend = Backends.fastest();
    gpt2 = Gpt2.embedded(backend);
  }

  @AfterAll
  static void close() throws IOException {
    programs.close();
    backend.close();
  }

  /** Calls what a program's main method prints the result of. */
  private static Object result(String program, String name, Object... arguments) throws Exception {
    Class<?> type = programs.loadClass("org.example.week." + program);
    type.getDeclaredMethod("main", String[].class);
    for (Method method : type.getDeclaredMethods()) {
      if (method.getName().equals(name)) {
        method.setAccessible(true);
        return method.invoke(null, arguments);
      }
    }
    throw new AssertionError(program + " has no method " + name);
  }

  private static double[] numbers(String line) {
    return Arrays.stream(line.strip().split("\\s+")).mapToDouble(Double::parseDouble).toArray();
  }

  @Test
  void headsThatLookAtTheTokenBeforeAreFound() throws Exception {
    HeatMap map = (HeatMap) result("HeadKinds", "map", gpt2);
    List<List<Double>> before = map.panels().getFirst().values();
    assertEquals(gpt2.config().nLayers(), before.size());
    assertEquals(0.208, before.get(2).get(3), 0.005, before.toString());
    assertTrue(before.get(0).stream().allMatch(mean -> mean < 0.05), before.toString());
    assertTrue(map.toSvg().contains("what came after it"));
  }

  @Test
  void pathsFromHeadToHeadAreFound() throws Exception {
    List<String> lines = ((String) result("PathPatching", "table", gpt2, 1, 2)).lines().toList();
    assertEquals(2, lines.size());
    double[] changes = numbers(lines.get(1));
    assertEquals(gpt2.config().nHeads(), changes.length);
    assertEquals(-0.0224, changes[2], 1e-3, lines.get(1));
    assertEquals(0, changes[1], 2e-3, lines.get(1));
  }

  @Test
  void headsAreAblatedOneByOne() throws Exception {
    List<String> lines = ((String) result("HeadAblation", "table", gpt2, 2)).lines().toList();
    assertEquals(1 + gpt2.config().nLayers(), lines.size());
    double sum = 0;
    for (String line : lines.subList(1, lines.size())) {
      double[] increases = numbers(line);
      assertEquals(gpt2.config().nHeads(), increases.length);
      assertTrue(Arrays.stream(increases).distinct().count() > 2, line);
      sum += Arrays.stream(increases).sum();
    }
    assertTrue(sum > 0, lines.toString());
  }

  @Test
  void aFeatureIsShownAndSteers() throws Exception {
    String page = (String) result("FeatureSteering", "page", gpt2, 135, 24);
    List<String> lines = page.lines().toList();
    assertTrue(lines.getFirst().contains("[ S]"), page);
    String plain = lines.get(lines.size() - 2);
    String steered = lines.getLast();
    assertNotEquals(plain.substring(10), steered.substring(10));
    assertTrue(steered.contains(" S") && !plain.contains(" S"), page);
  }

  @Test
  void aProbeReadsWhatALaterBlockKnows() throws Exception {
    List<String> lines = ((String) result("LinearProbe", "table", gpt2, 24)).lines().toList();
    assertEquals(1 + gpt2.config().nLayers(), lines.size());
    double[] right =
        lines.stream()
            .skip(1)
            .mapToDouble(line -> Double.parseDouble(line.split(" +")[1]))
            .toArray();
    assertTrue(right[4] > right[0] + 0.1, lines.toString());
  }

  @Test
  void anOwnDirectionGoesThroughTheExperiment() throws Exception {
    Path folder = temporary.resolve("own");
    try (Workers workers = new Workers(2)) {
      result("OwnDirections", "run", gpt2, 4, folder, workers);
    }
    ResultTable table = ResultTable.read(folder, "results");
    int last = table.rows().size() - 1;
    assertEquals("own:token difference", table.rows().get(last).getFirst());
    double isotropic = table.number(3, "kl_nats").getAsDouble();
    assertTrue(table.number(last, "kl_nats").getAsDouble() > isotropic);
    assertTrue(Files.exists(folder.resolve("report.html")));
  }
}

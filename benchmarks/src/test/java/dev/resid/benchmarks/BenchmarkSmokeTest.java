package dev.resid.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs every benchmark once for a moment, in this JVM, with the first value of each parameter: its
 * set-up, which compares with the reference, and its body must work. The times mean nothing.
 */
class BenchmarkSmokeTest {
  @TestFactory
  Stream<DynamicTest> everyBenchmarkRuns() {
    return benchmarks().stream()
        .map(
            benchmark ->
                DynamicTest.dynamicTest(benchmark.getUsername(), () -> runForAMoment(benchmark)));
  }

  @Test
  void thereAreBenchmarks() {
    assertTrue(benchmarks().size() >= 20, "only " + benchmarks().size());
  }

  private static Set<BenchmarkListEntry> benchmarks() {
    return BenchmarkList.defaultList()
        .getAll(
            OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT),
            Collections.emptyList());
  }

  private static void runForAMoment(BenchmarkListEntry benchmark) throws Exception {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("^" + Pattern.quote(benchmark.getUsername()) + "$")
            .forks(0)
            .warmupIterations(0)
            .measurementIterations(1)
            .measurementTime(TimeValue.milliseconds(10))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT);
    for (Map.Entry<String, String[]> parameter :
        benchmark.getParams().orElse(Map.of()).entrySet()) {
      options.param(parameter.getKey(), parameter.getValue()[0]);
    }
    Collection<RunResult> results = new Runner(options.build()).run();
    assertEquals(1, results.size(), "runs");
    double score = results.iterator().next().getPrimaryResult().getScore();
    assertTrue(score > 0, "score " + score);
  }
}

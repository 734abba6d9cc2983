package dev.resid.experiments.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import dev.resid.architecture.ArchitectureRules;
import dev.resid.architecture.PackageTable;
import dev.resid.experiments.result.BuildInfo;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ExperimentsArchitectureTest {
  private static final JavaClasses EXPERIMENTS = ArchitectureRules.classesOf(BuildInfo.class);

  @TestFactory
  Stream<DynamicTest> experimentsKeepEveryRule() {
    return ArchitectureRules.all().entrySet().stream()
        .map(
            rule ->
                DynamicTest.dynamicTest(rule.getKey(), () -> rule.getValue().check(EXPERIMENTS)));
  }

  @Test
  void packagesUseOnlyWhatTheyMay() {
    new PackageTable("dev.resid.experiments")
        .allow("result")
        .allow("text")
        .allow("sweep", "result")
        .allow("direction", "result", "sweep")
        .allow("report", "result")
        .allow("study", "direction", "report", "result", "sweep")
        .allow("language", "direction", "report", "result", "study", "sweep", "text")
        .allow("patch", "report", "result", "study", "sweep")
        .allow("activations", "direction", "result", "sweep")
        .allow(
            "substitution",
            "activations",
            "direction",
            "report",
            "result",
            "study",
            "sweep",
            "text")
        .allow(
            "robustness", "activations", "direction", "report", "result", "study", "sweep", "text")
        .allow("dictionary", "direction", "report", "result", "study", "sweep", "text")
        .allow(
            "sensitivity", "activations", "direction", "report", "result", "study", "sweep", "text")
        .allow("plateau", "direction", "report", "result", "study", "sweep", "text")
        .allow("saereport", "direction", "report", "result", "study", "sweep", "text")
        .allow("feature", "report")
        .allow(
            "reproduce",
            "direction",
            "language",
            "plateau",
            "report",
            "result",
            "sensitivity",
            "study",
            "substitution",
            "sweep",
            "text")
        .allow(
            "cli",
            "dictionary",
            "direction",
            "feature",
            "language",
            "patch",
            "plateau",
            "report",
            "reproduce",
            "result",
            "robustness",
            "saereport",
            "sensitivity",
            "study",
            "substitution",
            "sweep",
            "text")
        .rule()
        .check(EXPERIMENTS);
  }

  @Test
  void theScanSawEveryClass() {
    assertEquals(ArchitectureRules.classFilesOf(BuildInfo.class), EXPERIMENTS.size());
    assertTrue(EXPERIMENTS.size() > 10, "only " + EXPERIMENTS.size() + " classes");
  }
}

package dev.resid.experiments.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import dev.resid.architecture.ArchitectureRules;
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
  void theScanSawEveryClass() {
    assertEquals(ArchitectureRules.classFilesOf(BuildInfo.class), EXPERIMENTS.size());
    assertTrue(EXPERIMENTS.size() > 10, "only " + EXPERIMENTS.size() + " classes");
  }
}

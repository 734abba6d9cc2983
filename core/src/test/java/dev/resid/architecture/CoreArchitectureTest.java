package dev.resid.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import dev.resid.tensor.Backend;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class CoreArchitectureTest {
  private static final JavaClasses CORE = ArchitectureRules.classesOf(Backend.class);

  @TestFactory
  Stream<DynamicTest> coreKeepsEveryRule() {
    return ArchitectureRules.all().entrySet().stream()
        .map(rule -> DynamicTest.dynamicTest(rule.getKey(), () -> rule.getValue().check(CORE)));
  }

  @Test
  void packagesUseOnlyWhatTheyMay() {
    new PackageTable("dev.resid")
        .allow("tensor")
        .allow("progress")
        .allow("random")
        .allow("backend", "tensor")
        .allow("backend.scalar", "backend", "tensor")
        .allow("backend.vector", "backend", "tensor")
        .allow("io", "tensor")
        .allow("hub", "io", "progress")
        .allow("tokenizer", "io")
        .allow("hook", "tensor")
        .allow("analysis", "hook", "model", "tensor", "tokenizer")
        .allow("metric", "tensor", "tokenizer")
        .allow("model", "hook", "hub", "io", "metric", "random", "tensor", "tokenizer")
        .allow(
            "train", "hook", "io", "metric", "model", "progress", "random", "tensor", "tokenizer")
        .rule()
        .check(CORE);
  }

  @Test
  void theScanSawEveryClass() {
    assertEquals(ArchitectureRules.classFilesOf(Backend.class), CORE.size());
    assertTrue(CORE.size() > 50, "only " + CORE.size() + " classes");
  }
}

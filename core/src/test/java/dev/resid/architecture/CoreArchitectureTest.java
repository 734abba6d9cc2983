package dev.resid.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
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

  @Test
  void everyPackageWithPublicClassesIsExported() throws IOException {
    assertEquals(
        ModuleDescriptorSource.packagesToExport(CORE),
        ModuleDescriptorSource.ofThisModule().exported());
  }

  @Test
  void everyModuleThatClassesUseIsRequired() throws IOException {
    assertEquals(Set.of(), ModuleDescriptorSource.ofThisModule().usedAndNotRequired(CORE));
  }

  @Test
  void aModuleThatIsNotRequiredIsFound() {
    ModuleDescriptorSource without =
        new ModuleDescriptorSource("module m { /* requires tools.jackson.core; */ }");
    Set<String> packages =
        without.usedAndNotRequired(CORE).stream()
            .map(line -> line.substring(line.indexOf("→ ") + 2))
            .collect(Collectors.toSet());
    assertTrue(packages.contains("tools.jackson.core"), packages::toString);
    assertTrue(packages.contains("jdk.incubator.vector"), packages::toString);
    assertFalse(packages.contains("java.util"), packages::toString);
  }

  @Test
  void theModulePathFindsTheBackendsOfTheClassPath() throws IOException {
    Path services =
        Path.of("src/main/resources/META-INF/services/dev.resid.backend.BackendProvider");
    assertEquals(
        new TreeSet<>(Files.readAllLines(services)),
        ModuleDescriptorSource.ofThisModule().provided());
  }
}

package dev.resid.sae.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import dev.resid.architecture.ArchitectureRules;
import dev.resid.architecture.ModuleDescriptorSource;
import dev.resid.architecture.PackageTable;
import dev.resid.sae.Sae;
import java.io.IOException;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class SaeArchitectureTest {
  private static final JavaClasses SAE = ArchitectureRules.classesOf(Sae.class);

  @TestFactory
  Stream<DynamicTest> saeKeepsEveryRule() {
    return ArchitectureRules.all().entrySet().stream()
        .map(rule -> DynamicTest.dynamicTest(rule.getKey(), () -> rule.getValue().check(SAE)));
  }

  @Test
  void packagesUseOnlyWhatTheyMay() {
    new PackageTable("dev.resid")
        .allow("sae", "hook", "model", "tensor")
        .allow("sae.io", "sae", "hook", "hub", "io", "model", "tensor")
        .allow("sae.metric", "sae", "hook", "metric", "model", "tensor", "tokenizer")
        .allow(
            "sae.train",
            "sae",
            "sae.io",
            "sae.metric",
            "hook",
            "io",
            "model",
            "progress",
            "random",
            "tensor",
            "tokenizer",
            "train")
        .allow(
            "sae.dictionary",
            "sae",
            "sae.metric",
            "hook",
            "metric",
            "model",
            "random",
            "tensor",
            "tokenizer")
        .rule()
        .check(SAE);
  }

  @Test
  void theScanSawEveryClass() {
    assertEquals(ArchitectureRules.classFilesOf(Sae.class), SAE.size());
    assertTrue(SAE.size() > 10, "only " + SAE.size() + " classes");
  }

  @Test
  void everyPackageWithPublicClassesIsExported() throws IOException {
    assertEquals(
        ModuleDescriptorSource.packagesToExport(SAE),
        ModuleDescriptorSource.ofThisModule().exported());
  }

  @Test
  void everyModuleThatClassesUseIsRequired() throws IOException {
    assertEquals(Set.of(), ModuleDescriptorSource.ofThisModule().usedAndNotRequired(SAE));
  }
}

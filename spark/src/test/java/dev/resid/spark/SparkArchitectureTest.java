package dev.resid.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import dev.resid.architecture.ArchitectureRules;
import dev.resid.testing.PublicComments;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class SparkArchitectureTest {
  private static final JavaClasses SPARK = ArchitectureRules.classesOf(SparkRowRunner.class);

  @TestFactory
  Stream<DynamicTest> sparkKeepsEveryRule() {
    return ArchitectureRules.all().entrySet().stream()
        .map(rule -> DynamicTest.dynamicTest(rule.getKey(), () -> rule.getValue().check(SPARK)));
  }

  @Test
  void theScanSawEveryClass() {
    assertEquals(ArchitectureRules.classFilesOf(SparkRowRunner.class), SPARK.size());
    assertTrue(SPARK.size() > 8, "only " + SPARK.size() + " classes");
  }

  @Test
  void thereIsNoPublicMemberWithoutAComment() throws IOException {
    assertEquals(List.of(), PublicComments.missing(Path.of("src/main/java")));
  }

  @Test
  void noOtherModuleAsksForSpark() throws IOException {
    Path root = Path.of("").toAbsolutePath().getParent();
    int seen = 0;
    try (Stream<Path> modules = Files.list(root)) {
      for (Path module : modules.filter(m -> !m.endsWith("spark")).toList()) {
        Path pom = module.resolve("pom.xml");
        if (Files.exists(pom) && !module.endsWith("bom")) {
          String text = Files.readString(pom);
          assertFalse(text.contains("org.apache.spark"), pom.toString());
          assertFalse(text.contains("resid-spark"), pom.toString());
          seen++;
        }
      }
    }
    assertTrue(seen > 4, "only " + seen + " modules");
  }
}

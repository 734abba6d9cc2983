package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import dev.resid.architecture.ArchitectureRules;
import dev.resid.architecture.PackageTable;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class CudaArchitectureTest {
  private static final JavaClasses CUDA = ArchitectureRules.classesOf(CudaBackendProvider.class);

  @TestFactory
  Stream<DynamicTest> cudaKeepsEveryRule() {
    return ArchitectureRules.all().entrySet().stream()
        .map(rule -> DynamicTest.dynamicTest(rule.getKey(), () -> rule.getValue().check(CUDA)));
  }

  @Test
  void packagesUseOnlyWhatTheyMay() {
    new PackageTable("dev.resid").allow("backend.cuda", "backend", "tensor").rule().check(CUDA);
  }

  @Test
  void theScanSawEveryClass() {
    assertEquals(ArchitectureRules.classFilesOf(CudaBackendProvider.class), CUDA.size());
    assertTrue(CUDA.size() > 30, "only " + CUDA.size() + " classes");
  }
}

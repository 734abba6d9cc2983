package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.resid.testing.OnEachCpuBackend;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;

/**
 * Tests of the model, which run on each CPU backend elsewhere, on the emulated GPU: forward and
 * backward passes, continued runs, hooks, generation, and goldens of other programs where {@code
 * ../shared} is there.
 */
class EmulatedModelTest {
  private static final List<String> SHORT =
      List.of("model.ForwardReferenceTest", "model.GenerationTest");

  private static final List<String> LONG =
      List.of(
          "model.ContinuationTest",
          "model.ForwardPropertiesTest",
          "model.GradientPropertiesTest",
          "model.GradientReferenceTest",
          "model.HookPropertiesTest",
          "model.HuggingFaceGoldensTest",
          "model.InterventionGoldensTest",
          "model.PerturbationPropertiesTest",
          "model.RaggedBatchTest",
          "model.SameBitsTest",
          "model.TransformerLensGoldensTest",
          "analysis.AnalysisGoldensTest",
          "analysis.AnalysisReferenceTest",
          "train.AdamWGoldensTest");

  @BeforeAll
  static void requireEmulation() {
    EmulatedGpu.require().repair();
  }

  @TestFactory
  Stream<DynamicTest> theModelRuns() {
    return SHORT.stream().map(EmulatedModelTest::onTheEmulatedGpu);
  }

  @TestFactory
  @Tag("emulation")
  Stream<DynamicTest> theModelKeepsEveryPromise() {
    return LONG.stream().map(EmulatedModelTest::onTheEmulatedGpu);
  }

  private static DynamicTest onTheEmulatedGpu(String name) {
    return DynamicTest.dynamicTest(name, () -> run(name));
  }

  private static void run(String name) throws ClassNotFoundException {
    Class<?> tests = Class.forName("dev.resid." + name);
    long before = EmulatedGpu.require().launches();
    System.setProperty(OnEachCpuBackend.PROPERTY, "cuda");
    try {
      EngineExecutionResults results =
          EngineTestKit.engine("junit-jupiter").selectors(selectClass(tests)).execute();
      String failures =
          String.join(
              "\n",
              results.allEvents().failed().stream()
                  .map(event -> event.getTestDescriptor().getUniqueId() + ": " + event.getPayload())
                  .toList());
      assertEquals("", failures);
      boolean skipped = results.testEvents().started().count() == 0;
      assertTrue(skipped || results.testEvents().succeeded().count() > 0, "nothing ran");
      assertTrue(
          skipped
              || results.testEvents().aborted().count() > 0
              || EmulatedGpu.require().launches() > before,
          "no kernel ran");
    } finally {
      System.clearProperty(OnEachCpuBackend.PROPERTY);
    }
  }
}

package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.resid.backend.Backends;
import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.ModelCase;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;

/**
 * Tests of the model, which run on each CPU backend elsewhere, on the emulated GPU: forward and
 * backward passes, continued runs, hooks, generation, and goldens of other programs where {@code
 * ../shared} is there.
 */
class EmulatedModelTest {
  private static final List<String> LONG =
      List.of(
          "model.ContinuationTest",
          "model.ForwardPropertiesTest",
          "model.ForwardReferenceTest",
          "model.GenerationTest",
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
          "analysis.PatchingReferenceTest",
          "train.AdamWGoldensTest");

  @BeforeAll
  static void requireEmulation() {
    EmulatedGpu.require().repair();
  }

  /** The short form of the build: logits, and KL after a change, of a small model. */
  @Test
  void aSmallModelGivesTheNumbersOfTheReference() {
    ModelCase c = ModelCase.of(41_000);
    try (Backend cuda = Backends.named("cuda");
        Backend scalar = new ScalarBackend()) {
      TensorAssert check = new TensorAssert("cuda", "small model", 41_000);
      Gpt2 expected = c.on(scalar);
      Gpt2 actual = c.on(cuda);
      // What ForwardReferenceTest allows, with room for values above 1.
      Tolerance bound = Tolerance.within(1e-4, 1e-4);
      check.close(
          expected.forward(c.tokens()).logits(), actual.forward(c.tokens()).logits(), bound);
      check.close(klNats(expected, c), klNats(actual, c), bound);
    }
  }

  /** What memory is planned for: the end of a clean run, and caches of keys where there are any. */
  @Test
  void aCleanRunTakesAsMuchMemoryAsItSays() {
    Gpt2Config config = Gpt2Config.of(3, 2, 64, 30, 16);
    List<HookPoint> points =
        List.of(HookPoint.residPre(1), HookPoint.attnOut(1), HookPoint.mlpOut(2));
    TokenBatch tokens = TokenBatch.of(new int[][] {new int[16], new int[16]});
    long vector = 2L * 16 * 64 * Float.BYTES;
    try (CudaBackend cuda = (CudaBackend) Backends.named("cuda")) {
      Gpt2 gpt2 = Gpt2.of(Gpt2Weights.random(config, 1), cuda);
      long before = cuda.memory().inUse();
      Map<HookPoint, BaseRun> runs = gpt2.baseRuns(tokens, points);
      long clean = cuda.memory().inUse();
      assertEquals(vector * gpt2.cleanVectors(points), clean - before);
      BaseRun base = runs.get(points.getFirst());
      Tensor last = base.activation().at(Axis.POS, 15).times(2);
      base.continueWith(base.activation().with(Axis.POS, 15, last));
      long keys = vector * gpt2.keyVectors(points);
      long more = cuda.memory().inUse() - clean;
      // Besides, what fills them once and the one position that is computed.
      assertTrue(more >= keys && more < keys + 2 * vector, more + " bytes beside " + keys);
      Reference.reachabilityFence(runs);
    }
  }

  private static Tensor klNats(Gpt2 gpt2, ModelCase c) {
    try (BaseRun base = gpt2.baseRun(c.tokens(), HookPoint.residPre(1))) {
      Tensor changed = base.activation().map(x -> x < 0 ? x : 1.5f * x);
      double[] nats = base.continueWith(changed).klNats().row(0);
      float[] values = new float[nats.length];
      for (int i = 0; i < nats.length; i++) {
        values[i] = (float) nats[i];
      }
      return Tensor.wrap(Shape.of(Axis.POS, values.length), values);
    }
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

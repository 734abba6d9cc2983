package dev.resid.benchmarks.peers;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.benchmarks.work.DecodeWork;
import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.ForwardWork;
import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.ProductWork;
import dev.resid.benchmarks.work.SaeWork;
import dev.resid.benchmarks.work.SweepWork;
import dev.resid.benchmarks.work.TrainingWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.model.Gpt2Weights;
import dev.resid.sae.Architecture;
import dev.resid.tensor.Backend;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every peer computes the same as the reference at a small size. */
class PeersTest {
  private static final Backend BACKEND =
      Backends.named("vector", BackendOptions.defaults().withThreads(2));

  @AfterAll
  static void close() {
    BACKEND.close();
  }

  @TestFactory
  Stream<DynamicTest> peersAgreeWithTheReference() {
    Gpt2Weights tiny = GeneratedModel.weights(GeneratedModel.TINY);
    List<Workload> works =
        List.of(
            ProductWork.manyRows(20, 48, 64, BACKEND),
            ProductWork.fewRows(1, 48, 64, 1 << 16, BACKEND),
            new ForwardWork(tiny, 2, 16, BACKEND),
            new SweepWork(tiny, 2, 16, 1, BACKEND),
            new DecodeWork(tiny, 6, 5, BACKEND),
            new SaeWork(Architecture.RELU, 64, 48, 1000, BACKEND),
            new TrainingWork(TrainingWork.TINY, 2, 16, BACKEND));
    return works.stream()
        .flatMap(
            work ->
                ServiceLoader.load(Peer.class).stream()
                    .map(ServiceLoader.Provider::get)
                    .map(
                        peer ->
                            DynamicTest.dynamicTest(
                                peer.name() + ", " + work.name(), () -> agree(peer, work))));
  }

  private static void agree(Peer peer, Workload work) {
    float[] expected = work.expected();
    List<Engine> engines = peer.engines(work, 2);
    assertTrue(!engines.isEmpty() || !peer.name().startsWith("PyTorch"), "PyTorch does everything");
    for (Engine engine : engines) {
      work.check(engine, expected);
      engine.close();
    }
  }
}

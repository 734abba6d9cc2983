package dev.resid.benchmarks.peers;

import dev.resid.benchmarks.work.DecodeWork;
import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.Workload;
import java.util.List;

/**
 * Jlama, a Java engine for generating text, in float32. It has no pass that returns the logits of
 * every position, so decoding is what can be compared.
 */
public final class JlamaPeer implements Peer {
  /** Called by the service loader. */
  public JlamaPeer() {}

  @Override
  public String name() {
    return "Jlama 0.8.4";
  }

  @Override
  public List<Engine> engines(Workload workload, int threads) {
    return workload instanceof DecodeWork work
        ? List.of(work.engine(name(), new JlamaDecoder(work.weights(), threads)))
        : List.of();
  }
}

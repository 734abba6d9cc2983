package dev.resid.benchmarks.table;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.benchmarks.table.Group.Setting;
import dev.resid.benchmarks.table.Group.Size;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.ReadBandwidth;
import dev.resid.tensor.Backend;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/** Measures one group of the table; runs in a JVM of its own. */
final class Worker {
  /** What a line of the table begins with in the output. */
  static final String MARK = "resid-bench-line\t";

  private Worker() {}

  /**
   * Prints a line for every engine and workload, cells separated by tabs.
   *
   * @param args group, threads, repetitions and size
   */
  public static void main(String[] args) {
    measure(
        Group.of(args[0]),
        Integer.parseInt(args[1]),
        Integer.parseInt(args[2]),
        Size.valueOf(args[3]),
        line -> System.out.println(MARK + String.join("\t", line.cells())));
    // Threads of some peers would keep the process alive.
    System.exit(0);
  }

  /** Measures all workloads of a group. */
  static void measure(Group group, int threads, int repetitions, Size size, Consumer<Line> lines) {
    List<Peer> peers =
        ServiceLoader.load(Peer.class).stream().map(ServiceLoader.Provider::get).toList();
    long bytes = group.bytesRead(size == Size.TINY);
    ReadBandwidth bandwidth = bytes == 0 ? null : new ReadBandwidth(bytes, threads);
    int rounds = group.repetitions(repetitions);
    boolean once = rounds == 1 || size == Size.TINY;
    Contest.Warming warming = once ? Contest.Warming.NONE : Contest.Warming.UP;
    BackendOptions options = BackendOptions.defaults().withThreads(threads);
    try (Backend backend = Backends.named("vector", options)) {
      group.forEach(
          new Setting(backend, threads, size),
          work -> {
            try (work) {
              new Contest(group.word(), work, threads, rounds, warming)
                  .run(peers, bandwidth)
                  .forEach(lines);
            }
          });
    }
  }
}

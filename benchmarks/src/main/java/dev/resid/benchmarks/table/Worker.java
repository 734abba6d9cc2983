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

/** Measures one group of the table; runs in a JVM of its own. */
final class Worker {
  /** What a line of the table begins with in the output. */
  static final String MARK = "resid-bench-line\t";

  /** What the name of the engine whose turn it is begins with. */
  static final String TURN = "resid-bench-turn\t";

  private Worker() {}

  /**
   * Prints a line for every engine and workload, cells separated by tabs.
   *
   * @param args group, threads, repetitions, size, and the names of peers to leave out
   */
  public static void main(String[] args) {
    measure(
        Group.of(args[0]),
        Integer.parseInt(args[1]),
        Integer.parseInt(args[2]),
        Size.valueOf(args[3]),
        peers(List.of(args).subList(4, args.length)),
        new Listener() {
          @Override
          public void turn(String engine) {
            System.out.println(TURN + engine);
          }

          @Override
          public void line(Line line) {
            System.out.println(MARK + String.join("\t", line.cells()));
          }
        });
    // Threads of some peers would keep the process alive.
    System.exit(0);
  }

  /** Who is told what happens. */
  interface Listener {
    /** Called before a peer or an engine gets to work. */
    void turn(String engine);

    /** Called with what was measured. */
    void line(Line line);
  }

  /** Returns the peers that are there, without those that a name begins with. */
  static List<Peer> peers(List<String> without) {
    return ServiceLoader.load(Peer.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(peer -> without.stream().noneMatch(name -> name.startsWith(peer.name())))
        .toList();
  }

  /** Measures all workloads of a group. */
  static void measure(
      Group group, int threads, int repetitions, Size size, List<Peer> peers, Listener listener) {
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
              new Contest(group.word(), work, threads, rounds, warming, listener::turn)
                  .run(peers, bandwidth)
                  .forEach(listener::line);
            }
          });
    }
  }
}

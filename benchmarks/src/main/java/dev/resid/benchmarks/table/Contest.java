package dev.resid.benchmarks.table;

import dev.resid.benchmarks.work.Bound;
import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.FmaPeak;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.ReadBandwidth;
import dev.resid.benchmarks.work.Workload;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Times the engines of one workload: each is compared with the reference and warmed up, then they
 * take turns, another one first in every round, and before each round the machine's limit is
 * measured. So a machine whose speed changes changes all of them alike.
 */
final class Contest {
  // Ours is compiled while it runs; what is native only has to touch its memory.
  private static final double WARM_SECONDS = 3;
  private static final double PEER_WARM_SECONDS = 0.5;
  private static final double LONGEST_WARMING = 8;
  private static final int WARM_RUNS = 2;
  private static final int LIMIT_READINGS = 3;

  // Threads of other engines go on spinning after their work for up to 0.2 s (MKL's; OpenBLAS's
  // 0.1)
  // and would take a core from whoever comes next.
  private static final long SETTLING_MILLIS = 300;

  // A turn is at least so long, and what is shorter is repeated, after one run that is not timed:
  // threads are awake then, and caches hold what this engine uses, as in the middle of real work.
  private static final double TURN_SECONDS = 0.1;

  private final String group;
  private final Workload work;
  private final int threads;
  private final int repetitions;
  private final Warming warming;
  private final Consumer<String> turns;
  private final List<Line> lines = new ArrayList<>();
  private final List<Engine> engines = new ArrayList<>();

  /** Whether engines run before they are timed. */
  enum Warming {
    /** For some seconds each. */
    UP,
    /** Once, for the comparison with the reference. */
    NONE
  }

  /**
   * Prepares a contest.
   *
   * @param group which part of the table
   * @param work what is timed
   * @param threads of every engine
   * @param repetitions rounds
   * @param warming whether engines are warmed up first
   * @param turns told the name of a peer or engine before it gets to work
   */
  Contest(
      String group,
      Workload work,
      int threads,
      int repetitions,
      Warming warming,
      Consumer<String> turns) {
    this.group = group;
    this.work = work;
    this.threads = threads;
    this.repetitions = repetitions;
    this.turns = turns;
    this.warming = warming;
  }

  /**
   * Returns a line for every engine, ours first.
   *
   * @param peers other engines that may do the workload
   * @param bandwidth what reads are related to; may be null where nothing is
   * @throws IllegalStateException if this library disagrees with the reference
   */
  List<Line> run(List<Peer> peers, ReadBandwidth bandwidth) {
    float[] expected = work.expected();
    engines.add(work.ours());
    engines.addAll(work.baselines());
    int own = engines.size();
    engines.forEach(engine -> work.check(engine, expected));
    for (Peer peer : peers) {
      admit(peer, expected);
    }
    for (int i = 0; i < engines.size(); i++) {
      warm(engines.get(i), i < own ? WARM_SECONDS : PEER_WARM_SECONDS);
    }
    double[][] seconds = new double[engines.size()][repetitions];
    double[] limits = new double[repetitions];
    for (int round = 0; round < repetitions; round++) {
      settleAfter(own);
      limits[round] = limit(bandwidth);
      for (int i = 0; i < engines.size(); i++) {
        int turn = (i + round) % engines.size();
        turns.accept(engines.get(turn).name());
        settleAfter(own);
        seconds[turn][round] = turn(engines.get(turn), warming == Warming.UP ? TURN_SECONDS : 0);
      }
    }
    List<Line> all = new ArrayList<>();
    for (int i = 0; i < engines.size(); i++) {
      all.add(line(engines.get(i), seconds[i], seconds[0], limits));
    }
    all.addAll(lines);
    engines.forEach(Engine::close);
    return all;
  }

  // Whatever a peer throws, a missing library included, is its line in the table.
  private void admit(Peer peer, float[] expected) {
    turns.accept(peer.name());
    try {
      for (Engine engine : peer.engines(work, threads)) {
        try {
          work.check(engine, expected);
          engines.add(engine);
        } catch (IllegalStateException e) {
          lines.add(Line.untimed(group, work.name(), engine.name(), work.bound(), message(e)));
          engine.close();
        }
      }
    } catch (Exception | LinkageError | OutOfMemoryError e) {
      lines.add(Line.untimed(group, work.name(), peer.name(), work.bound(), message(e)));
    }
  }

  private static String message(Throwable e) {
    String text = e.getMessage() == null ? e.toString() : e.getMessage();
    return "not timed: " + text.strip().replaceAll("\\s+", " ");
  }

  private void warm(Engine engine, double least) {
    if (warming == Warming.NONE) {
      return;
    }
    turns.accept(engine.name());
    long start = System.nanoTime();
    for (int run = 0; run < WARM_RUNS || elapsed(start) < least; run++) {
      if (run > 0 && elapsed(start) > LONGEST_WARMING) {
        return;
      }
      engine.run();
    }
  }

  private void settleAfter(int own) {
    if (engines.size() == own || warming == Warming.NONE) {
      return;
    }
    try {
      Thread.sleep(SETTLING_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns the mean seconds of a unit in a turn of at least so many seconds. */
  static double turn(Engine engine, double least) {
    long begin = System.nanoTime();
    double first = engine.seconds();
    if (elapsed(begin) >= least) {
      return first;
    }
    double sum = 0;
    int runs = 0;
    for (long start = System.nanoTime(); runs == 0 || elapsed(start) < least; runs++) {
      sum += engine.seconds();
    }
    return sum / runs;
  }

  private static double elapsed(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  private double limit(ReadBandwidth bandwidth) {
    double best = 0;
    for (int i = 0; i < LIMIT_READINGS; i++) {
      best =
          Math.max(
              best,
              switch (work.bound()) {
                case FMA -> FmaPeak.flopPerSecond(threads);
                case READ -> bandwidth.bytesPerSecond();
                case NONE -> 0;
              });
    }
    return best;
  }

  private Line line(Engine engine, double[] seconds, double[] ours, double[] limits) {
    boolean limited = work.bound() != Bound.NONE;
    double[] rates = Arrays.stream(seconds).map(s -> work.amount() / s).toArray();
    return new Line(
        group,
        work.name(),
        engine.name(),
        work.bound(),
        work.amount(),
        Medians.of(seconds),
        Arrays.stream(seconds).min().orElseThrow(),
        Arrays.stream(seconds).max().orElseThrow(),
        repetitions,
        limited ? Medians.of(limits) : 0,
        limited ? Medians.ofRatios(rates, limits) : Double.NaN,
        Medians.ofRatios(seconds, ours),
        engine.note());
  }
}

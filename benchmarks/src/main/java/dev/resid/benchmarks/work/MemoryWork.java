package dev.resid.benchmarks.work;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A sweep over rows of a small model in a JVM of its own, for its memory: it must not grow with the
 * rows by more than their numbers take.
 */
public final class MemoryWork implements Workload {
  private static final double MIB = 1 << 20;

  private final int rows;
  private final Ours ours;

  /**
   * Prepares a sweep.
   *
   * @param rows how many
   * @param threads of the backend
   */
  public MemoryWork(int rows, int threads) {
    this.rows = rows;
    this.ours = new Ours(threads);
  }

  @Override
  public String name() {
    return String.format(Locale.ROOT, "memory of a sweep of %,d rows, small model", rows);
  }

  @Override
  public Bound bound() {
    return Bound.NONE;
  }

  @Override
  public double amount() {
    return 1;
  }

  @Override
  public Ours ours() {
    return ours;
  }

  // What a sweep computes is checked by the tests of experiments; here, that it finished.
  @Override
  public float[] expected() {
    return new float[] {(float) SweepMemory.PER_ROW * rows};
  }

  @Override
  public double tolerance() {
    return 0;
  }

  /** By the study of sensitivity. */
  public final class Ours implements Engine {
    private final int threads;
    private List<String> printed = List.of();

    private Ours(int threads) {
      this.threads = threads;
    }

    @Override
    public String name() {
      return "resid";
    }

    @Override
    public void run() {
      try {
        Path folder = Files.createTempDirectory("resid-bench");
        try {
          printed =
              Jvm.run(
                  List.of("-Xmx512m"),
                  SweepMemory.class,
                  List.of(Integer.toString(rows), folder.toString(), Integer.toString(threads)));
        } finally {
          delete(folder);
        }
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write a sweep", e);
      }
    }

    @Override
    public float[] sample() {
      return new float[] {(float) number("done ")};
    }

    /** Returns the bytes of the heap in use after a collection, at the most. */
    public double liveBytes() {
      return number("live ");
    }

    /** Returns the process's peak memory in bytes, −1 if unknown. */
    public double peakBytes() {
      return number("peak ");
    }

    @Override
    public String note() {
      return String.format(
          Locale.ROOT,
          "live heap %.1f MiB, process %.0f MiB",
          liveBytes() / MIB,
          peakBytes() / MIB);
    }

    private double number(String start) {
      return printed.stream()
          .filter(line -> line.startsWith(start))
          .mapToDouble(line -> Double.parseDouble(line.substring(start.length())))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("the JVM printed " + printed));
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}

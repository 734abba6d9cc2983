package dev.resid.experiments.cli;

import dev.resid.progress.Progress;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Progress as a line now and then, for a log file. A task shorter than the interval says nothing.
 */
final class LineProgress implements Progress {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final PrintWriter log;
  private final LongSupplier nanoTime;

  /**
   * Creates the listener.
   *
   * @param log where the lines go
   * @param nanoTime the clock, in nanoseconds from any origin
   */
  LineProgress(PrintWriter log, LongSupplier nanoTime) {
    this.log = log;
    this.nanoTime = nanoTime;
  }

  @Override
  public Task begin(String name, String unit, long done, long total) {
    return new LineTask(name, unit, done, total);
  }

  private final class LineTask implements Task {
    private final String name;
    private final String unit;
    private final long first;
    private final long total;
    private final long started = nanoTime.getAsLong();
    private long lastLine = started;
    private long count;
    private long countOfLastLine;
    private String detail = "";

    private LineTask(String name, String unit, long first, long total) {
      this.name = name;
      this.unit = unit;
      this.first = first;
      this.total = total;
      this.count = first;
      this.countOfLastLine = first;
    }

    @Override
    public void advanceTo(long now) {
      count = now;
      if (nanoTime.getAsLong() - lastLine >= INTERVAL_NANOS) {
        print();
      }
    }

    @Override
    public void detail(String text) {
      detail = text;
    }

    @Override
    public void close() {
      if (lastLine != started && count != countOfLastLine) {
        print(); // a log that has lines ends with the last state
      }
    }

    private void print() {
      lastLine = nanoTime.getAsLong();
      countOfLastLine = count;
      double seconds = (lastLine - started) / 1e9;
      double rate = seconds > 0 ? (count - first) / seconds : 0;
      StringBuilder line = new StringBuilder(name).append(": ").append(count);
      if (total > 0) {
        line.append(" of ").append(total);
      }
      line.append(' ').append(unit);
      if (total > 0) {
        line.append(String.format(Locale.ROOT, " (%.1f%%)", 100.0 * count / total));
      }
      line.append(String.format(Locale.ROOT, ", %.3g/s", rate));
      if (total > count && rate > 0) {
        line.append(", ").append(duration((total - count) / rate)).append(" left");
      }
      if (!detail.isEmpty()) {
        line.append(", ").append(detail);
      }
      log.println(line);
    }
  }

  /** Returns a span of time as {@code 1:02:03} or {@code 2:03}. */
  static String duration(double seconds) {
    long s = Math.round(seconds);
    return s < 3600
        ? String.format(Locale.ROOT, "%d:%02d", s / 60, s % 60)
        : String.format(Locale.ROOT, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  }
}

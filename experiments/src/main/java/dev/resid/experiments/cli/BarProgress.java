package dev.resid.experiments.cli;

import dev.resid.progress.Progress;
import java.io.PrintStream;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress as a bar that is redrawn in place, for a terminal. */
final class BarProgress implements Progress {
  private final PrintStream terminal;
  private final int columns;

  /**
   * Creates the listener.
   *
   * @param terminal where to draw
   * @param columns its width
   */
  BarProgress(PrintStream terminal, int columns) {
    this.terminal = terminal;
    this.columns = columns;
  }

  @Override
  public Task begin(String name, String unit, long done, long total) {
    ProgressBar bar =
        new ProgressBarBuilder()
            .setTaskName(name)
            .setInitialMax(total == 0 ? -1 : total)
            .startsFrom(done, Duration.ZERO)
            .setUnit(" " + unit, 1)
            .setStyle(ProgressBarStyle.ASCII)
            .showSpeed()
            .setSpeedUnit(ChronoUnit.SECONDS)
            .setUpdateIntervalMillis(250)
            .setConsumer(new ConsoleProgressBarConsumer(terminal, columns - 1))
            .build();
    return new Task() {
      @Override
      public void advanceTo(long count) {
        bar.stepTo(count);
      }

      @Override
      public void detail(String text) {
        bar.setExtraMessage(" " + text);
      }

      @Override
      public void close() {
        bar.close();
      }
    };
  }
}

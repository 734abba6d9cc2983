package dev.resid.experiments.study;

import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Where a whole run of a study over rows is computed. */
@FunctionalInterface
public interface RowRunner {
  /**
   * Runs a study.
   *
   * @param <T> what is known of a complete run
   * @param rows the study
   * @param folder where results go; created if it is missing
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @return the results; none if this process computed for another, which has them
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  <T> Optional<T> run(RowStudy<T> rows, Path folder, Progress progress, Workers workers)
      throws IOException;

  /** Returns a runner that computes in this process. */
  static RowRunner here() {
    return RowStudy::runHere;
  }
}

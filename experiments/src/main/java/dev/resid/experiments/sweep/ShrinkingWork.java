package dev.resid.experiments.sweep;

import dev.resid.backend.BackendFailureException;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntConsumer;

/**
 * Computes blocks in batches of a size that is made smaller, for this block and all after it, when
 * the memory of a device does not suffice. Results depend on it as little as on any other choice of
 * the size.
 *
 * @param <S> sizes of batches
 */
public final class ShrinkingWork<S> implements BlockWork {
  private final Function<S, BlockWork> work;
  private final Function<S, Optional<S>> smaller;
  private S sizes;

  /**
   * Prepares the work.
   *
   * @param sizes to begin with
   * @param smaller returns the next smaller sizes, or nothing if there are none
   * @param work returns the work with some sizes
   */
  public ShrinkingWork(S sizes, Function<S, Optional<S>> smaller, Function<S, BlockWork> work) {
    this.sizes = sizes;
    this.smaller = smaller;
    this.work = work;
  }

  @Override
  public double[][] compute(RowRange rows, IntConsumer progress) throws IOException {
    int[] most = {0};
    IntConsumer forward =
        done -> {
          if (done > most[0]) {
            most[0] = done;
            progress.accept(done);
          }
        };
    while (true) {
      try {
        return work.apply(sizes).compute(rows, forward);
      } catch (BackendFailureException e) {
        Optional<S> next = e.isOutOfMemory() ? smaller.apply(sizes) : Optional.empty();
        if (next.isEmpty()) {
          throw e;
        }
        System.getLogger(ShrinkingWork.class.getName())
            .log(
                System.Logger.Level.WARNING,
                "{0} Trying again with {1} instead of {2}.",
                e.getMessage(),
                next.get(),
                sizes);
        sizes = next.get();
      }
    }
  }
}

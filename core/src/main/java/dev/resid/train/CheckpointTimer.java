package dev.resid.train;

import java.util.function.LongSupplier;

/**
 * When a training run writes a checkpoint: every so many steps, and in between where that takes
 * long, so that a run that is stopped loses half a minute and not everything since its start.
 * Numbers do not depend on when checkpoints are written.
 */
public final class CheckpointTimer {
  private static final long HALF_A_MINUTE = 30_000_000_000L;

  /** Writing takes at most this part of the time. */
  private static final int PART = 20;

  private final int every;
  private final LongSupplier nanos;
  private long saved;
  private long took;

  /**
   * Starts the clock.
   *
   * @param every steps between checkpoints
   */
  public CheckpointTimer(int every) {
    this(every, System::nanoTime);
  }

  CheckpointTimer(int every, LongSupplier nanos) {
    this.every = every;
    this.nanos = nanos;
    this.saved = nanos.getAsLong();
  }

  /** Writes a checkpoint. */
  @FunctionalInterface
  public interface Save {
    /**
     * Writes it.
     *
     * @throws java.io.IOException if it cannot be written
     */
    void save() throws java.io.IOException;
  }

  /**
   * Writes a checkpoint if one is due.
   *
   * @param step steps done
   * @param save writes it
   * @return whether it was written
   * @throws java.io.IOException if it cannot be written
   */
  public boolean saveIfDue(long step, Save save) throws java.io.IOException {
    long start = nanos.getAsLong();
    if (step % every != 0 && start - saved < Math.max(HALF_A_MINUTE, PART * took)) {
      return false;
    }
    save.save();
    saved = nanos.getAsLong();
    took = saved - start;
    return true;
  }
}

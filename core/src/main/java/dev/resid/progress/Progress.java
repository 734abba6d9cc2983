package dev.resid.progress;

/**
 * Who is told how far a long computation is. Implementations derive percent, rate and time left
 * from the counts and the clock, and must be cheap: a computation reports after every step.
 */
@FunctionalInterface
public interface Progress {
  /**
   * Starts a task.
   *
   * @param name what is done, for example {@code training}
   * @param unit what is counted, in the plural, for example {@code tokens}
   * @param done units done by an earlier run that this one resumes, else 0; they count for the
   *     percentage and not for the rate
   * @param total units there are in all, or 0 where that is unknown
   * @return the task to report to, to be closed when the computation ends, however it ends
   */
  Task begin(String name, String unit, long done, long total);

  /** Returns a listener that ignores everything. */
  static Progress none() {
    return (name, unit, done, total) ->
        new Task() {
          @Override
          public void advanceTo(long count) {}

          @Override
          public void detail(String text) {}

          @Override
          public void close() {}
        };
  }

  /** One running computation. Called by one thread at a time. */
  interface Task extends AutoCloseable {
    /**
     * Reports how many units are done.
     *
     * @param count units done so far, those of earlier runs included
     */
    void advanceTo(long count);

    /**
     * Replaces what is shown beside the counts.
     *
     * @param text a few words, for example {@code loss 3.214}
     */
    void detail(String text);

    /** Ends the task. */
    @Override
    void close();
  }
}

package dev.resid.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Optional;

/** Tries again what may work later: busy servers, broken connections. */
final class Retries {
  /** Failures in a row after which nothing is tried any more. */
  static final int MAX_FAILURES = 5;

  /** A server that asks for more than this is not waited for. */
  static final Duration MAX_WAIT = Duration.ofMinutes(2);

  private final Sleeper sleeper;

  /** Waits; a test only notes it. */
  @FunctionalInterface
  interface Sleeper {
    void sleep(Duration time) throws InterruptedException;
  }

  /** Something that may fail for now. */
  @FunctionalInterface
  interface Attempt<T> {
    T run() throws IOException;
  }

  /** What failed may work later. */
  static final class ForNowException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient Optional<Duration> wait;

    ForNowException(String message, Optional<Duration> wait, Throwable cause) {
      super(message, cause);
      this.wait = wait;
    }

    ForNowException(String message, Throwable cause) {
      this(message, Optional.empty(), cause);
    }
  }

  Retries(Sleeper sleeper) {
    this.sleeper = sleeper;
  }

  /** Returns the result of the first attempt that does not fail for now. */
  <T> T call(Attempt<T> attempt) throws IOException {
    for (int failures = 1; ; failures++) {
      try {
        return attempt.run();
      } catch (ForNowException e) {
        waitAfter(failures, e);
      }
    }
  }

  /**
   * Waits before the next attempt.
   *
   * @param failures failures in a row so far
   * @throws HubException if that is enough
   */
  void waitAfter(int failures, ForNowException e) throws IOException {
    if (failures >= MAX_FAILURES) {
      throw new HubException(
          e.getMessage() + " (tried " + failures + " times); try again later", e);
    }
    Duration wait = e.wait.orElse(Duration.ofSeconds(1L << (failures - 1)));
    if (wait.compareTo(MAX_WAIT) > 0) {
      throw new HubException(
          e.getMessage() + " and asks to wait for " + wait.toSeconds() + " s; try again then", e);
    }
    sleep(wait);
  }

  void sleep(Duration time) throws InterruptedIOException {
    try {
      sleeper.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for the hub");
    }
  }
}

package dev.resid.experiments.cli;

import java.io.PrintWriter;
import java.nio.file.Path;

/** Says, if the process is stopped before this is closed, how its work is taken up again. */
final class StopNotice implements AutoCloseable {
  private final PrintWriter err;
  private final Path folder;
  private final Thread hook = new Thread(this::say, "resid-goes-on");

  /**
   * Begins to watch.
   *
   * @param err where it is said
   * @param folder of the run
   */
  StopNotice(PrintWriter err, Path folder) {
    this.err = err;
    this.folder = folder;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Says it. */
  void say() {
    err.println(
        "resid: what was finished is in " + folder + "; the same command goes on from there.");
    err.flush();
  }

  /** Returns whether it will be said at the end of the process. */
  boolean watches() {
    boolean watches = Runtime.getRuntime().removeShutdownHook(hook);
    if (watches) {
      Runtime.getRuntime().addShutdownHook(hook);
    }
    return watches;
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending already, and the sentence with it.
    }
  }
}

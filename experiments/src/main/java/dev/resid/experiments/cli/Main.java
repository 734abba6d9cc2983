package dev.resid.experiments.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;

/** Where the {@code resid} program starts. */
public final class Main {
  private Main() {}

  /**
   * Runs one command and ends the process with its exit code: 0 when it did what was asked, 1 for
   * bad data or a failure, 2 for wrong usage, 141 when the reader of standard output went away.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    exitAfter((out, err) -> ResidCommand.execute(out, err, args));
  }

  /** A program with an exit code. */
  @FunctionalInterface
  public interface Program {
    /**
     * Runs it.
     *
     * @param out standard output
     * @param err standard error
     * @return its exit code
     */
    int run(PrintWriter out, PrintWriter err);
  }

  /**
   * Runs a program on the standard streams, in UTF-8, and ends the process with its exit code.
   *
   * @param program run once
   */
  public static void exitAfter(Program program) {
    String format = "java.util.logging.SimpleFormatter.format";
    if (System.getProperty(format) == null) {
      System.setProperty(format, "resid: %4$s: %5$s%n");
    }
    PrintWriter err =
        new PrintWriter(
            new OutputStreamWriter(
                new FileOutputStream(FileDescriptor.err), StandardCharsets.UTF_8),
            true);
    PrintWriter out =
        StandardOutput.writer(new FileOutputStream(FileDescriptor.out), StandardCharsets.UTF_8);
    AtomicBoolean finished = new AtomicBoolean();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (!finished.get()) {
                    if (Terminal.onStandardError()) {
                      err.println(); // below the bar
                    }
                    err.println("resid: stopped before the command was finished.");
                  }
                },
                "resid-stopped"));
    int code = program.run(out, err);
    finished.set(true);
    System.exit(code);
  }
}

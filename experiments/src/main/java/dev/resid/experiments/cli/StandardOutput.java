package dev.resid.experiments.cli;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;

/**
 * Standard output whose failures are seen. A {@link PrintWriter} swallows them, so that a command
 * whose reader went away would compute on for nobody and one on a full disk would report success.
 */
final class StandardOutput extends OutputStream {
  private final OutputStream target;
  private boolean failed;

  private StandardOutput(OutputStream target) {
    this.target = target;
  }

  /** Returns a writer that throws {@link FailedException} when the target refuses bytes. */
  static PrintWriter writer(OutputStream target, Charset charset) {
    return new PrintWriter(
        new OutputStreamWriter(new BufferedOutputStream(new StandardOutput(target)), charset),
        true);
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    if (failed) {
      return; // said once already; what is still buffered cannot be delivered
    }
    try {
      target.write(bytes, offset, length);
    } catch (IOException e) {
      failed = true;
      throw new FailedException(e);
    }
  }

  /** Standard output refused bytes. */
  static final class FailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private FailedException(IOException cause) {
      super("cannot write to standard output: " + cause.getMessage(), cause);
    }

    /** Returns whether the reader went away, which is no error of anybody's. */
    boolean readerIsGone() {
      return getCause().getMessage() != null && getCause().getMessage().contains("Broken pipe");
    }
  }
}

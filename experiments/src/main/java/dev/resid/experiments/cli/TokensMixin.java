package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The required option {@code --tokens}. */
final class TokensMixin {
  /** Positions to run at a time: enough for a backend to be busy, without much memory. */
  private static final int POSITIONS_AT_A_TIME = 4096;

  @Option(
      names = "--tokens",
      required = true,
      paramLabel = "FILE",
      description = "Rows of token ids: [[id, ...], ...].")
  private Path file;

  /** Called by picocli. */
  TokensMixin() {}

  /**
   * Reads the rows.
   *
   * @throws IOException if the file cannot be read or is not of the form
   */
  TokenBatch read() throws IOException {
    return TokenBatch.readJson(file);
  }

  /**
   * Refuses rows that do not suit a model, before anything is computed.
   *
   * @throws IOException if a token or a length is out of range; the message names file and row
   */
  void requireFit(TokenBatch tokens, Gpt2 gpt2) throws IOException {
    requireFit(tokens, gpt2, file);
  }

  /**
   * Refuses rows that do not suit a model, before anything is computed.
   *
   * @param file where they were read
   * @throws IOException if a token or a length is out of range; the message names file and row
   */
  static void requireFit(TokenBatch tokens, Gpt2 gpt2, Path file) throws IOException {
    try {
      gpt2.requireTokens(tokens);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  /** Returns the file as it was given. */
  Path file() {
    return file;
  }

  /** Returns how many rows of a batch to run at a time. A row's numbers do not depend on it. */
  static int rowsAtATime(TokenBatch tokens) {
    return Math.max(1, POSITIONS_AT_A_TIME / tokens.maxLength());
  }
}

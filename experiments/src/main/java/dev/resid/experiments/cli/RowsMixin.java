package dev.resid.experiments.cli;

import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The options {@code --text}, {@code --tokens}, {@code --rows} and {@code --row-length}: rows of
 * tokens to run a model on, from the text that ships with Resid if nothing is given.
 */
final class RowsMixin {
  private static final int ROW_LENGTH = 128;

  /** Rows of the embedded text that the embedded model gets through in well under a minute. */
  static final int EMBEDDED_ROWS = 96;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @ArgGroup private Source source;

  /** Where tokens come from. */
  private static final class Source {
    @Option(
        names = "--text",
        paramLabel = "FILE",
        description =
            "UTF-8 text; lines of <|endoftext|> stand between documents. The text that ships with"
                + " Resid if left out.")
    private Path text;

    @Option(
        names = "--tokens",
        paramLabel = "FILE",
        description = "Rows of token ids, JSON [[id, ...], ...], used as they are.")
    private Path tokens;
  }

  @Option(
      names = "--rows",
      paramLabel = "N",
      description =
          "Rows of tokens; if left out, all that the text gives, or as many of the text that ships"
              + " with Resid as take a minute or two.")
  private Integer rows;

  @Option(
      names = "--row-length",
      paramLabel = "N",
      description =
          "Tokens of a row, the begin-of-text token included; 128 if left out, or the model's"
              + " context where that is shorter.")
  private Integer rowLength;

  /** Called by picocli. */
  RowsMixin() {}

  /**
   * Returns what the rows come from, without the folder of a file, which differs between machines.
   */
  String name() {
    if (source == null) {
      return "embedded passages";
    }
    return (source.text != null ? source.text : source.tokens).getFileName().toString();
  }

  /** Returns what the rows come from, with the folder of a file, for errors. */
  private String place() {
    if (source == null) {
      return name();
    }
    return (source.text != null ? source.text : source.tokens).toString();
  }

  /**
   * Reads the rows.
   *
   * @param gpt2 whose tokenizer and context are used
   * @param embeddedRows how many of the text that ships with Resid, if no number was given
   * @throws ParameterException if an option is out of range
   * @throws IOException if a file cannot be read, gives too few rows, or a token is not the model's
   */
  TokenBatch tokens(Gpt2 gpt2, int embeddedRows) throws IOException {
    Usage usage = new Usage(mixee);
    usage.requireAtLeast("--rows", rows, 1);
    usage.requireAtLeast("--row-length", rowLength, 3);
    if (rowLength != null && source != null && source.tokens != null) {
      throw usage.wrong("--row-length is for --text; rows of --tokens are used as they are");
    }
    TokenBatch tokens =
        source != null && source.tokens != null
            ? TokenBatch.readJson(source.tokens)
            : pack(gpt2, embeddedRows);
    try {
      gpt2.requireTokens(tokens);
    } catch (IllegalArgumentException e) {
      throw new IOException(place() + ": " + e.getMessage(), e);
    }
    if (rows == null) {
      return tokens;
    }
    if (tokens.rows() < rows) {
      throw new IOException(
          place()
              + " gives "
              + tokens.rows()
              + " rows, "
              + rows
              + " were asked for; use more text or a smaller --rows.");
    }
    return tokens.slice(0, rows);
  }

  private TokenBatch pack(Gpt2 gpt2, int embeddedRows) throws IOException {
    Gpt2Config config = gpt2.config();
    if (rowLength != null && rowLength > config.nCtx()) {
      throw new ParameterException(
          mixee.commandLine(),
          "--row-length is " + rowLength + ", the model's context is " + config.nCtx());
    }
    int length = rowLength == null ? Math.min(ROW_LENGTH, config.nCtx()) : rowLength;
    int most = rows != null ? rows : source == null ? embeddedRows : Integer.MAX_VALUE;
    try (Documents documents =
        source == null ? Documents.embedded() : Documents.open(source.text)) {
      return RowPacker.pack(
          documents,
          gpt2.tokenizer(),
          BeginOfText.of(gpt2, "make the rows yourself and pass them with --tokens"),
          length,
          most);
    }
  }
}

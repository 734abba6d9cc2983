package dev.resid.experiments.cli;

import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options {@code --text}, {@code --tokens}, {@code --rows} and {@code --row-length}. */
final class RowsMixin {
  private static final int ROW_LENGTH = 128;
  private static final int SHORTEST_ROW = 3;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @ArgGroup private Source source;

  /** Where tokens come from; the text that ships with Resid if nothing is given. */
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
   * Returns the rows asked for.
   *
   * @param gpt2 whose tokenizer and context are used
   * @param embeddedRows how many if the text that ships with Resid is used and no number was given
   * @throws ParameterException if a number is too small
   * @throws IOException if a file cannot be read
   */
  TokenBatch tokens(Gpt2 gpt2, int embeddedRows) throws IOException {
    requireAtLeast("--rows", rows, 1);
    requireAtLeast("--row-length", rowLength, SHORTEST_ROW);
    if (source != null && source.tokens != null) {
      return firstRows(TokenBatch.readJson(source.tokens));
    }
    Gpt2Config config = gpt2.config();
    int length = rowLength == null ? Math.min(ROW_LENGTH, config.nCtx()) : rowLength;
    int all = source == null ? embeddedRows : Integer.MAX_VALUE;
    int most = rows == null ? all : rows;
    int bos = bos(gpt2);
    try (Documents documents =
        source == null ? Documents.embedded() : Documents.open(source.text)) {
      return firstRows(RowPacker.pack(documents, gpt2.tokenizer(), bos, length, most));
    }
  }

  private TokenBatch firstRows(TokenBatch tokens) {
    if (rows == null) {
      return tokens;
    }
    if (tokens.rows() < rows) {
      throw new IllegalArgumentException(
          name()
              + " gives "
              + tokens.rows()
              + " rows, "
              + rows
              + " were asked for; use more text or a smaller --rows");
    }
    return tokens.slice(0, rows);
  }

  private static int bos(Gpt2 gpt2) {
    OptionalInt named = gpt2.config().bosToken();
    OptionalInt end = named.isPresent() ? named : gpt2.config().eosToken();
    OptionalInt token = end.isPresent() ? end : gpt2.tokenizer().endOfText();
    return token.orElseThrow(
        () ->
            new IllegalArgumentException(
                "neither the model nor its tokenizer names a token that begins a text; make the"
                    + " rows yourself and pass them with --tokens"));
  }

  /** Returns the file's name without its folder, which differs between machines. */
  String name() {
    if (source == null) {
      return "embedded passages";
    }
    return (source.text != null ? source.text : source.tokens).getFileName().toString();
  }

  private void requireAtLeast(String option, Integer value, int least) {
    if (value != null && value < least) {
      throw new ParameterException(
          mixee.commandLine(), option + " is " + value + ", must be at least " + least);
    }
  }
}

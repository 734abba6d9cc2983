package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TextDocuments;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.TextLoss;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code resid loss}: how well a model predicts text. */
@Command(
    name = "loss",
    description = {
      "Measure the mean cross-entropy of text or token rows.",
      "Text is cut, document by document (lines that hold only <|endoftext|> separate them), into"
          + " rows that begin with the end-of-text token and do not overlap, so every token is"
          + " predicted once. Token rows are used as they are; their first token is not predicted."
    },
    footer = {
      "",
      "With --json: {\"natsPerToken\": ..., \"bitsPerByte\": ..., \"tokens\": ..., \"rows\": ...,",
      "\"utf8Bytes\": ...}, where tokens are those predicted, and bitsPerByte and utf8Bytes are"
          + " null",
      "with --tokens.",
      "",
      "Example:",
      "  resid loss --text book.txt"
    })
final class LossCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private ProgressMixin progress;

  @ArgGroup(multiplicity = "1")
  private Input input = new Input();

  @Option(
      names = "--row-length",
      paramLabel = "N",
      description = "Tokens a row of text, the first included; the model's context if left out.")
  private Integer rowLength;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  /** Called by picocli. */
  LossCommand() {}

  /** What to measure. */
  static final class Input {
    @Option(
        names = "--text",
        arity = "1..*",
        paramLabel = "FILE",
        description = "UTF-8 text: files, and folders of .txt files.")
    private List<Path> text = new ArrayList<>();

    @Option(
        names = "--tokens",
        paramLabel = "FILE",
        description = "Rows of token ids: [[id, ...], ...].")
    private Path tokens;

    /** Called by picocli. */
    Input() {}
  }

  @Override
  public Integer call() throws IOException {
    if (rowLength != null && (input.tokens != null || rowLength < 2)) {
      throw new ParameterException(
          spec.commandLine(),
          input.tokens != null
              ? "--row-length is for --text; rows of --tokens are used as they are"
              : "--row-length is " + rowLength + ", must be at least 2");
    }
    print(input.tokens == null ? ofText() : ofTokens());
    return ResidCommand.OK;
  }

  private TextLoss ofText() throws IOException {
    List<Path> files = TextFiles.expand(input.text);
    List<String> documents = new ArrayList<>();
    for (Path file : files) {
      documents.addAll(TextDocuments.all(file));
    }
    if (documents.isEmpty()) {
      throw new IOException(
          (files.size() == 1 ? files.getFirst() + " holds" : "the files hold")
              + " no text, so there is nothing to predict.");
    }
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      int context = gpt2.config().nCtx();
      if (rowLength != null && rowLength > context) {
        throw new IllegalArgumentException(
            "--row-length is " + rowLength + ", the model's context is " + context + ".");
      }
      return TextLoss.of(gpt2, documents, rowLength == null ? context : rowLength, told());
    }
  }

  private TextLoss ofTokens() throws IOException {
    TokenBatch batch = TokenBatch.readJson(input.tokens);
    if (batch.maxLength() < 2) {
      throw new IOException(
          input.tokens + ": no row has two tokens, so there is no next token to predict.");
    }
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      TokensMixin.requireFit(batch, gpt2, input.tokens);
      return TextLoss.of(gpt2, batch, told());
    }
  }

  private Progress told() {
    return progress.progress();
  }

  private void print(TextLoss loss) {
    PrintWriter out = spec.commandLine().getOut();
    boolean text = loss.utf8Bytes() > 0;
    if (json) {
      Map<String, Object> values = new LinkedHashMap<>();
      values.put("natsPerToken", loss.natsPerToken());
      values.put("bitsPerByte", text ? loss.bitsPerByte() : null);
      values.put("tokens", loss.predicted());
      values.put("rows", loss.rows());
      values.put("utf8Bytes", text ? loss.utf8Bytes() : null);
      out.println(new JsonMapper().writeValueAsString(values));
      return;
    }
    out.printf(Locale.ROOT, "%.4f nats per token%n", loss.natsPerToken());
    if (text) {
      out.printf(Locale.ROOT, "%.4f bits per UTF-8 byte%n", loss.bitsPerByte());
    }
    out.printf(
        Locale.ROOT,
        "%,d %s predicted in %,d %s%n",
        loss.predicted(),
        loss.predicted() == 1 ? "token" : "tokens",
        loss.rows(),
        loss.rows() == 1 ? "row" : "rows");
  }
}

package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.TextCorpus;
import dev.resid.train.TextLoss;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid loss}: how well a model predicts text. */
@Command(
    name = "loss",
    description = {
      "Measure the mean cross-entropy of text or token rows.",
      "Text is cut, document by document (lines that hold only <|endoftext|> separate them), into"
          + " rows that begin with the end-of-text token and do not overlap, so every token is"
          + " predicted once. Token rows are used as they are; their first token is not predicted."
    },
    footer = {"", "Example:", "  resid loss --text book.txt"})
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
        split = ",",
        paramLabel = "FILE",
        description = "UTF-8 text; several files separated by commas.")
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
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      TextLoss loss =
          input.tokens == null
              ? TextLoss.of(
                  gpt2,
                  documents(),
                  rowLength == null ? gpt2.config().nCtx() : rowLength,
                  progress.progress())
              : TextLoss.of(gpt2, TokenBatch.readJson(input.tokens), progress.progress());
      print(loss);
    }
    return ResidCommand.OK;
  }

  private List<String> documents() throws IOException {
    List<String> documents = new ArrayList<>();
    for (Path file : input.text) {
      documents.addAll(TextCorpus.documents(TextFiles.read(file)));
    }
    return documents;
  }

  private void print(TextLoss loss) {
    PrintWriter out = spec.commandLine().getOut();
    boolean text = loss.utf8Bytes() > 0;
    if (json) {
      out.printf(
          Locale.ROOT,
          "{\"natsPerToken\": %s, \"bitsPerByte\": %s, \"tokens\": %d, \"rows\": %d, \"utf8Bytes\":"
              + " %s}%n",
          loss.natsPerToken(),
          text ? String.valueOf(loss.bitsPerByte()) : "null",
          loss.predicted(),
          loss.rows(),
          text ? String.valueOf(loss.utf8Bytes()) : "null");
      return;
    }
    out.printf(Locale.ROOT, "%.4f nats per token%n", loss.natsPerToken());
    if (text) {
      out.printf(Locale.ROOT, "%.4f bits per UTF-8 byte%n", loss.bitsPerByte());
    }
    out.printf(Locale.ROOT, "%d tokens predicted in %d rows%n", loss.predicted(), loss.rows());
  }
}

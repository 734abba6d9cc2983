package dev.resid.experiments.cli;

import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.sensitivity.Lengths;
import dev.resid.experiments.sensitivity.SensitivityOptions;
import dev.resid.experiments.sensitivity.SensitivityOutcome;
import dev.resid.experiments.sensitivity.SensitivityStudy;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid sensitivity}: the first figure of the sensitive-directions work. */
@Command(
    name = "sensitivity",
    description = {
      "Measure how much the prediction changes when the residual stream is moved: KL and L2",
      "against the length of the move, in isotropic, cov-random and real directions.",
      "Without options it runs the model and the text that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, results.csv, figures and run.json. Stopped at any moment, the",
      "same command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid sensitivity",
      "  resid sensitivity --model models/gpt2 --text openwebtext.txt --rows 16000 --layer 6 --out"
          + " gpt2-layer6",
      "  resid sensitivity --model models/gpt2 --text openwebtext.txt --shard 0/4 --out shard0"
    })
final class SensitivityCommand implements Callable<Integer> {
  private static final int ROW_LENGTH = 128;

  /** Rows of the embedded text that the embedded model gets through in a minute on two cores. */
  private static final int EMBEDDED_ROWS = 96;

  private static final int GPT2_SMALL_LAYERS = 12;
  private static final int GPT2_SMALL_WIDTH = 768;

  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backendOptions;
  @Mixin private ProgressMixin progress;

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
      names = "--layer",
      paramLabel = "L",
      description = "Block whose resid_pre is perturbed; the middle one if left out.")
  private Integer layer;

  @Option(
      names = "--rows",
      paramLabel = "N",
      description =
          "Rows of tokens; if left out, all that the text gives, or the first 96 of the text that"
              + " ships with Resid.")
  private Integer rows;

  @Option(
      names = "--row-length",
      paramLabel = "N",
      description =
          "Tokens of a row, the begin-of-text token included; 128 if left out, or the model's"
              + " context where that is shorter.")
  private Integer rowLength;

  @Option(
      names = "--lengths",
      paramLabel = "LIST",
      description =
          "Perturbation lengths: numbers such as 1,3,10; published (1 to 101); or scaled"
              + " (published, times the mean distance of activations over GPT-2's). Published for"
              + " models of GPT-2 small's size, scaled for others if left out.")
  private String lengths;

  @Option(
      names = "--directions",
      paramLabel = "LIST",
      split = ",",
      description =
          "Which directions: isotropic, cov-random-difference, cov-random-mixture,"
              + " real-difference, real-mixture; all if left out.")
  private List<String> directions;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of all random draws; ${DEFAULT-VALUE} if left out, as published.")
  private long seed = SensitivityOptions.DEFAULT_SEED;

  @Option(
      names = "--pool",
      paramLabel = "N",
      description =
          "Real activations are drawn from so many, chosen at random; ${DEFAULT-VALUE} if left"
              + " out.")
  private int pool = SensitivityOptions.DEFAULT_POOL;

  @Option(
      names = "--ridge",
      paramLabel = "X",
      description =
          "Added to the diagonal of the covariance; ${DEFAULT-VALUE} if left out, as published.")
  private double ridge = SensitivityOptions.DEFAULT_RIDGE;

  @Option(
      names = "--shard",
      paramLabel = "I/N",
      description = "Compute one of N parts, counted from 0.")
  private String shard;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Rows at a time; what fits if left out. Results do not depend on it.")
  private Integer batch;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Output folder; sensitivity if left out.")
  private Path out;

  /** Called by picocli. */
  SensitivityCommand() {}

  @Override
  public Integer call() throws IOException {
    requireAtLeast("--rows", rows, 1);
    requireAtLeast("--row-length", rowLength, 3);
    requireAtLeast("--batch", batch, 1);
    requireAtLeast("--layer", layer, 0);
    Shard part = usage(() -> shard == null ? Shard.WHOLE : Shard.parse(shard));
    Lengths asked = usage(() -> lengths == null ? null : Lengths.parse(lengths));
    List<SweptDirection> kinds =
        usage(
            () ->
                directions == null
                    ? SensitivityOptions.baselines()
                    : directions.stream().map(SweptDirection::of).toList());
    RunFolder.requireUsable(folder(part));
    PrintWriter err = spec.commandLine().getErr();
    PrintWriter console = spec.commandLine().getOut();
    try (Backend backend = backendOptions.open();
        Workers workers = new Workers(backendOptions.threads())) {
      Gpt2 gpt2 = model.load(backend);
      Gpt2Config config = gpt2.config();
      SensitivityOptions options =
          new SensitivityOptions(
              tokens(gpt2),
              sourceName(),
              layer == null ? config.nLayers() / 2 : layer,
              asked == null ? defaultLengths(config) : asked,
              kinds,
              List.of(),
              seed,
              pool,
              ridge,
              part,
              batch == null ? 0 : batch);
      SensitivityStudy study = new SensitivityStudy(gpt2, options);
      if (!progress.quiet()) {
        err.println(study.plan() + ".");
      }
      print(console, study.run(folder(part), progress.progress(), workers));
    }
    return ResidCommand.OK;
  }

  /** Prints what was found and where it is. */
  static void print(PrintWriter console, SensitivityOutcome outcome) {
    if (outcome.report().isEmpty()) {
      console.println(
          "This part is finished: "
              + outcome.folder()
              + ". When all are, put them together with 'resid merge OUT FOLDERS...'.");
      return;
    }
    for (Finding finding : outcome.findings()) {
      console.println(finding.expected() + ": " + finding.verdict().words() + ".");
    }
    console.println("Report: " + outcome.report().get());
  }

  private TokenBatch tokens(Gpt2 gpt2) throws IOException {
    if (source != null && source.tokens != null) {
      TokenBatch given = firstRows(TokenBatch.readJson(source.tokens));
      TokensMixin.requireFit(given, gpt2, source.tokens);
      return given;
    }
    Gpt2Config config = gpt2.config();
    int length = rowLength == null ? Math.min(ROW_LENGTH, config.nCtx()) : rowLength;
    int all = source == null ? EMBEDDED_ROWS : Integer.MAX_VALUE;
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
          sourceName()
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
  private String sourceName() {
    if (source == null) {
      return "embedded passages";
    }
    return (source.text != null ? source.text : source.tokens).getFileName().toString();
  }

  private static Lengths defaultLengths(Gpt2Config config) {
    return config.nLayers() == GPT2_SMALL_LAYERS && config.dModel() == GPT2_SMALL_WIDTH
        ? new Lengths.Published()
        : new Lengths.Scaled();
  }

  private Path folder(Shard part) {
    if (out != null) {
      return out;
    }
    return Path.of(
        part.count() == 1 ? "sensitivity" : "sensitivity-" + part.index() + "-of-" + part.count());
  }

  private void requireAtLeast(String option, Integer value, int least) {
    if (value != null && value < least) {
      throw new ParameterException(
          spec.commandLine(), option + " is " + value + ", must be at least " + least);
    }
  }

  private <T> T usage(java.util.function.Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}

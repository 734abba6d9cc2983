package dev.resid.experiments.cli;

import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeMismatchException;
import dev.resid.sae.metric.WeightsFit;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid sae check}: which weights of a model an SAE was trained on. */
@Command(
    name = "check",
    description = {
      "Reconstruct activations of a model with raw and with TransformerLens' weights, and say which"
          + " of the two the SAE was trained on: the one it reconstructs better.",
      "The error is the squared distance of reconstruction and activation as a part of the"
          + " activations' variance, without the first position of each row, whose norm is far"
          + " above all others'."
    },
    footer = {"", "Example:", "  resid sae check --sae my-sae --model models/gpt2"})
final class SaeCheckCommand implements Callable<Integer> {
  private static final int ROWS = 16;
  private static final int ROW_LENGTH = 128;

  @Spec private CommandSpec spec;
  @Mixin private SaeMixin sae;
  @Mixin private ModelFolderMixin folder;
  @Mixin private BackendOptionsMixin backends;

  @Option(
      names = "--tokens",
      paramLabel = "FILE",
      description =
          "Rows of token ids, [[id, ...], ...]; passages that ship with Resid if left out.")
  private Path tokens;

  /** Called by picocli. */
  SaeCheckCommand() {}

  @Override
  public Integer call() throws IOException {
    try (Backend backend = backends.open()) {
      Sae loaded = sae.load(backend);
      SaeConfig config = loaded.config();
      WeightsFit fit =
          new WeightsFit(
              unexplained(loaded, WeightsState.RAW, backend),
              unexplained(loaded, WeightsState.TRANSFORMER_LENS, backend));
      PrintWriter out = spec.commandLine().getOut();
      line(out, "sae", config.name() + " at " + config.point());
      line(out, "stated", config.weights().map(WeightsState::name).orElse("nothing"));
      line(out, "raw", shown(fit.raw()));
      line(out, "transformerlens", shown(fit.transformerLens()));
      line(out, "verdict", verdict(fit, config.weights()));
    }
    return ResidCommand.OK;
  }

  private double unexplained(Sae loaded, WeightsState state, Backend backend) throws IOException {
    Gpt2 gpt2 = SaeMixin.model(folder, state, backend);
    TokenBatch rows = rows(gpt2);
    try {
      return WeightsFit.unexplained(loaded, gpt2, rows);
    } catch (SaeMismatchException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new IOException(name() + ": " + e.getMessage() + ".", e);
    }
  }

  private TokenBatch rows(Gpt2 gpt2) throws IOException {
    if (tokens != null) {
      TokenBatch given = TokenBatch.readJson(tokens);
      TokensMixin.requireFit(given, gpt2, tokens);
      return given;
    }
    if (!gpt2.hasTokenizer()) {
      throw new IOException(
          folder.name() + " has no tokenizer files, so text cannot be read; add --tokens.");
    }
    int begin = BeginOfText.of(gpt2, "add --tokens");
    try (Documents documents = Documents.embedded()) {
      return RowPacker.pack(
          documents, gpt2.tokenizer(), begin, Math.min(ROW_LENGTH, gpt2.config().nCtx()), ROWS);
    }
  }

  private String name() {
    return tokens == null ? folder.name() : tokens.toString();
  }

  /** Returns which weights the two errors speak for, and how that stands to what is stated. */
  static String verdict(WeightsFit fit, Optional<WeightsState> stated) {
    if (fit.better().isEmpty()) {
      return stated
          .map(state -> "both fit alike; nothing speaks against the stated " + state.name())
          .orElse("both fit alike; either may be stated");
    }
    String better = fit.better().get().name();
    if (stated.isEmpty()) {
      return better + " fits: add --weights " + better;
    }
    return stated.get().name().equals(better)
        ? better + " fits, as stated"
        : better + " fits, although " + stated.get().name() + " is stated";
  }

  private static String shown(double error) {
    return String.format(Locale.ROOT, "error %.6g of the variance", error);
  }

  private static void line(PrintWriter out, String name, String value) {
    out.printf(Locale.ROOT, "%-16s %s%n", name, value);
  }
}

package dev.resid.experiments.cli;

import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
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

  /**
   * Errors this close, as a part of the smaller, decide nothing. An SAE that layer-normalises what
   * it reads sees no difference but rounding, and one of a model whose activations have a mean near
   * 0 differs by a few percent either way; others err by several times more on weights that they
   * were not trained on.
   */
  private static final double UNDECIDED = 0.1;

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
      if (!config.outputPoint().equals(config.point())) {
        throw new IOException(
            config.name() + " is a transcoder, which does not reconstruct what it reads.");
      }
      double raw = error(loaded, WeightsState.RAW, backend);
      double processed = error(loaded, WeightsState.TRANSFORMER_LENS, backend);
      PrintWriter out = spec.commandLine().getOut();
      line(out, "sae", config.name() + " at " + config.point());
      line(out, "stated", config.weights().map(WeightsState::name).orElse("nothing"));
      line(out, "raw", shown(raw));
      line(out, "transformerlens", shown(processed));
      line(out, "verdict", verdict(raw, processed, config.weights()));
    }
    return ResidCommand.OK;
  }

  /** Returns Σ‖x̂ − x‖² / Σ‖x − mean‖² over all positions but the first of each row. */
  private double error(Sae loaded, WeightsState state, Backend backend) throws IOException {
    Gpt2 gpt2 = SaeMixin.model(folder, state, backend);
    SaePoints.requireFit(loaded.config(), gpt2);
    TokenBatch rows = rows(gpt2);
    HookPoint point = loaded.hookPoint();
    List<float[]> activations = new ArrayList<>();
    double squares = 0;
    for (int row = 0; row < rows.rows(); row++) {
      Tensor x = gpt2.capture(rows.slice(row, row + 1), point.capture()).get(point);
      float[] values = x.toArray();
      float[] made = loaded.reconstruct(x).toArray();
      activations.add(values);
      for (int i = loaded.config().dIn(); i < values.length; i++) {
        squares += Math.pow((double) made[i] - values[i], 2);
      }
    }
    double variance = variance(activations, loaded.config().dIn());
    if (!(variance > 0)) {
      throw new IOException(
          name() + ": all activations at " + point + " are equal; use longer rows of tokens.");
    }
    return squares / variance;
  }

  private static double variance(List<float[]> rows, int width) {
    double[] mean = new double[width];
    long count = 0;
    for (float[] row : rows) {
      for (int i = width; i < row.length; i++) {
        mean[i % width] += row[i];
      }
      count += row.length / width - 1;
    }
    double sum = 0;
    for (float[] row : rows) {
      for (int i = width; i < row.length; i++) {
        sum += Math.pow(row[i] - mean[i % width] / count, 2);
      }
    }
    return sum;
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
    OptionalInt named = gpt2.config().bosToken();
    OptionalInt end = named.isPresent() ? named : gpt2.tokenizer().endOfText();
    int begin =
        end.orElseThrow(
            () ->
                new IOException(
                    folder.name() + " names no beginning-of-text token; add --tokens."));
    try (Documents documents = Documents.embedded()) {
      return RowPacker.pack(
          documents, gpt2.tokenizer(), begin, Math.min(ROW_LENGTH, gpt2.config().nCtx()), ROWS);
    }
  }

  private String name() {
    return tokens == null ? folder.name() : tokens.toString();
  }

  /** Returns which weights the two errors speak for, and how that stands to what is stated. */
  static String verdict(double raw, double processed, Optional<WeightsState> stated) {
    if (Math.abs(raw - processed) <= UNDECIDED * Math.min(raw, processed)) {
      return stated
          .map(state -> "both fit alike; nothing speaks against the stated " + state.name())
          .orElse("both fit alike; either may be stated");
    }
    String better = (raw < processed ? WeightsState.RAW : WeightsState.TRANSFORMER_LENS).name();
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

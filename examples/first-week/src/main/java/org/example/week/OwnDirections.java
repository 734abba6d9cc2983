package org.example.week;

import static dev.resid.tensor.Axis.D_MODEL;
import static dev.resid.tensor.Axis.D_VOCAB;

import dev.resid.backend.Backends;
import dev.resid.experiments.direction.DirectionRule;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.sensitivity.Lengths;
import dev.resid.experiments.sensitivity.SensitivityOptions;
import dev.resid.experiments.sensitivity.SensitivityStudy;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.model.Gpt2;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The published sensitivity experiment with a family of directions that it does not have: what the
 * unembedding reads, the difference of two tokens' columns of W_U.
 */
public final class OwnDirections {
  private OwnDirections() {}

  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args.length > 0 ? args[0] : "own-directions");
    try (Backend backend = Backends.fastest();
        Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
      System.out.println(run(Gpt2.embedded(backend), 32, folder, workers).report());
    }
  }

  static StudyOutcome run(Gpt2 gpt2, int rows, Path folder, Workers workers) throws IOException {
    TokenBatch tokens;
    try (Documents text = Documents.embedded()) {
      int bos = gpt2.beginOfText().orElseThrow();
      tokens = RowPacker.pack(text, gpt2.tokenizer(), bos, 32, rows);
    }
    List<SweptDirection> directions = new ArrayList<>();
    directions.add(SweptDirection.of("isotropic"));
    directions.add(SweptDirection.of("real-mixture"));
    directions.add(SweptDirection.own("token difference", tokenDifferences(gpt2)));
    SensitivityOptions options =
        SensitivityOptions.of(tokens, "embedded passages", 3)
            .withLengths(new Lengths.Given(5, 10, 20, 40))
            .withDirections(directions);
    return new SensitivityStudy(gpt2, options).run(folder, Progress.none(), workers);
  }

  /** Returns W_U[a] − W_U[b] of two tokens drawn for every row and position. */
  private static DirectionRule tokenDifferences(Gpt2 gpt2) {
    Tensor W_U = gpt2.weights().lens(Weight.of(WeightNames.W_U)); // [d_model, d_vocab]
    int width = W_U.shape().size(D_MODEL);
    int tokens = W_U.shape().size(D_VOCAB);
    float[] all = W_U.toArray();
    return place -> {
      int a = (int) (place.uniform(0) * tokens);
      int b = (a + 1 + (int) (place.uniform(1) * (tokens - 1))) % tokens;
      float[] difference = new float[width];
      for (int c = 0; c < width; c++) {
        difference[c] = all[c * tokens + a] - all[c * tokens + b];
      }
      return difference;
    };
  }
}

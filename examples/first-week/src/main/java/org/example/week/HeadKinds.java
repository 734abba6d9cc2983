package org.example.week;

import static dev.resid.tensor.Axis.BATCH;
import static dev.resid.tensor.Axis.HEAD;

import dev.resid.backend.Backends;
import dev.resid.experiments.report.HeatMap;
import dev.resid.experiments.report.HeatMap.Cells;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What kind of head is each: random tokens, twice in a row, and how much a head looks at the token
 * before, at the same token's first occurrence, and at what came after that (induction).
 */
public final class HeadKinds {
  private static final int PERIOD = 30;
  private static final int ROWS = 4;

  private HeadKinds() {}

  public static void main(String[] args) throws IOException {
    try (Backend backend = Backends.fastest()) {
      HeatMap map = map(Gpt2.embedded(backend));
      Path file = Path.of(args.length > 0 ? args[0] : "head-kinds.svg");
      Files.writeString(file, map.toSvg());
      System.out.println(file);
    }
  }

  static HeatMap map(Gpt2 gpt2) {
    TokenBatch tokens = repeated(gpt2);
    List<HookPoint> points =
        HookPoint.matching(gpt2.config().nLayers(), "blocks.*.attn.hook_pattern");
    ActivationCache cache = gpt2.capture(tokens, Capture.each(points));
    List<Tensor> patterns = // of each layer [head, pos, key_pos]
        points.stream().map(point -> cache.get(point).mean(BATCH)).toList();
    return new HeatMap(
        "What heads look at",
        "random tokens, " + PERIOD + " of them, twice; mean over " + ROWS + " rows",
        gpt2.source(),
        "attention",
        List.of(
            cells("the token before", patterns, 1),
            cells("the same token", patterns, PERIOD),
            cells("what came after it", patterns, PERIOD - 1)));
  }

  /** Rows of a beginning and random tokens that come twice. */
  private static TokenBatch repeated(Gpt2 gpt2) {
    CounterRandom random = new CounterRandom(1);
    int[][] rows = new int[ROWS][1 + 2 * PERIOD];
    for (int row = 0; row < ROWS; row++) {
      rows[row][0] = gpt2.beginOfText().orElseThrow();
      for (int pos = 1; pos < rows[row].length; pos++) {
        rows[row][pos] = random.below(gpt2.config().dVocab(), row, 0, (pos - 1) % PERIOD);
      }
    }
    return TokenBatch.of(rows);
  }

  /** Mean attention of every head to the key that is so many positions back. */
  private static Cells cells(String title, List<Tensor> patterns, int back) {
    int heads = patterns.getFirst().shape().size(HEAD);
    double[][] means = new double[patterns.size()][heads];
    for (int layer = 0; layer < means.length; layer++) {
      for (int head = 0; head < heads; head++) {
        for (int pos = PERIOD + 1; pos <= 2 * PERIOD; pos++) { // the second time
          means[layer][head] += patterns.get(layer).get(head, pos, pos - back) / PERIOD;
        }
      }
    }
    return Cells.of(title, "layer", upTo(means.length), "head", upTo(heads), means);
  }

  private static List<String> upTo(int count) {
    return IntStream.range(0, count).mapToObj(String::valueOf).toList();
  }
}

package dev.resid.sae.examples;

import static dev.resid.sae.SpliceMode.WITH_ERROR;
import static dev.resid.sae.metric.SaeMetric.CE_INCREASE;
import static dev.resid.sae.metric.SaeMetric.L0;
import static dev.resid.sae.metric.TokenScope.WITHOUT_FIRST;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightsState;
import dev.resid.sae.FeatureEdits;
import dev.resid.sae.Sae;
import dev.resid.sae.Splice;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureLens;
import dev.resid.sae.dictionary.TokenMask;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.io.Stated;
import dev.resid.sae.metric.SaeEvaluator;
import dev.resid.sae.metric.SaeReport;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;

/** The example of docs/sae.md: the lines between the two marks are printed there. */
final class SaeExample {
  private SaeExample() {}

  static void run(Path folder, PrintStream out) throws IOException {
    // example:begin
    try (Backend backend = Backends.fastest()) {
      Gpt2 gpt2 = Gpt2.embedded(backend); // or Gpt2.load(Path.of("models/gpt2"), backend)
      Stated stated = Stated.nothing().on(WeightsState.RAW); // what the files may not say
      Sae sae = SaeCheckpoint.load(folder, stated, backend);
      TokenBatch tokens = gpt2.tokenizer().encode("The captain looked at the sea and said no.");

      // judge it
      SaeReport report = new SaeEvaluator(gpt2, sae).report(tokens);
      double l0 = report.get(L0, WITHOUT_FIRST);
      double increase = report.get(CE_INCREASE, WITHOUT_FIRST);
      out.printf("%.1f features a token cost %.3f nats%n", l0, increase);

      // take a feature out and leave everything else as it is
      Splice without = Splice.of(WITH_ERROR).edited(FeatureEdits.zero(3));
      Tensor logits = gpt2.forward(tokens, Sae.hooks(gpt2, without, sae)).logits();

      // look at it
      FeatureLens lens = new FeatureLens(gpt2, TokenMask.outliers(gpt2));
      int best = lens.view(sae, 3, 5).promoted().getFirst().token();
      var where = FeatureActivations.scan(gpt2, sae, tokens, 3).getFirst();
      out.printf(
          "feature 3 is active on %d tokens and promotes \"%s\"; logits %s%n",
          where.activeTokens(), gpt2.tokenizer().text(best), logits.shape());
    }
    // example:end
  }
}

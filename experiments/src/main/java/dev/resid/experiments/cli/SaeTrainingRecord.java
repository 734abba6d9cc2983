package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import dev.resid.sae.train.SaeTrainingPlan;
import dev.resid.sae.train.SaeTrainingStep;
import dev.resid.train.TextCorpus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What {@code resid train sae} writes about a training beside the SAE.
 *
 * @param command the command line
 * @param plan what was done
 * @param gpt2 the model
 * @param corpus its text
 * @param files where that is from
 * @param start when it began, or was last resumed
 */
record SaeTrainingRecord(
    String command,
    SaeTrainingPlan plan,
    Gpt2 gpt2,
    TextCorpus corpus,
    List<Path> files,
    Instant start) {
  private static final int POINTS_OF_A_CURVE = 50;

  /** Returns the record, ended now. */
  TrainingRecord ended(List<SaeTrainingStep> steps) throws IOException {
    return new TrainingRecord(command)
        .with("plan", plan.toString())
        .with("model", gpt2.source())
        .with("modelSha256", gpt2.sha256())
        .with("weights", gpt2.weightsState().name())
        .with("backend", gpt2.backend().description())
        .withTimes(start)
        .with("corpusTokens", corpus.tokens())
        .with("tokensSeen", (long) plan.rate().totalSteps() * plan.tokensPerStep())
        .withHashes("data", files)
        .with("curve", curve(steps));
  }

  /** Returns means over stretches of the steps. */
  private static Map<String, Object> curve(List<SaeTrainingStep> steps) {
    int group = Math.max(1, (steps.size() + POINTS_OF_A_CURVE - 1) / POINTS_OF_A_CURVE);
    Map<String, Object> curve = new LinkedHashMap<>();
    curve.put("stepsAMean", group);
    Map<String, ToDoubleFunction<SaeTrainingStep>> columns = new LinkedHashMap<>();
    columns.put("loss", SaeTrainingStep::loss);
    columns.put("reconstruction", SaeTrainingStep::reconstruction);
    columns.put("klNats", SaeTrainingStep::kl);
    columns.put("downstream", SaeTrainingStep::downstream);
    columns.put("sparsity", SaeTrainingStep::sparsity);
    columns.put("auxiliary", SaeTrainingStep::auxiliary);
    columns.put("l0", SaeTrainingStep::l0);
    columns.put("dead", SaeTrainingStep::dead);
    columns.forEach(
        (name, column) -> {
          List<Double> means = new ArrayList<>();
          for (int from = 0; from < steps.size(); from += group) {
            double mean =
                steps.subList(from, Math.min(steps.size(), from + group)).stream()
                    .mapToDouble(column)
                    .average()
                    .orElse(Double.NaN);
            means.add(Double.valueOf(String.format(Locale.ROOT, "%.5g", mean)));
          }
          curve.put(name, means);
        });
    return curve;
  }
}

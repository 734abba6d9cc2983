package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.train.TextCorpus;
import dev.resid.train.TextLoss;
import dev.resid.train.TrainingPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code resid train gpt2} writes about a training beside the model.
 *
 * @param training folder, files and the command line
 * @param plan what was done
 * @param corpus the text
 * @param backend where it ran
 * @param start when it began, or was last resumed
 */
record Gpt2TrainingRecord(
    TrainingMixin training, TrainingPlan plan, TextCorpus corpus, Backend backend, Instant start) {
  private static final int STEPS_A_MEAN = 100;

  /**
   * Returns the record of a model that is in its folder, ended now.
   *
   * @param lossesNats of every step
   * @param valid files to measure the model on, each with its documents; may be empty
   * @param told of that measurement
   */
  TrainingRecord ended(List<Double> lossesNats, Map<Path, List<String>> valid, Progress told)
      throws IOException {
    Path out = training.out();
    TrainingRecord record =
        new TrainingRecord(training.command())
            .with("plan", plan.toString())
            .with("parameters", plan.model().parameters())
            .with("backend", backend.description())
            .withTimes(start)
            .with("trainingTokens", corpus.tokens())
            .with(
                "tokensSeen", (long) plan.rate().totalSteps() * plan.batchRows() * plan.rowLength())
            .withHashes("data", training.files())
            .withHashes("tokenizer", List.of(out.resolve("vocab.json"), out.resolve("merges.txt")))
            .withHashes("weights", List.of(out.resolve("model.safetensors")))
            .with("meanLossNatsPer" + STEPS_A_MEAN + "Steps", means(lossesNats));
    return valid.isEmpty() ? record : record.with("validation", validation(valid, told));
  }

  private Map<String, Object> validation(Map<Path, List<String>> texts, Progress told)
      throws IOException {
    Gpt2 trained = Gpt2.load(training.out(), backend);
    Map<String, Object> results = new LinkedHashMap<>();
    List<String> all = new ArrayList<>();
    for (Map.Entry<Path, List<String>> text : texts.entrySet()) {
      all.addAll(text.getValue());
      results.put(
          String.valueOf(text.getKey().getFileName()), loss(trained, text.getValue(), told));
    }
    results.put("all", loss(trained, all, told));
    return results;
  }

  private Map<String, Object> loss(Gpt2 trained, List<String> documents, Progress told)
      throws IOException {
    TextLoss loss = TextLoss.of(trained, documents, plan.rowLength(), told);
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("bitsPerByte", loss.bitsPerByte());
    json.put("natsPerToken", loss.natsPerToken());
    json.put("tokens", loss.predicted());
    json.put("utf8Bytes", loss.utf8Bytes());
    return json;
  }

  private static List<Double> means(List<Double> values) {
    List<Double> means = new ArrayList<>();
    for (int from = 0; from < values.size(); from += STEPS_A_MEAN) {
      List<Double> part = values.subList(from, Math.min(values.size(), from + STEPS_A_MEAN));
      double mean = part.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
      means.add(Double.valueOf(String.format(Locale.ROOT, "%.4f", mean)));
    }
    return means;
  }
}

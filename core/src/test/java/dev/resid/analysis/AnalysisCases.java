package dev.resid.analysis;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.ModelCase;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/** Rows, answers and reference runs of a {@link ModelCase}, for tests of the analyses. */
final class AnalysisCases {
  /** Of values that went through a forward pass in float32. */
  static final double FORWARD = 5e-5;

  private AnalysisCases() {}

  static int[] ids(ModelCase c, long salt) {
    return new SplittableRandom(c.seed() + salt)
        .ints(c.tokens().rows(), 0, c.config().dVocab())
        .toArray();
  }

  /** Returns other rows of the same lengths. */
  static TokenBatch corrupted(ModelCase c) {
    SplittableRandom random = new SplittableRandom(c.seed() + 7);
    List<int[]> rows = new ArrayList<>();
    for (int row = 0; row < c.tokens().rows(); row++) {
      rows.add(random.ints(c.tokens().length(row), 0, c.config().dVocab()).toArray());
    }
    return TokenBatch.of(rows);
  }

  static double difference(
      ModelCase c,
      Float64Gpt2 reference,
      int row,
      int[] ids,
      Map<String, UnaryOperator<double[]>> changes) {
    double[] logits = reference.run(changes, ids).get("logits");
    int at = (ids.length - 1) * c.config().dVocab();
    return logits[at + ids(c, 1)[row]] - logits[at + ids(c, 2)[row]];
  }

  /** Returns the reference's runs of the clean rows. */
  static List<Map<String, double[]>> runs(ModelCase c, Float64Gpt2 reference) {
    List<Map<String, double[]>> runs = new ArrayList<>();
    for (int row = 0; row < c.tokens().rows(); row++) {
      runs.add(reference.run(c.tokens().row(row)));
    }
    return runs;
  }

  static LogitReadout readout(ModelCase c, Gpt2 gpt2) {
    return LogitReadout.differences(gpt2, ids(c, 1), ids(c, 2));
  }

  static double allowed(double error, double scale) {
    return error * Math.max(1, Math.abs(scale));
  }

  static List<HookPoint> points(ModelCase c) {
    List<HookPoint> points = new ArrayList<>();
    for (int layer = 0; layer < c.config().nLayers(); layer++) {
      for (Site site : List.of(Site.RESID_PRE, Site.Z, Site.ATTN_OUT, Site.MLP_OUT)) {
        points.add(HookPoint.at(site, layer));
      }
    }
    return points;
  }
}

package dev.resid.sae.metric;

import dev.resid.hook.HookPoint;
import dev.resid.metric.KlDivergence;
import dev.resid.metric.LogSoftmax;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The definitions once more, from logits, in the plainest way. */
final class PlainMetrics {
  private final List<double[]> x = new ArrayList<>();
  private final List<double[]> y = new ArrayList<>();
  final double[] frequencies;
  private final double[] ce = new double[4];
  private final double[] kl = new double[4];
  private double l0;
  private double l1;

  PlainMetrics(Gpt2 gpt2, Sae sae, TokenScope scope) {
    int first = scope == TokenScope.ALL ? 0 : 1;
    HookPoint point = sae.hookPoint();
    int width = sae.config().dIn();
    Tensor clean = gpt2.capture(SaeEvaluatorTest.TOKENS, point.capture()).get(point);
    SparseFeatures features = sae.encode(clean);
    float[] in = clean.toArray();
    float[] out = sae.decode(features, clean).toArray();
    float[] dense = features.toDense().toArray();
    int dSae = features.dSae();
    frequencies = new double[dSae];
    List<Integer> rows = new ArrayList<>();
    double[] meanOfAll = new double[width];
    for (int row = 0; row < SaeEvaluatorTest.TOKENS.rows(); row++) {
      for (int pos = 0; pos < SaeEvaluatorTest.TOKENS.length(row); pos++) {
        int at = row * SaeEvaluatorTest.TOKENS.maxLength() + pos;
        double[] input = new double[width];
        double[] output = new double[width];
        for (int c = 0; c < width; c++) {
          input[c] = in[at * width + c];
          output[c] = out[at * width + c];
          meanOfAll[c] += input[c] / SaeEvaluatorTest.TOKENS.tokenCount();
        }
        if (pos < first) {
          continue;
        }
        rows.add(at);
        x.add(input);
        y.add(output);
        for (int i = 0; i < dSae; i++) {
          l0 += dense[at * dSae + i] > 0 ? 1 : 0;
          l1 += dense[at * dSae + i];
          frequencies[i] += dense[at * dSae + i] > 0 ? 1 : 0;
        }
      }
    }
    l0 /= x.size();
    l1 /= x.size();
    for (int i = 0; i < dSae; i++) {
      frequencies[i] /= x.size();
    }
    losses(gpt2, sae, first, meanOfAll);
  }

  private void losses(Gpt2 gpt2, Sae sae, int first, double[] mean) {
    HookPoint point = sae.hookPoint();
    Tensor original = gpt2.forward(SaeEvaluatorTest.TOKENS).logits();
    List<Tensor> runs =
        List.of(
            original,
            gpt2.forward(SaeEvaluatorTest.TOKENS, point.replace((t, at) -> sae.reconstruct(t)))
                .logits(),
            gpt2.forward(SaeEvaluatorTest.TOKENS, point.replace((t, at) -> t.times(0))).logits(),
            gpt2.forward(
                    SaeEvaluatorTest.TOKENS,
                    point.replace(
                        (t, at) -> {
                          float[] all = new float[Math.toIntExact(t.elements())];
                          for (int i = 0; i < all.length; i++) {
                            all[i] = (float) mean[i % mean.length];
                          }
                          return Tensor.wrap(t.shape(), all);
                        }))
                .logits());
    for (int run = 0; run < 4; run++) {
      double[][] logProbs = LogSoftmax.rows(runs.get(run));
      double[] divergence = KlDivergence.nats(original, runs.get(run));
      int predictions = 0;
      int tokens = 0;
      for (int row = 0; row < SaeEvaluatorTest.TOKENS.rows(); row++) {
        for (int pos = first; pos < SaeEvaluatorTest.TOKENS.length(row); pos++) {
          kl[run] += divergence[row * SaeEvaluatorTest.TOKENS.maxLength() + pos];
          tokens++;
          if (pos + 1 < SaeEvaluatorTest.TOKENS.length(row)) {
            ce[run] -=
                logProbs[row * SaeEvaluatorTest.TOKENS.maxLength() + pos][
                    SaeEvaluatorTest.TOKENS.id(row, pos + 1)];
            predictions++;
          }
        }
      }
      kl[run] /= tokens;
      ce[run] /= predictions;
    }
  }

  private interface Token {
    double of(double[] x, double[] y, double[] mean);
  }

  private double mean(Token token) {
    double[] mean = new double[x.getFirst().length];
    for (double[] one : x) {
      for (int c = 0; c < mean.length; c++) {
        mean[c] += one[c] / x.size();
      }
    }
    double sum = 0;
    for (int i = 0; i < x.size(); i++) {
      sum += token.of(x.get(i), y.get(i), mean);
    }
    return sum / x.size();
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int c = 0; c < a.length; c++) {
      sum += a[c] * b[c];
    }
    return sum;
  }

  private static double norm(double[] a) {
    return Math.sqrt(dot(a, a));
  }

  private static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int c = 0; c < a.length; c++) {
      sum += (a[c] - b[c]) * (a[c] - b[c]);
    }
    return Math.sqrt(sum);
  }

  private static double square(double a) {
    return a * a;
  }

  private long active() {
    return java.util.Arrays.stream(frequencies).filter(f -> f > 0).count();
  }

  double of(SaeMetric metric) {
    return switch (metric) {
      case TOKENS -> x.size();
      case L0 -> l0;
      case L1 -> l1;
      case ALIVE_FEATURES -> active();
      case DEAD_FEATURES -> frequencies.length - active();
      case DEAD_PART -> 1.0 * (frequencies.length - active()) / frequencies.length;
      case DENSE_FEATURES -> java.util.Arrays.stream(frequencies).filter(f -> f > 0.1).count();
      case SQUARED_ERROR -> mean((a, b, m) -> square(distance(a, b)));
      case RELATIVE_SQUARED_ERROR ->
          mean((a, b, m) -> square(distance(a, b))) / mean((a, b, m) -> square(norm(a)));
      case NORMALIZED_MSE ->
          mean((a, b, m) -> square(distance(a, b)) / distance(a, m) / SaeEvaluatorTest.WIDTH);
      case NORMALIZED_MSE_BY_NORM ->
          mean((a, b, m) -> square(distance(a, b)) / norm(a) / SaeEvaluatorTest.WIDTH);
      case EXPLAINED_VARIANCE ->
          mean((a, b, m) -> 1 - square(distance(a, b)) / square(distance(a, m)));
      case EXPLAINED_VARIANCE_POOLED ->
          1 - mean((a, b, m) -> square(distance(a, b))) / mean((a, b, m) -> square(distance(a, m)));
      case COSINE -> mean((a, b, m) -> dot(a, b) / norm(a) / norm(b));
      case NORM_IN -> mean((a, b, m) -> norm(a));
      case NORM_OUT -> mean((a, b, m) -> norm(b));
      case NORM_RATIO -> mean((a, b, m) -> norm(b) / norm(a));
      case RELATIVE_RECONSTRUCTION_BIAS ->
          mean((a, b, m) -> square(norm(b))) / mean((a, b, m) -> dot(a, b));
      case CE_CLEAN -> ce[0];
      case CE_SAE -> ce[1];
      case CE_INCREASE -> ce[1] - ce[0];
      case CE_ZERO_ABLATION -> ce[2];
      case CE_MEAN_ABLATION -> ce[3];
      case CE_RECOVERED_ZERO_ABLATION -> (ce[2] - ce[1]) / (ce[2] - ce[0]);
      case CE_RECOVERED_MEAN_ABLATION -> (ce[3] - ce[1]) / (ce[3] - ce[0]);
      case KL_SAE -> kl[1];
      case KL_ZERO_ABLATION -> kl[2];
      case KL_MEAN_ABLATION -> kl[3];
      case KL_RECOVERED_ZERO_ABLATION -> (kl[2] - kl[1]) / kl[2];
      case KL_RECOVERED_MEAN_ABLATION -> (kl[3] - kl[1]) / kl[3];
    };
  }
}

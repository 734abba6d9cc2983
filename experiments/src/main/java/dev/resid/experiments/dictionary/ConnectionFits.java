package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.ConnectionPairs.Pair;
import dev.resid.experiments.result.Settings;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SparseFeatures;
import dev.resid.sae.dictionary.ConnectionFit;
import dev.resid.sae.dictionary.ConnectionFit.Fit;
import dev.resid.sae.dictionary.ConnectionFit.Model;
import dev.resid.sae.dictionary.ConnectionFit.Plan;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Predictions of later features from earlier ones: fitted to activations, or from weights alone.
 */
final class ConnectionFits {
  /** Earlier features that a fit gets: those looked at, then the most frequent ones. */
  static final int SOURCES = 128;

  /** Fits of each model, from different first weights and orders of tokens. */
  static final int STARTS = 3;

  /** Tokens are enough at so many. */
  static final int MOST_TOKENS = 16384;

  /** Passes over the tokens, at most so many updates, rows of each, and so on, of every fit. */
  static final int PASSES = 20;

  static final int MOST_STEPS = 2000;
  static final int BATCH = 128;
  static final double LEARNING_RATE = 3e-3;
  static final double L1 = 1e-3;
  static final int HIDDEN = 128;

  private static final int POSITIONS_AT_A_TIME = 2048;

  private final List<Fitted> fits;
  private final double[][] linear;
  private final double[][] weights;

  private ConnectionFits(List<Fitted> fits, double[][] linear, double[][] weights) {
    this.fits = List.copyOf(fits);
    this.linear = linear;
    this.weights = weights;
  }

  /**
   * A fitted model.
   *
   * @param model which one
   * @param mse of the tokens fitted
   * @param heldOutMse of those held out
   * @param heldOutVariance of those held out, about the mean of those fitted
   */
  record Fitted(Model model, double mse, double heldOutMse, double heldOutVariance) {
    /** Returns 1 − squared error over variance of the tokens held out. */
    double explained() {
      return 1 - heldOutMse / heldOutVariance;
    }
  }

  /** Adds the fits of a pair to the notes of a run. */
  Settings addTo(Settings notes, int pair) {
    String key = "fits_" + pair;
    return notes
        .with(key + "_model", fits.stream().map(fit -> fit.model().name()).toList())
        .with(key + "_mse", fits.stream().mapToDouble(Fitted::mse).toArray())
        .with(key + "_held_out", fits.stream().mapToDouble(Fitted::heldOutMse).toArray())
        .with(key + "_variance", fits.stream().mapToDouble(Fitted::heldOutVariance).toArray())
        .with(key + "_linear", flat(linear))
        .with(key + "_weights", flat(weights));
  }

  private static double[] flat(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
  }

  private static double[][] rows(double[] flat, int width) {
    double[][] rows = new double[width == 0 ? 0 : flat.length / width][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
    }
    return rows;
  }

  /** Returns the fits of a pair, from the notes of a run; none if there were too few tokens. */
  static Optional<ConnectionFits> of(Settings notes, int pair, int targets) {
    String key = "fits_" + pair;
    if (!notes.has(key + "_model")) {
      return Optional.empty();
    }
    List<Fitted> fits = new ArrayList<>();
    for (int i = 0; i < notes.list(key + "_model").size(); i++) {
      fits.add(
          new Fitted(
              Model.valueOf(notes.list(key + "_model").get(i)),
              notes.numbers(key + "_mse")[i],
              notes.numbers(key + "_held_out")[i],
              notes.numbers(key + "_variance")[i]));
    }
    return Optional.of(
        new ConnectionFits(
            fits,
            rows(notes.numbers(key + "_linear"), targets),
            rows(notes.numbers(key + "_weights"), targets)));
  }

  /** Returns whether there are enough tokens to hold some out. */
  static boolean possible(DictionaryOptions options) {
    return options.tokens().tokenCount() - options.tokens().rows() >= BATCH;
  }

  /** Fits all models of a pair. */
  static ConnectionFits of(
      Gpt2 gpt2,
      DictionaryOptions options,
      Pair pair,
      int[] looked,
      FeatureCounts counts,
      Progress progress) {
    Sae from = options.saes().get(pair.from()).sae();
    Sae to = options.saes().get(pair.to()).sae();
    int[] sources =
        IntStream.concat(
                Arrays.stream(looked),
                Arrays.stream(counts.mostFrequent(pair.from(), SOURCES + looked.length)))
            .distinct()
            .limit(Math.max(SOURCES, looked.length))
            .toArray();
    Columns in = new Columns(from, sources, options.tokens());
    Columns out = new Columns(to, pair.targets(), options.tokens());
    fill(gpt2, options.tokens(), in, out);
    double scaleIn = in.rootMeanSquare();
    double scaleOut = out.rootMeanSquare();
    Tensor x = in.tensor(1 / scaleIn);
    Tensor y = out.tensor(1 / scaleOut);
    int steps = Math.clamp((long) PASSES * in.rows / BATCH, 1, MOST_STEPS);
    List<Fitted> fits = new ArrayList<>();
    double[][] linear = new double[looked.length][pair.targets().length];
    try (Progress.Task task =
        progress.begin("fits", "fits", 0, (long) STARTS * Model.values().length)) {
      for (int start = 0; start < STARTS; start++) {
        for (Model model : Model.values()) {
          Plan plan = new Plan(steps, BATCH, LEARNING_RATE, L1, HIDDEN, options.seed() + start);
          Fit fit = ConnectionFit.fit(x, y, model, plan, gpt2.backend());
          fits.add(new Fitted(model, fit.mse(), fit.heldOutMse(), fit.heldOutVariance()));
          if (model == Model.LINEAR) {
            float[] w = fit.weights().toArray();
            for (int i = 0; i < looked.length; i++) {
              for (int t = 0; t < pair.targets().length; t++) {
                linear[i][t] += w[i * pair.targets().length + t] * scaleOut / scaleIn / STARTS;
              }
            }
          }
          task.advanceTo(fits.size());
        }
      }
    }
    return new ConnectionFits(fits, linear, weightsAlone(from, to, looked, pair.targets()));
  }

  private static void fill(Gpt2 gpt2, TokenBatch tokens, Columns in, Columns out) {
    HookPoint read = in.sae.config().point();
    HookPoint later = out.sae.config().point();
    int step = Math.max(1, POSITIONS_AT_A_TIME / tokens.maxLength());
    for (int row = 0; row < tokens.rows() && !in.full(); row += step) {
      TokenBatch part = tokens.slice(row, Math.min(tokens.rows(), row + step));
      ActivationCache cache = gpt2.capture(part, read.capture(), later.capture());
      in.add(in.sae.encode(cache.get(read)), part);
      out.add(out.sae.encode(cache.get(later)), part);
    }
  }

  /** Returns d_i·e_j: what a direction adds to the pre-activation of a later feature. */
  private static double[][] weightsAlone(Sae from, Sae to, int[] looked, int... targets) {
    int width = to.config().dIn();
    if (from.config().dOut() != width) {
      return new double[0][];
    }
    float[] encoder = to.weights().get(SaeWeight.W_enc).toArray();
    Tensor decoder = from.weights().get(SaeWeight.W_dec);
    double[][] products = new double[looked.length][targets.length];
    for (int i = 0; i < looked.length; i++) {
      float[] d = decoder.slice(Axis.D_SAE, looked[i], looked[i] + 1).toArray();
      for (int t = 0; t < targets.length; t++) {
        for (int c = 0; c < width; c++) {
          products[i][t] += (double) d[c] * encoder[c * to.config().dSae() + targets[t]];
        }
      }
    }
    return products;
  }

  /** Returns all fits, the models of the first start first. */
  List<Fitted> all() {
    return fits;
  }

  /** Returns the fits of a model, one a start. */
  List<Fitted> of(Model model) {
    return fits.stream().filter(fit -> fit.model() == model).toList();
  }

  /** Returns the linear weights of the features looked at, means over starts: [looked, targets]. */
  double[][] linear() {
    return linear;
  }

  /** Returns d_i·e_j, [looked, targets]; nothing if the SAEs have different widths. */
  double[][] weights() {
    return weights;
  }

  /** Values of some features, without position 0. */
  private static final class Columns {
    private final Sae sae;
    private final int[] columnOf;
    private final int width;
    private final float[] values;
    private int rows;

    Columns(Sae sae, int[] features, TokenBatch tokens) {
      this.sae = sae;
      width = features.length;
      columnOf = new int[sae.config().dSae()];
      Arrays.fill(columnOf, -1);
      for (int c = 0; c < width; c++) {
        columnOf[features[c]] = c;
      }
      int most = Math.min(MOST_TOKENS, tokens.tokenCount() - tokens.rows());
      values = new float[Math.multiplyExact(most, width)];
    }

    boolean full() {
      return rows * width == values.length;
    }

    void add(SparseFeatures features, TokenBatch part) {
      for (int row = 0; row < part.rows(); row++) {
        for (int pos = 1; pos < part.length(row) && !full(); pos++, rows++) {
          int at = row * part.maxLength() + pos;
          for (int i = features.start(at); i < features.end(at); i++) {
            int column = columnOf[features.indices()[i]];
            if (column >= 0) {
              values[rows * width + column] = features.values()[i];
            }
          }
        }
      }
    }

    double rootMeanSquare() {
      double sum = 0;
      for (float value : values) {
        sum += (double) value * value;
      }
      return sum == 0 ? 1 : Math.sqrt(sum / values.length);
    }

    Tensor tensor(double scale) {
      return Tensor.wrap(Shape.of(Axis.ROW, rows, Axis.IN, width), values).times((float) scale);
    }
  }
}

package dev.resid.sae.train;

import dev.resid.sae.SaeWeight;
import dev.resid.sae.train.BloomLoss.ErrorScale;
import dev.resid.sae.train.BloomLoss.GhostGradients;
import dev.resid.sae.train.BloomLoss.L1Weight;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;

/** Bloom's dictionary with the gradients of {@link BloomLoss}. */
final class BloomLearner implements Learner {
  /** Added to norms that are divided by, as in SAELens. */
  private static final double EPSILON = 1e-6;

  private final Backend backend;
  private final BloomLoss loss;
  private final CentredDictionary dictionary;
  private final int dIn;
  private final int dSae;

  BloomLearner(Backend backend, Map<SaeWeight, Tensor> initial, BloomLoss loss) {
    this.backend = backend;
    this.loss = loss;
    this.dictionary = new CentredDictionary(backend, initial);
    this.dIn = dictionary.dIn();
    this.dSae = dictionary.dSae();
    afterUpdate();
  }

  @Override
  public Parameters parameters() {
    return dictionary.parameters();
  }

  @Override
  public Map<SaeWeight, Tensor> published() {
    return parameters().copies();
  }

  @Override
  public void afterUpdate() {
    if (loss.rows() == BloomLoss.DecoderRows.UNIT) {
      Tensor decoder = parameters().get(SaeWeight.W_dec);
      float[] rows = decoder.toArray();
      DecoderRows.normalize(rows, dIn);
      backend.copy(Tensor.wrap(decoder.shape(), rows), decoder);
    }
    refresh();
  }

  @Override
  public void refresh() {
    dictionary.refresh();
  }

  @Override
  public void finishGradients() {
    if (loss.rows() == BloomLoss.DecoderRows.UNIT) {
      Tensor gradient = parameters().gradient(SaeWeight.W_dec);
      float[] values = gradient.toArray();
      DecoderRows.removeParallel(values, parameters().get(SaeWeight.W_dec).toArray(), dIn);
      backend.copy(Tensor.wrap(gradient.shape(), values), gradient);
    }
  }

  @Override
  public void learn(Tensor x, FeatureActivity activity, StepSums sums) {
    boolean[] dead = activity.deadFor(loss.deadAfterTokens());
    Tensor centred = dictionary.centre(x);
    Tensor pre = dictionary.preActivations(centred);
    Tensor features = pre.map(v -> Math.max(v, 0));
    sums.active += activity.count(features);
    Tensor reconstruction = dictionary.decode(features, parameters().get(SaeWeight.b_dec));
    double[] scales = errorScales(x);
    float[] missing = x.minus(reconstruction).toArray();
    Tensor dOut = addError(missing, scales, x, sums);
    dictionary.addDecoderGradient(features, dOut);
    dictionary.addDecoderBiasGradient(dOut);
    float[] dPre = addSparsity(dictionary.featureGradient(dOut).toArray(), features, sums);
    if (loss.ghosts() == GhostGradients.ON && anyOf(dead)) {
      addGhosts(new Missing(missing, scales), pre, dead, dPre, sums);
    }
    dictionary.addEncoderGradients(centred, Tensor.wrap(pre.shape(), dPre));
  }

  /** What the reconstruction misses, x − x̂, and what squared errors are divided by, by row. */
  private record Missing(float[] values, double[] scales) {}

  private static boolean anyOf(boolean[] dead) {
    for (boolean one : dead) {
      if (one) {
        return true;
      }
    }
    return false;
  }

  private double[] errorScales(Tensor x) {
    double[] scales = new double[Math.toIntExact(x.shape().rows())];
    if (loss.errorScale() == ErrorScale.NONE) {
      Arrays.fill(scales, 1);
      return scales;
    }
    double[] centre = new double[dIn];
    if (loss.errorScale() == ErrorScale.CENTRED_NORM) {
      centre = GeometricMedian.mean(x.toArray(), dIn);
    }
    return distances(x.toArray(), centre);
  }

  /** Returns ‖row − centre‖ + ε of every row. */
  private double[] distances(float[] rows, double[] centre) {
    double[] distances = new double[rows.length / dIn];
    for (int r = 0; r < distances.length; r++) {
      double squares = 0;
      for (int c = 0; c < dIn; c++) {
        double off = rows[r * dIn + c] - centre[c];
        squares += off * off;
      }
      distances[r] = Math.sqrt(squares) + EPSILON;
    }
    return distances;
  }

  /** Adds the error's term and returns its gradient at the reconstruction. */
  private Tensor addError(float[] missing, double[] scales, Tensor x, StepSums sums) {
    double perElement = 1.0 / missing.length;
    float[] gradient = new float[missing.length];
    double squares = 0;
    double scaled = 0;
    for (int i = 0; i < missing.length; i++) {
      double square = (double) missing[i] * missing[i];
      squares += square;
      scaled += square / scales[i / dIn];
      gradient[i] =
          (float) (-2 * loss.reconstruction() * perElement * missing[i] / scales[i / dIn]);
    }
    sums.reconstruction += squares * perElement;
    sums.loss += loss.reconstruction() * scaled * perElement;
    return Tensor.wrap(x.shape(), gradient);
  }

  /** Adds the penalty's term; returns the gradient at the pre-activations through the features. */
  private float[] addSparsity(float[] dFeatures, Tensor features, StepSums sums) {
    float[] values = features.toArray();
    double perToken = 1.0 / sums.tokens;
    boolean weighed = loss.l1Weight() == L1Weight.DECODER_NORM;
    double[] byFeature = new double[dSae];
    for (int from = 0; from < values.length; from += dSae) {
      for (int i = 0; i < dSae; i++) {
        float value = values[from + i];
        byFeature[i] += value;
        double l1 = loss.l1() * perToken * (weighed ? dictionary.rowNorm(i) : 1);
        dFeatures[from + i] = value > 0 ? (float) (dFeatures[from + i] + l1) : 0;
      }
    }
    double sum = 0;
    for (int i = 0; i < dSae; i++) {
      sum += byFeature[i] * (weighed ? dictionary.rowNorm(i) : 1);
    }
    sums.sparsity += sum * perToken;
    sums.loss += loss.l1() * sum * perToken;
    if (weighed) {
      addNormGradient(byFeature, loss.l1() * perToken);
    }
    return dFeatures;
  }

  /** Adds the gradient of factor·Σ_i total_i·‖row i‖ to that of W_dec. */
  private void addNormGradient(double[] totals, double factor) {
    Tensor gradient = parameters().gradient(SaeWeight.W_dec);
    float[] values = parameters().get(SaeWeight.W_dec).toArray();
    for (int i = 0; i < values.length; i++) {
      double norm = dictionary.rowNorm(i / dIn);
      values[i] = norm > 0 ? (float) (factor * totals[i / dIn] * values[i] / norm) : 0;
    }
    backend.add(gradient, Tensor.wrap(gradient.shape(), values), gradient);
  }

  /** Adds the ghosts' term and gradients, those of pre-activations to {@code dPre}. */
  private void addGhosts(Missing missing, Tensor pre, boolean[] dead, float[] dPre, StepSums sums) {
    float[] exponentials = pre.toArray();
    for (int i = 0; i < exponentials.length; i++) {
      exponentials[i] = dead[i % dSae] ? (float) Math.exp(exponentials[i]) : 0;
    }
    Tensor ghosts = Tensor.wrap(pre.shape(), exponentials);
    float[] out =
        dictionary
            .decode(ghosts, Tensor.zeros(parameters().get(SaeWeight.b_dec).shape()))
            .toArray();
    float[] target = missing.values();
    double[] spread = distances(target, GeometricMedian.mean(target, dIn));
    double perElement = 1.0 / out.length;
    float[] gradient = new float[out.length];
    double total = 0;
    for (int r = 0; r < spread.length; r++) {
      int from = r * dIn;
      double scale =
          DecoderRows.norm(target, from, dIn) / (EPSILON + 2 * DecoderRows.norm(out, from, dIn));
      for (int i = from; i < from + dIn; i++) {
        double off = out[i] * scale - target[i];
        double square = off * off / spread[r];
        double error = (double) target[i] * target[i] / missing.scales()[r];
        double size = error / (square + EPSILON);
        total += square * size;
        gradient[i] = (float) (2 * off / spread[r] * size * perElement * scale);
      }
    }
    sums.auxiliary += total * perElement;
    sums.loss += total * perElement;
    Tensor dOut = Tensor.wrap(Shape.of(Axis.ROW, spread.length, Axis.D_MODEL, dIn), gradient);
    dictionary.addDecoderGradient(ghosts, dOut);
    float[] dGhosts = dictionary.featureGradient(dOut).toArray();
    for (int i = 0; i < dPre.length; i++) {
      dPre[i] += dGhosts[i] * exponentials[i];
    }
  }
}

package dev.resid.sae.train;

import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import java.util.Map;

/** A top-k dictionary with the gradients of {@link TopKLoss}. */
final class TopKLearner implements Learner {
  private final Backend backend;
  private final TopKLoss loss;
  private final CentredDictionary dictionary;
  private final int dIn;
  private final int dSae;

  TopKLearner(Backend backend, Map<SaeWeight, Tensor> initial, TopKLoss loss) {
    this.backend = backend;
    this.loss = loss;
    this.dictionary = new CentredDictionary(backend, initial);
    this.dIn = dictionary.dIn();
    this.dSae = dictionary.dSae();
    refresh();
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
  public void refresh() {
    dictionary.refresh();
  }

  @Override
  public void finishGradients() {}

  @Override
  public void learn(Tensor x, FeatureActivity activity, StepSums sums) {
    boolean[] dead = activity.deadFor(loss.deadAfterTokens());
    Tensor centred = dictionary.centre(x);
    Tensor pre = dictionary.preActivations(centred);
    float[] scores = scores(pre);
    Chosen kept = chosen(pre, Tensor.wrap(pre.shape(), scores), loss.k());
    float[] positive = kept.values().toArray();
    for (int i = 0; i < positive.length; i++) {
      positive[i] = Math.max(positive[i], 0);
    }
    Tensor features = Tensor.wrap(pre.shape(), positive);
    sums.active += activity.count(features);
    Tensor reconstruction = dictionary.decode(features, parameters().get(SaeWeight.b_dec));
    Tensor missing = x.minus(reconstruction);
    float[] dPre = new float[positive.length];
    double squares = addError(missing, loss.reconstruction(), features, dPre);
    mask(dPre, positive);
    sums.reconstruction += squares;
    sums.loss += loss.reconstruction() * squares;
    addAuxiliary(missing, pre, scores, dead, dPre, sums);
    dictionary.addEncoderGradients(centred, Tensor.wrap(pre.shape(), dPre));
  }

  /** Zeroes gradients of features that are not active. */
  private static void mask(float[] dPre, float[] features) {
    for (int i = 0; i < dPre.length; i++) {
      if (!(features[i] > 0)) {
        dPre[i] = 0;
      }
    }
  }

  private float[] scores(Tensor pre) {
    float[] scores = pre.toArray();
    if (loss.scale() == TopKScale.DECODER_NORM) {
      for (int i = 0; i < scores.length; i++) {
        scores[i] = (float) (scores[i] * dictionary.rowNorm(i % dSae));
      }
    }
    return scores;
  }

  /**
   * Pre-activations of the features with the largest scores.
   *
   * @param values [R, d_sae], 0 elsewhere
   * @param places flat indices of those features
   */
  private record Chosen(Tensor values, int[] places) {}

  private Chosen chosen(Tensor pre, Tensor scores, int count) {
    TopK top = backend.topK(scores, count);
    int[] indices = top.indices();
    float[] all = pre.toArray();
    float[] kept = new float[all.length];
    int[] places = new int[indices.length];
    for (int i = 0; i < indices.length; i++) {
      places[i] = i / count * dSae + indices[i];
      kept[places[i]] = all[places[i]];
    }
    return new Chosen(Tensor.wrap(pre.shape(), kept), places);
  }

  /**
   * Adds the gradients of weight·MSE to the decoder's and to those of features.
   *
   * @param missing target less output, [R, d_in]
   * @param features what was decoded
   * @param dFeatures added to
   * @return the MSE
   */
  private double addError(Tensor missing, double weight, Tensor features, float[] dFeatures) {
    float[] off = missing.toArray();
    double squares = 0;
    double perElement = 1.0 / off.length;
    for (int i = 0; i < off.length; i++) {
      squares += (double) off[i] * off[i];
      off[i] = (float) (-2 * weight * perElement * off[i]);
    }
    Tensor dOut = Tensor.wrap(missing.shape(), off);
    dictionary.addDecoderGradient(features, dOut);
    dictionary.addDecoderBiasGradient(dOut);
    float[] gradient = dictionary.featureGradient(dOut).toArray();
    for (int i = 0; i < gradient.length; i++) {
      dFeatures[i] += gradient[i];
    }
    return squares * perElement;
  }

  private void addAuxiliary(
      Tensor missing, Tensor pre, float[] scores, boolean[] dead, float[] dPre, StepSums sums) {
    int count = 0;
    for (boolean one : dead) {
      count += one ? 1 : 0;
    }
    int most = Math.max(1, dIn / 2);
    if (count == 0 || loss.auxiliary() == 0) {
      return;
    }
    float[] ofDead = scores.clone();
    for (int i = 0; i < ofDead.length; i++) {
      if (!dead[i % dSae]) {
        ofDead[i] = Float.NEGATIVE_INFINITY;
      }
    }
    Chosen used = chosen(pre, Tensor.wrap(pre.shape(), ofDead), Math.min(most, count));
    Tensor out = dictionary.decode(used.values(), parameters().get(SaeWeight.b_dec));
    double weight = loss.reconstruction() * loss.auxiliary() * Math.min((double) count / most, 1);
    float[] gradient = new float[dPre.length];
    double term = weight * addError(missing.minus(out), weight, used.values(), gradient);
    for (int place : used.places()) {
      dPre[place] += gradient[place];
    }
    sums.auxiliary += term;
    sums.loss += term;
  }
}

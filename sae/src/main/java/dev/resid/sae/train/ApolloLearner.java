package dev.resid.sae.train;

import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Map;

/**
 * The dictionary of the end-to-end paper, with its gradients: f = relu(x·W_enc + b_enc), x̂ = f·N +
 * b_dec, where the rows of N are those of W_dec divided by their norm in every forward pass.
 *
 * @source e2e_sae 2.1.1, models/sparsifiers.py
 */
final class ApolloLearner implements Learner {
  /** Smallest norm a row is divided by, as in the reference. */
  private static final double LEAST_NORM = 1e-12;

  private final Backend backend;
  private final SaeLoss loss;
  private final Parameters parameters;
  private final int dIn;
  private final int dSae;
  private final Matrix encoder;
  private final Matrix decoder;
  private final Tensor directions;
  private final Tensor directionGradients;
  private final double[] norms;

  ApolloLearner(Backend backend, Map<SaeWeight, Tensor> initial, SaeLoss loss) {
    this.backend = backend;
    this.loss = loss;
    this.parameters = new Parameters(backend, initial);
    int[] sizes = parameters.get(SaeWeight.W_enc).shape().sizes();
    this.dIn = sizes[0];
    this.dSae = sizes[1];
    this.norms = new double[dSae];
    this.directions = backend.allocate(SaeWeight.W_dec.shape(dIn, dSae, dIn));
    this.directionGradients = backend.allocate(directions.shape());
    this.encoder = backend.pack(parameters.get(SaeWeight.W_enc));
    this.decoder = backend.pack(parameters.get(SaeWeight.W_dec));
    refresh();
  }

  @Override
  public Parameters parameters() {
    return parameters;
  }

  @Override
  public Map<SaeWeight, Tensor> published() {
    Map<SaeWeight, Tensor> copies = parameters.copies();
    copies.put(SaeWeight.W_dec, Tensor.of(directions.shape(), directions.toArray()));
    return copies;
  }

  @Override
  public void refresh() {
    float[] rows = parameters.get(SaeWeight.W_dec).toArray();
    for (int i = 0; i < dSae; i++) {
      norms[i] = Math.max(DecoderRows.norm(rows, i * dIn, dIn), LEAST_NORM);
      for (int c = 0; c < dIn; c++) {
        rows[i * dIn + c] = (float) (rows[i * dIn + c] / norms[i]);
      }
    }
    backend.copy(Tensor.wrap(directions.shape(), rows), directions);
    backend.repack(directions, decoder);
    backend.repack(parameters.get(SaeWeight.W_enc), encoder);
  }

  @Override
  public void learn(Tensor x, FeatureActivity activity, StepSums sums) {
    Tensor features = encode(x);
    Tensor gradient = reconstructionGradient(x, decode(features, x.shape()), sums);
    sums.active += activity.count(features);
    backward(x, features, gradient, sums);
  }

  /** As {@link #learn}, for rows of text that are run through the model with the reconstruction. */
  void learn(SplicedRun run, FeatureActivity activity, StepSums sums) {
    Tensor x = run.activation();
    Tensor features = encode(x);
    Tensor reconstruction = decode(features, x.shape());
    Tensor gradient = reconstructionGradient(x, reconstruction, sums);
    SplicedRun.Terms terms = run.splice(reconstruction);
    sums.kl += terms.kl();
    sums.downstream += terms.downstream();
    sums.loss += loss.kl() * terms.kl() + loss.downstream() * terms.downstream();
    sums.active += activity.count(features);
    backward(
        x,
        features,
        loss.reconstruction() > 0 ? terms.gradient().plus(gradient) : terms.gradient(),
        sums);
  }

  private Tensor encode(Tensor x) {
    Tensor features =
        backend.allocate(Shape.of(Axis.ROW, Math.toIntExact(x.shape().rows()), Axis.D_SAE, dSae));
    backend.linear(x, encoder, parameters.get(SaeWeight.b_enc), Activation.RELU, features);
    return features;
  }

  private Tensor decode(Tensor features, Shape shape) {
    Tensor out = backend.allocate(shape);
    backend.linear(features, decoder, parameters.get(SaeWeight.b_dec), Activation.IDENTITY, out);
    return out;
  }

  /** Returns the gradient of the weighed MSE at the reconstruction; adds the term. */
  private Tensor reconstructionGradient(Tensor x, Tensor reconstruction, StepSums sums) {
    float[] gradient = reconstruction.toArray();
    float[] target = x.toArray();
    double elements = (double) sums.tokens * dIn;
    float factor = (float) (2 * loss.reconstruction() / elements);
    double squares = 0;
    for (int i = 0; i < gradient.length; i++) {
      double off = (double) gradient[i] - target[i];
      squares += off * off;
      gradient[i] = (float) (factor * off);
    }
    sums.reconstruction += squares / elements;
    sums.loss += loss.reconstruction() * squares / elements;
    return Tensor.wrap(x.shape(), gradient);
  }

  /** Adds gradients of the parameters, and the sparsity term. */
  private void backward(Tensor x, Tensor features, Tensor gradient, StepSums sums) {
    backend.addOuterProducts(features, gradient, directionGradients);
    backend.addColumnSums(gradient, parameters.gradient(SaeWeight.b_dec));
    Tensor dFeatures = backend.allocate(features.shape());
    backend.linearBackwardInput(gradient, decoder, dFeatures);
    double perFeature = 1.0 / ((double) sums.tokens * dIn);
    float l1 = (float) (loss.sparsity() * perFeature);
    float[] d = dFeatures.toArray();
    float[] values = features.toArray();
    double sum = 0;
    for (int i = 0; i < d.length; i++) {
      sum += values[i];
      d[i] = values[i] > 0 ? d[i] + l1 : 0;
    }
    sums.sparsity += sum * perFeature;
    sums.loss += loss.sparsity() * sum * perFeature;
    Tensor dPre = Tensor.wrap(features.shape(), d);
    backend.addOuterProducts(x, dPre, parameters.gradient(SaeWeight.W_enc));
    backend.addColumnSums(dPre, parameters.gradient(SaeWeight.b_enc));
  }

  /** Carries the gradients of the unit rows through the normalisation, and clears them. */
  @Override
  public void finishGradients() {
    float[] unit = directions.toArray();
    float[] d = directionGradients.toArray();
    for (int i = 0; i < dSae; i++) {
      double along = 0;
      for (int c = 0; c < dIn; c++) {
        along += (double) unit[i * dIn + c] * d[i * dIn + c];
      }
      for (int c = 0; c < dIn; c++) {
        d[i * dIn + c] = (float) ((d[i * dIn + c] - along * unit[i * dIn + c]) / norms[i]);
      }
    }
    Tensor gradient = parameters.gradient(SaeWeight.W_dec);
    backend.add(gradient, Tensor.wrap(gradient.shape(), d), gradient);
    backend.addScaled(directionGradients, -1, directionGradients, directionGradients);
  }
}

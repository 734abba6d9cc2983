package dev.resid.sae.train;

import dev.resid.random.CounterRandom;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.EnumMap;
import java.util.Map;

/**
 * The dictionary of the end-to-end paper, with its gradients: f = relu(x·W_enc + b_enc), x̂ = f·N +
 * b_dec, where the rows of N are those of W_dec divided by their norm in every forward pass.
 * Features are dense: training touches most of a batch's features anyway.
 *
 * @source e2e_sae 2.1.1, models/sparsifiers.py
 */
final class ApolloDictionary {
  private static final int DIRECTIONS = 3;

  /** Smallest norm a row is divided by, as in the reference. */
  private static final double LEAST_NORM = 1e-12;

  private final Backend backend;
  private final Parameters parameters;
  private final int dIn;
  private final int dSae;
  private final Matrix encoder;
  private final Matrix decoder;
  private final Tensor directions;
  private final Tensor directionGradients;
  private final double[] norms;

  ApolloDictionary(Backend backend, Map<SaeWeight, Tensor> initial) {
    this.backend = backend;
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

  /**
   * Returns the start of training: decoder rows random unit vectors, the encoder their transpose
   * times 2·d_in/d_sae, which makes the reconstruction the input on average over half-active
   * features, and no encoder bias.
   *
   * @param decoderBias where b_dec starts, [out]
   */
  static Map<SaeWeight, Tensor> initial(int dIn, int dSae, float[] decoderBias, long seed) {
    float[] rows = new float[Math.multiplyExact(dIn, dSae)];
    float[] columns = new float[rows.length];
    CounterRandom random = new CounterRandom(seed);
    double gain = 2.0 * dIn / dSae;
    for (int i = 0; i < dSae; i++) {
      random.fillNormal(i, DIRECTIONS, rows, i * dIn, dIn);
      double norm = norm(rows, i * dIn, dIn);
      for (int c = 0; c < dIn; c++) {
        rows[i * dIn + c] = (float) (rows[i * dIn + c] / norm);
        columns[c * dSae + i] = (float) (gain * rows[i * dIn + c]);
      }
    }
    Map<SaeWeight, Tensor> initial = new EnumMap<>(SaeWeight.class);
    initial.put(SaeWeight.W_enc, Tensor.wrap(SaeWeight.W_enc.shape(dIn, dSae, dIn), columns));
    initial.put(SaeWeight.b_enc, Tensor.zeros(SaeWeight.b_enc.shape(dIn, dSae, dIn)));
    initial.put(SaeWeight.W_dec, Tensor.wrap(SaeWeight.W_dec.shape(dIn, dSae, dIn), rows));
    initial.put(SaeWeight.b_dec, Tensor.of(SaeWeight.b_dec.shape(dIn, dSae, dIn), decoderBias));
    return initial;
  }

  Parameters parameters() {
    return parameters;
  }

  int dSae() {
    return dSae;
  }

  /** Returns the parameters with unit decoder rows, as they are published. */
  Map<SaeWeight, Tensor> published() {
    Map<SaeWeight, Tensor> copies = parameters.copies();
    copies.put(SaeWeight.W_dec, Tensor.of(directions.shape(), directions.toArray()));
    return copies;
  }

  /** Takes changed parameters into use. */
  void refresh() {
    float[] rows = parameters.get(SaeWeight.W_dec).toArray();
    for (int i = 0; i < dSae; i++) {
      norms[i] = Math.max(norm(rows, i * dIn, dIn), LEAST_NORM);
      for (int c = 0; c < dIn; c++) {
        rows[i * dIn + c] = (float) (rows[i * dIn + c] / norms[i]);
      }
    }
    backend.copy(Tensor.wrap(directions.shape(), rows), directions);
    backend.repack(directions, decoder);
    backend.repack(parameters.get(SaeWeight.W_enc), encoder);
  }

  /** Returns the features of rows x [R, d_in], dense [R, d_sae]. */
  Tensor encode(Tensor x) {
    Tensor features =
        backend.allocate(Shape.of(Axis.ROW, Math.toIntExact(x.shape().rows()), Axis.D_SAE, dSae));
    backend.linear(x, encoder, parameters.get(SaeWeight.b_enc), Activation.RELU, features);
    return features;
  }

  /** Writes the reconstruction from features [R, d_sae] to {@code out}, [R, d_in]. */
  void decode(Tensor features, Tensor out) {
    backend.linear(features, decoder, parameters.get(SaeWeight.b_dec), Activation.IDENTITY, out);
  }

  /**
   * Adds gradients of the parameters.
   *
   * @param x the input [R, d_in]
   * @param features what {@link #encode} gave for it
   * @param gradient of the loss with respect to the reconstruction, [R, d_in]
   * @param l1 gradient of the loss with respect to every active feature, from sparsity
   */
  void backward(Tensor x, Tensor features, Tensor gradient, double l1) {
    backend.addOuterProducts(features, gradient, directionGradients);
    backend.addColumnSums(gradient, parameters.gradient(SaeWeight.b_dec));
    Tensor dFeatures = backend.allocate(features.shape());
    backend.linearBackwardInput(gradient, decoder, dFeatures);
    Tensor constant = dFeatures.map(v -> v + (float) l1);
    backend.activateBackward(constant, features, Activation.RELU, dFeatures);
    backend.addOuterProducts(x, dFeatures, parameters.gradient(SaeWeight.W_enc));
    backend.addColumnSums(dFeatures, parameters.gradient(SaeWeight.b_enc));
  }

  /** Carries the gradients of the unit rows through the normalisation, and clears them. */
  void finishGradients() {
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

  private static double norm(float[] values, int from, int n) {
    double squares = 0;
    for (int i = from; i < from + n; i++) {
      squares += (double) values[i] * values[i];
    }
    return Math.sqrt(squares);
  }
}

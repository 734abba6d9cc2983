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
 * The products of a dictionary that subtracts b_dec before encoding: pre = (x − b_dec)·W_enc +
 * b_enc, x̂ = f·W_dec + b_dec, and their gradients.
 */
final class CentredDictionary {
  private final Backend backend;
  private final Parameters parameters;
  private final int dIn;
  private final int dSae;
  private final Matrix encoder;
  private final Matrix decoder;
  private double[] rowNorms;

  CentredDictionary(Backend backend, Map<SaeWeight, Tensor> initial) {
    this.backend = backend;
    this.parameters = new Parameters(backend, initial);
    int[] sizes = parameters.get(SaeWeight.W_enc).shape().sizes();
    this.dIn = sizes[0];
    this.dSae = sizes[1];
    this.encoder = backend.pack(parameters.get(SaeWeight.W_enc));
    this.decoder = backend.pack(parameters.get(SaeWeight.W_dec));
    this.rowNorms = new double[dSae];
  }

  Parameters parameters() {
    return parameters;
  }

  int dIn() {
    return dIn;
  }

  int dSae() {
    return dSae;
  }

  /** Returns the norm of the decoder row of a feature, of the parameters in use. */
  double rowNorm(int feature) {
    return rowNorms[feature];
  }

  /** Takes changed parameters into use. */
  void refresh() {
    rowNorms = DecoderRows.norms(parameters.get(SaeWeight.W_dec).toArray(), dIn);
    backend.repack(parameters.get(SaeWeight.W_enc), encoder);
    backend.repack(parameters.get(SaeWeight.W_dec), decoder);
  }

  /** Returns x − b_dec, [R, d_in]. */
  Tensor centre(Tensor x) {
    float[] values = x.toArray();
    float[] bias = parameters.get(SaeWeight.b_dec).toArray();
    for (int i = 0; i < values.length; i++) {
      values[i] -= bias[i % dIn];
    }
    return Tensor.wrap(x.shape(), values);
  }

  /** Returns the pre-activations of centred rows, [R, d_sae]. */
  Tensor preActivations(Tensor centred) {
    Tensor pre = backend.allocate(wide(centred));
    backend.linear(centred, encoder, parameters.get(SaeWeight.b_enc), Activation.IDENTITY, pre);
    return pre;
  }

  /** Returns f·W_dec + bias, [R, d_in]. */
  Tensor decode(Tensor features, Tensor bias) {
    Tensor out = backend.allocate(Shape.of(Axis.ROW, rows(features), Axis.D_MODEL, dIn));
    backend.linear(features, decoder, bias, Activation.IDENTITY, out);
    return out;
  }

  /** Adds fᵀ·dOut to the gradient of W_dec. */
  void addDecoderGradient(Tensor features, Tensor dOut) {
    backend.addOuterProducts(features, dOut, parameters.gradient(SaeWeight.W_dec));
  }

  /** Returns dOut·W_decᵀ, [R, d_sae]. */
  Tensor featureGradient(Tensor dOut) {
    Tensor dFeatures = backend.allocate(wide(dOut));
    backend.linearBackwardInput(dOut, decoder, dFeatures);
    return dFeatures;
  }

  /** Adds the gradients of W_enc, b_enc, and of b_dec where it is subtracted. */
  void addEncoderGradients(Tensor centred, Tensor dPre) {
    backend.addOuterProducts(centred, dPre, parameters.gradient(SaeWeight.W_enc));
    Tensor sums = backend.allocate(Shape.of(Axis.ROW, 1, Axis.D_SAE, dSae));
    backend.addColumnSums(dPre, sums);
    Tensor bias = parameters.gradient(SaeWeight.b_enc);
    backend.add(bias, sums.reshape(bias.shape()), bias);
    Tensor back = backend.allocate(Shape.of(Axis.ROW, 1, Axis.D_MODEL, dIn));
    backend.linearBackwardInput(sums, encoder, back);
    Tensor decoderBias = parameters.gradient(SaeWeight.b_dec);
    backend.addScaled(decoderBias, -1, back.reshape(decoderBias.shape()), decoderBias);
  }

  /** Adds Σ_r dOut to the gradient of b_dec. */
  void addDecoderBiasGradient(Tensor dOut) {
    backend.addColumnSums(dOut, parameters.gradient(SaeWeight.b_dec));
  }

  private Shape wide(Tensor rows) {
    return Shape.of(Axis.ROW, rows(rows), Axis.D_SAE, dSae);
  }

  private static int rows(Tensor tensor) {
    return Math.toIntExact(tensor.shape().rows());
  }
}

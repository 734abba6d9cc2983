package dev.resid.sae;

import dev.resid.hook.Intervention;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Dim;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What all architectures share: normalisation, the encoder's product, decoding and splicing.
 *
 * <p>Run order: flatten heads, normalise, subtract b_dec, product with W_enc plus bias,
 * architecture's function, times scaling factors, product with W_dec plus b_dec, undo
 * normalisation, restore heads.
 */
final class SaeParts {
  private final SaeConfig config;
  private final Backend backend;
  private final Matrix encoder;
  private final Tensor preBias;
  private final Map<SaeWeight, Tensor> small = new EnumMap<>(SaeWeight.class);
  private final float[] decoder;

  SaeParts(SaeConfig config, SaeWeights weights, Backend backend, Set<SaeWeight> own) {
    requireFit(config, weights, own);
    this.config = config;
    this.backend = backend;
    encoder = backend.pack(weights.get(SaeWeight.W_enc));
    decoder = weights.get(SaeWeight.W_dec).toArray();
    preBias =
        weights.find(SaeWeight.b_enc).orElse(Tensor.zeros(Shape.of(Axis.D_SAE, config.dSae())));
    weights
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (name != SaeWeight.W_enc && name != SaeWeight.W_dec) {
                small.put(name, tensor);
              }
            });
  }

  private static void requireFit(SaeConfig config, SaeWeights weights, Set<SaeWeight> own) {
    if (weights.dIn() != config.dIn()
        || weights.dSae() != config.dSae()
        || weights.dOut() != config.dOut()) {
      throw new IllegalArgumentException(
          config.name()
              + ": the configuration states d_in "
              + config.dIn()
              + ", d_sae "
              + config.dSae()
              + ", d_out "
              + config.dOut()
              + ", the weights have "
              + weights.dIn()
              + ", "
              + weights.dSae()
              + ", "
              + weights.dOut());
    }
    Set<SaeWeight> needed = EnumSet.of(SaeWeight.W_enc, SaeWeight.W_dec, SaeWeight.b_dec);
    needed.addAll(own);
    Set<SaeWeight> allowed = EnumSet.of(SaeWeight.scaling_factor, SaeWeight.W_skip);
    allowed.addAll(needed);
    if (!weights.tensors().keySet().containsAll(needed)
        || !allowed.containsAll(weights.tensors().keySet())) {
      throw new IllegalArgumentException(
          config.name()
              + ": architecture "
              + config.architecture()
              + " has the parameters "
              + needed
              + ", got "
              + EnumSet.copyOf(weights.tensors().keySet()));
    }
  }

  SaeConfig config() {
    return config;
  }

  Backend backend() {
    return backend;
  }

  Tensor get(SaeWeight weight) {
    return small.get(weight);
  }

  SaeWeights weights() {
    Map<SaeWeight, Tensor> all = new EnumMap<>(SaeWeight.class);
    all.putAll(small);
    all.put(SaeWeight.W_enc, encoder.toTensor());
    all.put(
        SaeWeight.W_dec,
        Tensor.wrap(
            SaeWeight.W_dec.shape(config.dIn(), config.dSae(), config.dOut()), decoder.clone()));
    return new SaeWeights(all);
  }

  /** Returns the axes of the rows of an activation, which may have its heads apart. */
  Shape leading(Tensor x) {
    List<Dim> dims = new ArrayList<>(x.shape().dims());
    int width = 1;
    while (!dims.isEmpty() && width < config.dIn()) {
      width *= dims.removeLast().size();
    }
    if (width != config.dIn()) {
      throw new IllegalArgumentException(
          config.name() + " reads activations of width " + config.dIn() + ", got " + x.shape());
    }
    return new Shape(dims);
  }

  /** Returns pre-activations [leading..., d_sae]. */
  Tensor preActivations(Tensor x) {
    Shape leading = leading(x);
    int rows = Math.toIntExact(leading.elements());
    float[] input = x.toArray().clone();
    RowScales scales = RowScales.of(config, input, rows);
    scales.apply(input);
    if (config.decoderBias() == DecoderBias.SUBTRACTED_AND_ADDED) {
      float[] bias = get(SaeWeight.b_dec).toArray();
      for (int i = 0; i < input.length; i++) {
        input[i] -= bias[i % bias.length];
      }
    }
    List<Dim> dims = new ArrayList<>(leading.dims());
    dims.add(new Dim(Axis.D_SAE, config.dSae()));
    Tensor pre = backend.allocate(new Shape(dims));
    backend.linear(
        Tensor.wrap(Shape.of(Axis.ROW, rows, Axis.IN, config.dIn()), input),
        encoder,
        preBias,
        Activation.IDENTITY,
        pre);
    return pre;
  }

  Tensor decode(SparseFeatures features) {
    if (RowScales.dependOnRow(config) || small.containsKey(SaeWeight.W_skip)) {
      throw new IllegalStateException(
          config.name()
              + " cannot be decoded from features alone (normalisation "
              + config.normalization()
              + (small.containsKey(SaeWeight.W_skip) ? ", skip connection" : "")
              + "): pass the activation too");
    }
    List<Dim> dims = new ArrayList<>(features.leading().dims());
    dims.add(new Dim(Axis.D_MODEL, config.dOut()));
    float[] out = sums(features);
    for (int i = 0; i < out.length && config.normalization() != Normalization.NONE; i++) {
      out[i] /= (float) config.inputScale();
    }
    return Tensor.wrap(new Shape(dims), out);
  }

  Tensor decode(SparseFeatures features, Tensor x) {
    Shape leading = leading(x);
    if (features.rows() != leading.elements() || features.dSae() != config.dSae()) {
      throw new IllegalArgumentException(
          config.name()
              + ": features of "
              + features.rows()
              + " rows and d_sae "
              + features.dSae()
              + " do not belong to "
              + x.shape()
              + " and d_sae "
              + config.dSae());
    }
    float[] out = sums(features);
    float[] input = x.toArray();
    RowScales.of(config, input, features.rows()).undo(out);
    if (small.containsKey(SaeWeight.W_skip)) {
      addSkip(input, out, features.rows());
    }
    Shape shape = x.shape();
    if (config.dOut() != config.dIn()) {
      List<Dim> dims = new ArrayList<>(leading.dims());
      dims.add(new Dim(Axis.D_MODEL, config.dOut()));
      shape = new Shape(dims);
    }
    return Tensor.wrap(shape, out);
  }

  private void addSkip(float[] input, float[] out, int rows) {
    float[] skip = get(SaeWeight.W_skip).toArray();
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < config.dOut(); o++) {
        double sum = 0;
        for (int i = 0; i < config.dIn(); i++) {
          sum += (double) skip[o * config.dIn() + i] * input[r * config.dIn() + i];
        }
        out[r * config.dOut() + o] += (float) sum;
      }
    }
  }

  private float[] sums(SparseFeatures features) {
    int width = config.dOut();
    float[] out = new float[Math.multiplyExact(features.rows(), width)];
    float[] bias = get(SaeWeight.b_dec).toArray();
    Tensor factors = small.get(SaeWeight.scaling_factor);
    float[] scaling = factors == null ? null : factors.toArray();
    for (int r = 0; r < features.rows(); r++) {
      for (int at = features.start(r); at < features.end(r); at++) {
        int feature = features.indices()[at];
        float value = features.values()[at];
        if (scaling != null) {
          value *= scaling[feature];
        }
        for (int o = 0; o < width; o++) {
          out[r * width + o] = Math.fma(value, decoder[feature * width + o], out[r * width + o]);
        }
      }
      for (int o = 0; o < width; o++) {
        out[r * width + o] += bias[o];
      }
    }
    return out;
  }

  Intervention splice(Sae sae, SpliceMode mode, FeatureEdit... edits) {
    if (!config.point().equals(config.outputPoint())) {
      throw new IllegalStateException(
          config.name()
              + " is a transcoder: it reads "
              + config.point()
              + " and writes "
              + config.outputPoint());
    }
    return (x, at) -> {
      if (!at.point().equals(config.point())) {
        throw new IllegalArgumentException(
            config.name()
                + " belongs at "
                + config.point()
                + " and was put at "
                + at.point()
                + "; replace at sae.hookPoint()");
      }
      SparseFeatures features = sae.encode(x);
      SparseFeatures edited = features;
      for (FeatureEdit edit : edits) {
        edited = edit.apply(edited);
      }
      Tensor result = sae.decode(edited, x);
      if (mode == SpliceMode.WITH_ERROR) {
        Tensor plain = edited == features ? result : sae.decode(features, x);
        result = result.plus(x.minus(plain));
      }
      return result;
    };
  }
}

package dev.resid.sae;

import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Dim;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What all architectures share: normalisation, the encoder's product and decoding.
 *
 * <p>Run order: flatten heads, normalise, subtract b_dec, product with W_enc plus bias,
 * architecture's function, times scaling factors, product with W_dec plus b_dec, undo
 * normalisation, restore heads.
 *
 * <p>b_dec is subtracted from the input rather than folded into the encoder's bias: where it is
 * large against x − b_dec, as at position 0, the folded form loses the digits in which they differ.
 *
 * <p>W_enc is kept packed and W_dec as it is, once each; everything else is small.
 */
final class SaeParts {
  private final SaeConfig config;
  private final Backend backend;
  private final Matrix encoder;
  private final Tensor decoder;
  private final Tensor preBias;
  private final Map<SaeWeight, Tensor> small = new EnumMap<>(SaeWeight.class);

  /** Multiplies the selection of top-k; ones but for decoder norms. Empty for others. */
  private final Optional<Tensor> selectionScale;

  /** Multiplies features before decoding; empty for ones. */
  private final Optional<float[]> decoderScale;

  private final Optional<Matrix> skip;

  SaeParts(SaeConfig config, SaeWeights weights, Backend backend, Set<SaeWeight> own) {
    requireFit(config, weights, own);
    this.config = config;
    this.backend = backend;
    encoder = backend.pack(weights.get(SaeWeight.W_enc));
    decoder = backend.allocate(weights.get(SaeWeight.W_dec).shape());
    backend.copy(weights.get(SaeWeight.W_dec), decoder);
    weights
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (name != SaeWeight.W_enc && name != SaeWeight.W_dec) {
                small.put(name, Tensor.wrap(tensor.shape(), tensor.toArray()));
              }
            });
    preBias =
        small.getOrDefault(SaeWeight.b_enc, Tensor.zeros(Shape.of(Axis.D_SAE, config.dSae())));
    requireNumbers(SaeWeight.threshold);
    requireNumbers(SaeWeight.b_gate);
    float[] norms = config.topKScale() == TopKScale.DECODER_NORM ? norms() : null;
    selectionScale =
        config.architecture() == Architecture.TOP_K
            ? Optional.of(selectionScale(preBias.shape(), norms))
            : Optional.empty();
    decoderScale = decoderScale(small.get(SaeWeight.scaling_factor), norms);
    skip = Optional.ofNullable(small.get(SaeWeight.W_skip)).map(backend::packTransposed);
  }

  private void requireNumbers(SaeWeight weight) {
    Tensor tensor = small.get(weight);
    if (tensor != null) {
      for (float value : tensor.toArray()) {
        if (Float.isNaN(value)) {
          throw new IllegalArgumentException(
              config.name() + ": " + weight + " has a NaN, so nothing says what is active");
        }
      }
    }
  }

  private float[] norms() {
    double[] norms = backend.l2Distance(decoder, Tensor.zeros(decoder.shape()));
    float[] result = new float[norms.length];
    for (int i = 0; i < norms.length; i++) {
      result[i] = (float) norms[i];
    }
    return result;
  }

  private static Tensor selectionScale(Shape shape, float[] norms) {
    return norms == null ? Tensor.zeros(shape).map(zero -> 1) : Tensor.wrap(shape, norms);
  }

  private static Optional<float[]> decoderScale(Tensor scaling, float[] norms) {
    if (scaling == null && norms == null) {
      return Optional.empty();
    }
    float[] factors = new float[norms == null ? (int) scaling.elements() : norms.length];
    for (int i = 0; i < factors.length; i++) {
      double factor = scaling == null ? 1 : scaling.get(i);
      factors[i] = (float) (norms == null || norms[i] == 0 ? factor : factor / norms[i]);
    }
    return Optional.of(factors);
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

  Tensor decoderRow(int feature) {
    config.requireFeature(feature);
    float[] row = new float[config.dOut()];
    decoder.storage().read((long) feature * row.length, row, 0, row.length);
    return Tensor.wrap(Shape.of(Axis.OUT, row.length), row);
  }

  SaeWeights weights() {
    Map<SaeWeight, Tensor> all = new EnumMap<>(small);
    all.put(SaeWeight.W_enc, encoder.toTensor());
    all.put(SaeWeight.W_dec, Tensor.wrap(decoder.shape(), decoder.toArray()));
    return new SaeWeights(all);
  }

  /** Returns the axes of the rows of an activation, which may have its heads apart. */
  Shape leading(Tensor x) {
    List<Dim> dims = new ArrayList<>(x.shape().dims());
    int width = dims.isEmpty() ? 0 : dims.removeLast().size();
    if (!dims.isEmpty() && headsApart(dims.getLast(), width)) {
      width *= dims.removeLast().size();
    }
    if (width != config.dIn()) {
      throw new SaeMismatchException(
          config.name()
              + " reads activations of width "
              + config.dIn()
              + " at "
              + config.point()
              + ", got "
              + x.shape()
              + "; take an SAE of this model and point");
    }
    return new Shape(dims);
  }

  /** Returns whether the last axis but one is that of heads; tensors of files do not name it. */
  private boolean headsApart(Dim heads, int width) {
    return heads.axis().equals(Axis.HEAD)
        || config.point().site().axes().contains(Axis.D_HEAD)
            && width != config.dIn()
            && (long) width * heads.size() == config.dIn();
  }

  /** Returns normalised rows [rows, d_in] without b_dec; x itself if nothing is done to it. */
  private Tensor prepared(Tensor x) {
    int rows = Math.toIntExact(leading(x).elements());
    Shape shape = Shape.of(Axis.ROW, rows, Axis.IN, config.dIn());
    boolean subtracts = config.decoderBias() == DecoderBias.SUBTRACTED_AND_ADDED;
    if (config.normalization() == Normalization.NONE && !subtracts) {
      return x.reshape(shape);
    }
    float[] input = x.toArray();
    float[] offset = subtracts ? get(SaeWeight.b_dec).toArray() : new float[config.dIn()];
    RowScales.of(config, input, rows).apply(input, offset);
    return Tensor.wrap(shape, input);
  }

  /** Returns pre-activations [leading..., d_sae]. */
  Tensor preActivations(Tensor x) {
    Tensor pre = backend.allocate(with(leading(x), Axis.D_SAE, config.dSae()));
    backend.linear(prepared(x), encoder, preBias, Activation.IDENTITY, pre);
    return pre;
  }

  /** Returns the pre-activations above a threshold [d_sae]. */
  SparseRows above(Tensor x, Tensor threshold) {
    return backend.linearAbove(prepared(x), encoder, preBias, threshold);
  }

  /** Returns the k largest pre-activations of every row, decoder norms included. */
  SparseRows largest(Tensor x, int k) {
    return backend.linearTopK(prepared(x), encoder, preBias, selectionScale.orElseThrow(), k);
  }

  Tensor decode(SparseFeatures features) {
    if (RowScales.dependOnRow(config) || skip.isPresent()) {
      throw new IllegalStateException(
          config.name()
              + " cannot be decoded from features alone (normalisation "
              + config.normalization()
              + (skip.isPresent() ? ", skip connection" : "")
              + "): pass the activation too");
    }
    requireFeatures(features);
    Tensor out = sums(features, with(features.leading(), Axis.D_MODEL, config.dOut()));
    double scale = config.inputScale();
    return config.normalization() == Normalization.NONE || scale == 1
        ? out
        : out.map(y -> (float) (y / scale));
  }

  Tensor decode(SparseFeatures features, Tensor x) {
    Shape leading = leading(x);
    requireFeatures(features);
    if (features.rows() != leading.elements()) {
      throw new ShapeMismatchException(
          config.name()
              + ": features of "
              + features.rows()
              + " rows do not belong to the activation "
              + x.shape());
    }
    Shape shape =
        config.dOut() == config.dIn() ? x.shape() : with(leading, Axis.D_MODEL, config.dOut());
    Tensor out = sums(features, shape);
    if (config.normalization() != Normalization.NONE) {
      float[] y = out.toArray();
      RowScales.of(config, x.toArray(), features.rows()).undo(y);
      out = Tensor.wrap(shape, y);
    }
    return skip.isPresent() ? out.plus(skipped(skip.get(), x, shape)) : out;
  }

  private void requireFeatures(SparseFeatures features) {
    if (features.dSae() != config.dSae()) {
      throw new SaeMismatchException(
          config.name()
              + " has "
              + config.dSae()
              + " features, got features of an SAE with "
              + features.dSae());
    }
  }

  /** Returns x·W_skipᵀ. */
  private Tensor skipped(Matrix matrix, Tensor x, Shape shape) {
    int rows = Math.toIntExact(x.elements() / config.dIn());
    Tensor out = backend.allocate(Shape.of(Axis.ROW, rows, Axis.OUT, config.dOut()));
    Tensor none = Tensor.zeros(Shape.of(Axis.OUT, config.dOut()));
    Tensor input = x.reshape(Shape.of(Axis.ROW, rows, Axis.IN, config.dIn()));
    backend.linear(input, matrix, none, Activation.IDENTITY, out);
    return out.reshape(shape);
  }

  /** Returns the sums of decoder rows plus b_dec, under a shape of as many elements. */
  private Tensor sums(SparseFeatures features, Shape shape) {
    SparseRows rows = features.sparseRows();
    if (decoderScale.isPresent()) {
      float[] factors = decoderScale.get();
      float[] values = new float[rows.count()];
      for (int at = 0; at < values.length; at++) {
        values[at] = rows.values()[at] * factors[rows.indices()[at]];
      }
      rows = new SparseRows(rows.columns(), rows.starts(), rows.indices(), values);
    }
    Tensor out = backend.allocate(Shape.of(Axis.ROW, rows.rows(), Axis.OUT, config.dOut()));
    backend.sparseLinear(rows, decoder, get(SaeWeight.b_dec), out);
    return out.reshape(shape);
  }

  private static Shape with(Shape leading, Axis axis, int size) {
    List<Dim> dims = new ArrayList<>(leading.dims());
    dims.add(new Dim(axis, size));
    return new Shape(dims);
  }
}

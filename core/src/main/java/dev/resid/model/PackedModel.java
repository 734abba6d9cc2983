package dev.resid.model;

import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.tensor.Backend;
import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * All weights on a backend, each held once: matrices in the backend's layout, and the embedding of
 * a tied model as columns of the unembedding. The largest tensor is packed first, while nothing
 * else is held, so that loading needs little more memory than the weights.
 */
final class PackedModel {
  private static final int UNPACK_VALUES = 1 << 16;

  private final Backend backend;
  private final Gpt2Config config;
  private final WeightsState state;
  private final Matrix embedding;
  private final Matrix unembedding;
  private final Tensor positions;
  private final Tensor b_U;
  private final Tensor lnFinalGamma;
  private final Tensor lnFinalBeta;
  private final List<PackedBlock> blocks = new ArrayList<>();

  PackedModel(Gpt2Weights weights, Backend backend) {
    this.backend = backend;
    this.config = weights.config();
    this.state = weights.state();
    requireRoom();
    this.unembedding = packTransposed(weights, WeightNames.W_U);
    this.embedding =
        config.embeddings() == Embeddings.TIED
            ? unembedding
            : packTransposed(weights, WeightNames.W_E);
    this.positions = hold(weights, WeightNames.W_pos, -1);
    for (int layer = 0; layer < config.nLayers(); layer++) {
      blocks.add(block(weights, layer));
    }
    this.lnFinalGamma = hold(weights, WeightNames.lnFinal_gamma, -1);
    this.lnFinalBeta = hold(weights, WeightNames.lnFinal_beta, -1);
    this.b_U = hold(weights, WeightNames.b_U, -1);
  }

  // Before the first of many allocations, so that nothing is loaded in vain.
  private void requireRoom() {
    long bytes = config.parameters() * Float.BYTES;
    OptionalLong free = backend.freeBytes();
    if (free.isPresent() && free.getAsLong() < bytes) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "the weights take %,d MiB, and %s has %,d MiB free; use a smaller model or another"
                  + " device, or end other programs on it",
              bytes >> 20,
              backend.description(),
              free.getAsLong() >> 20));
    }
  }

  private PackedBlock block(Gpt2Weights weights, int layer) {
    return new PackedBlock(
        hold(weights, WeightNames.ln1_gamma, layer),
        hold(weights, WeightNames.ln1_beta, layer),
        pack(weights, WeightNames.W_Q, layer),
        hold(weights, WeightNames.b_Q, layer),
        pack(weights, WeightNames.W_K, layer),
        hold(weights, WeightNames.b_K, layer),
        pack(weights, WeightNames.W_V, layer),
        hold(weights, WeightNames.b_V, layer),
        pack(weights, WeightNames.W_O, layer),
        hold(weights, WeightNames.b_O, layer),
        hold(weights, WeightNames.ln2_gamma, layer),
        hold(weights, WeightNames.ln2_beta, layer),
        pack(weights, WeightNames.W_in, layer),
        hold(weights, WeightNames.b_in, layer),
        pack(weights, WeightNames.W_out, layer),
        hold(weights, WeightNames.b_out, layer));
  }

  /** Overwrites every weight with new values, in place. */
  void update(Gpt2Weights weights) {
    backend.repackTransposed(weights.get(Weight.of(WeightNames.W_U)), unembedding);
    if (embedding != unembedding) {
      backend.repackTransposed(weights.get(Weight.of(WeightNames.W_E)), embedding);
    }
    for (Weight weight : Weight.all(config)) {
      if (weight.name() == WeightNames.W_E || weight.name() == WeightNames.W_U) {
        continue;
      }
      Object held = held(weight);
      if (held instanceof Matrix matrix) {
        backend.repack(weights.get(weight), matrix);
      } else {
        backend.copy(weights.get(weight), (Tensor) held);
      }
    }
  }

  /** Returns the weights as tensors again, unpacked when read. */
  Gpt2Weights unpack() {
    return new Gpt2Weights(config, state, this::unpack);
  }

  private Tensor unpack(Weight weight) {
    return switch (weight.name()) {
      case W_E -> transposed(embedding, weight);
      case W_U -> transposed(unembedding, weight);
      default -> {
        Object held = held(weight);
        Tensor tensor = held instanceof Matrix matrix ? matrix.toTensor() : (Tensor) held;
        yield Tensor.wrap(weight.name().shape(config), tensor.toArray());
      }
    };
  }

  private Tensor transposed(Matrix matrix, Weight weight) {
    int tokens = config.dVocab();
    float[] rows = new float[Math.multiplyExact(tokens, config.dModel())];
    int step = Math.max(1, UNPACK_VALUES / config.dModel());
    for (int from = 0; from < tokens; from += step) {
      int count = Math.min(step, tokens - from);
      int[] ids = new int[count];
      for (int i = 0; i < count; i++) {
        ids[i] = from + i;
      }
      Tensor part =
          backend.allocate(weight.name().shape(config).with(dev.resid.tensor.Axis.D_VOCAB, count));
      backend.gatherColumns(matrix, ids, part);
      part.storage().read(0, rows, from * config.dModel(), count * config.dModel());
    }
    return Tensor.wrap(weight.name().shape(config), rows);
  }

  private Object held(Weight weight) {
    PackedBlock block = weight.layer() >= 0 ? blocks.get(weight.layer()) : null;
    return switch (weight.name()) {
      case W_E -> embedding;
      case W_U -> unembedding;
      case W_pos -> positions;
      case b_U -> b_U;
      case lnFinal_gamma -> lnFinalGamma;
      case lnFinal_beta -> lnFinalBeta;
      case ln1_gamma -> block.ln1_gamma();
      case ln1_beta -> block.ln1_beta();
      case W_Q -> block.W_Q();
      case b_Q -> block.b_Q();
      case W_K -> block.W_K();
      case b_K -> block.b_K();
      case W_V -> block.W_V();
      case b_V -> block.b_V();
      case W_O -> block.W_O();
      case b_O -> block.b_O();
      case ln2_gamma -> block.ln2_gamma();
      case ln2_beta -> block.ln2_beta();
      case W_in -> block.W_in();
      case b_in -> block.b_in();
      case W_out -> block.W_out();
      case b_out -> block.b_out();
    };
  }

  Gpt2Config config() {
    return config;
  }

  WeightsState state() {
    return state;
  }

  Backend backend() {
    return backend;
  }

  /** Columns are token embeddings: [d_model, d_vocab]. */
  Matrix embedding() {
    return embedding;
  }

  /** W_U [d_model, d_vocab]. */
  Matrix unembedding() {
    return unembedding;
  }

  Tensor positions() {
    return positions;
  }

  Tensor b_U() {
    return b_U;
  }

  Tensor lnFinalGamma() {
    return lnFinalGamma;
  }

  Tensor lnFinalBeta() {
    return lnFinalBeta;
  }

  PackedBlock block(int layer) {
    return blocks.get(layer);
  }

  private Matrix pack(Gpt2Weights weights, WeightNames name, int layer) {
    return whereFinite(weights, name, layer, backend::pack);
  }

  private Matrix packTransposed(Gpt2Weights weights, WeightNames name) {
    return whereFinite(weights, name, -1, backend::packTransposed);
  }

  private Tensor hold(Gpt2Weights weights, WeightNames name, int layer) {
    return whereFinite(
        weights,
        name,
        layer,
        from -> {
          Tensor to = backend.allocate(from.shape());
          backend.copy(Tensor.wrap(from.shape(), from.toArray()), to);
          return to;
        });
  }

  /**
   * Returns what is made of a weight, whose values are looked at as they are read. Threads may read
   * parts of it, so that which bad value one of them meets is chance: the first is looked for.
   */
  private static <T> T whereFinite(
      Gpt2Weights weights, WeightNames name, int layer, Function<Tensor, T> use) {
    Weight weight = new Weight(name, layer);
    Tensor tensor = weights.get(weight);
    FiniteStorage finite = new FiniteStorage(weight, tensor.storage(), tensor.elements());
    if (tensor.storage() instanceof HostStorage) {
      finite.requireAll();
      return use.apply(tensor);
    }
    try {
      return use.apply(Tensor.on(tensor.shape(), finite));
    } catch (NonFiniteWeightException e) {
      finite.requireAll();
      throw e;
    }
  }
}

package dev.resid.model;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Keys and values of positions that a pass does not recompute. The buffers have room for more
 * positions than are filled; causality keeps the rest from being read.
 */
final class KeyValues {
  private final Backend backend;
  private final List<Tensor> keys = new ArrayList<>();
  private final List<Tensor> values = new ArrayList<>();
  private final int capacity;

  /** Makes room for {@code capacity} positions of {@code rows} rows in every block. */
  KeyValues(Backend backend, Gpt2Config config, int rows, int capacity) {
    this.backend = backend;
    this.capacity = capacity;
    Shape shape =
        Shape.of(
            Axis.BATCH,
            rows,
            Axis.POS,
            capacity,
            Axis.HEAD,
            config.nHeads(),
            Axis.D_HEAD,
            config.dHead());
    for (int layer = 0; layer < config.nLayers(); layer++) {
      keys.add(backend.allocate(shape));
      values.add(backend.allocate(shape));
    }
  }

  int capacity() {
    return capacity;
  }

  /** Stores new keys from a position on and returns those of all positions. */
  Tensor keys(int layer, int first, Tensor added) {
    backend.insert(added, Axis.POS, first, keys.get(layer));
    return keys.get(layer);
  }

  /** Stores new values from a position on and returns those of all positions. */
  Tensor values(int layer, int first, Tensor added) {
    backend.insert(added, Axis.POS, first, values.get(layer));
    return values.get(layer);
  }

  Tensor keys(int layer) {
    return keys.get(layer);
  }

  Tensor values(int layer) {
    return values.get(layer);
  }
}

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
  private final int fromLayer;
  private final int capacity;

  /**
   * Makes room for {@code capacity} positions of {@code rows} rows in every block from one on.
   *
   * @param fromLayer the first block; of those before it there are no keys and values
   */
  KeyValues(Backend backend, Gpt2Config config, int fromLayer, int rows, int capacity) {
    this.backend = backend;
    this.fromLayer = fromLayer;
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
    for (int layer = fromLayer; layer < config.nLayers(); layer++) {
      keys.add(backend.allocate(shape));
      values.add(backend.allocate(shape));
    }
  }

  int capacity() {
    return capacity;
  }

  /** Stores new keys from a position on and returns those of all positions. */
  Tensor keys(int layer, int first, Tensor added) {
    backend.insert(added, Axis.POS, first, keys.get(layer - fromLayer));
    return keys.get(layer - fromLayer);
  }

  /** Stores new values from a position on and returns those of all positions. */
  Tensor values(int layer, int first, Tensor added) {
    backend.insert(added, Axis.POS, first, values.get(layer - fromLayer));
    return values.get(layer - fromLayer);
  }

  Tensor keys(int layer) {
    return keys.get(layer - fromLayer);
  }

  Tensor values(int layer) {
    return values.get(layer - fromLayer);
  }
}

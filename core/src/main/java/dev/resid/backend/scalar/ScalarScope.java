package dev.resid.backend.scalar;

import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/**
 * Temporaries that are NaN when taken and NaN again when given back, so that code which expects
 * zeros, or reads a temporary too late, shows in the results of the reference backend.
 */
final class ScalarScope implements Scope {
  private final Set<float[]> taken = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean closed;

  @Override
  public Tensor take(Shape shape) {
    if (closed) {
      throw new IllegalStateException("this scope is closed; take " + shape + " from an open one");
    }
    Tensor tensor = Tensor.zeros(shape);
    float[] array = ((HostStorage) tensor.storage()).array();
    Arrays.fill(array, Float.NaN);
    taken.add(array);
    return tensor;
  }

  @Override
  public void give(Tensor tensor) {
    if (tensor.storage() instanceof HostStorage host && taken.remove(host.array())) {
      Arrays.fill(host.array(), Float.NaN);
    }
  }

  @Override
  public void close() {
    closed = true;
    taken.forEach(array -> Arrays.fill(array, Float.NaN));
    taken.clear();
  }
}

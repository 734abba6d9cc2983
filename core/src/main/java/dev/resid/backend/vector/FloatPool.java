package dev.resid.backend.vector;

import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Arrays that scopes have given back, by size, up to a limit of bytes. Any thread may use it. */
final class FloatPool {
  // Sizes are rounded up to an eighth of their power of two, so that nearly equal shapes share.
  private static final int SIZE_STEPS = 8;
  private static final int SMALLEST = 256;

  private final NavigableMap<Integer, ArrayDeque<float[]>> free = new TreeMap<>();
  private final long limitFloats = Runtime.getRuntime().maxMemory() / 4 / Float.BYTES;
  private long heldFloats;

  /** Returns an array of at least this length with arbitrary contents. */
  float[] take(int length) {
    int size = roundUp(length);
    synchronized (this) {
      ArrayDeque<float[]> arrays = free.get(size);
      if (arrays != null && !arrays.isEmpty()) {
        heldFloats -= size;
        return arrays.pop();
      }
    }
    return new float[size];
  }

  /** Takes an array back that came from {@link #take}. */
  synchronized void give(float[] array) {
    if (heldFloats + array.length <= limitFloats) {
      heldFloats += array.length;
      free.computeIfAbsent(array.length, size -> new ArrayDeque<>()).push(array);
    }
  }

  synchronized void clear() {
    free.clear();
    heldFloats = 0;
  }

  Scope scope() {
    return new PooledScope();
  }

  static int roundUp(int length) {
    if (length <= SMALLEST) {
      return SMALLEST;
    }
    int step = Integer.highestOneBit(length - 1) / SIZE_STEPS;
    long rounded = ((long) length + step - 1) / step * step;
    return rounded > Integer.MAX_VALUE - 8 ? length : (int) rounded;
  }

  private final class PooledScope implements Scope {
    private final Map<Storage, float[]> taken = new IdentityHashMap<>();
    private boolean closed;

    @Override
    public synchronized Tensor take(Shape shape) {
      if (closed) {
        throw new IllegalStateException("the scope is closed; take " + shape + " from an open one");
      }
      long elements = shape.elements();
      if (elements > Integer.MAX_VALUE - 8) {
        throw new ShapeMismatchException(shape + " is longer than a host array; use smaller parts");
      }
      float[] array = FloatPool.this.take((int) elements);
      HostStorage storage = new HostStorage(array);
      taken.put(storage, array);
      return Tensor.on(shape, storage);
    }

    @Override
    public synchronized void give(Tensor tensor) {
      float[] array = taken.remove(tensor.storage());
      if (array != null) {
        FloatPool.this.give(array);
      }
    }

    @Override
    public synchronized void close() {
      closed = true;
      taken.values().forEach(FloatPool.this::give);
      taken.clear();
    }
  }
}

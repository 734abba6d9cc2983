package dev.resid.backend.cuda;

import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** Temporaries of one computation; a tensor that is used after its scope says so. */
final class DeviceScope implements Scope {
  private final Device device;
  private final Set<DeviceStorage> taken = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean closed;

  DeviceScope(Device device) {
    this.device = device;
  }

  @Override
  public Tensor take(Shape shape) {
    device.acquire();
    try {
      if (closed) {
        throw new IllegalStateException(
            "this scope is closed; take " + shape + " from an open one");
      }
      DeviceStorage storage = DeviceStorage.temporary(device, shape.elements());
      taken.add(storage);
      return Tensor.on(shape, storage);
    } finally {
      device.release();
    }
  }

  @Override
  public void give(Tensor tensor) {
    device.lock(); // nothing is asked of the driver, which may have failed
    try {
      if (tensor.storage() instanceof DeviceStorage storage && taken.remove(storage)) {
        storage.give("it was given back to its scope");
      }
    } finally {
      device.release();
    }
  }

  @Override
  public void close() {
    device.lock(); // nothing is asked of the driver, which may have failed
    try {
      closed = true;
      List.copyOf(taken).forEach(storage -> storage.give("its scope was closed"));
      taken.clear();
    } finally {
      device.release();
    }
  }
}

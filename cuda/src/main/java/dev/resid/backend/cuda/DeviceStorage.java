package dev.resid.backend.cuda;

import dev.resid.backend.cuda.DeviceMemory.Block;
import dev.resid.tensor.Storage;
import java.util.Objects;

/** Numbers of a tensor in the memory of a device. */
final class DeviceStorage implements Storage {
  private final Device device;
  private final long size;
  private final Block block;
  private String gone;

  private DeviceStorage(Device device, long size, boolean scoped) {
    this.device = device;
    this.size = size;
    long bytes = Math.max(1, Float.BYTES * size);
    this.block = scoped ? device.memory.take(bytes) : device.memory.takeFor(this, bytes);
  }

  /** Returns a storage of zeros that lives as long as it is referenced. */
  static DeviceStorage lasting(Device device, long size) {
    return new DeviceStorage(device, size, false);
  }

  /** Returns a storage that {@link #give} ends. */
  static DeviceStorage temporary(Device device, long size) {
    return new DeviceStorage(device, size, true);
  }

  /** Gives a temporary one back. */
  void give(String why) {
    if (gone == null && !device.isClosed()) {
      gone = why;
      device.memory.give(block);
    }
  }

  Device device() {
    return device;
  }

  /**
   * Returns where it is.
   *
   * @throws IllegalStateException if it was given back or its backend is closed
   */
  long address() {
    if (gone != null) {
      throw new IllegalStateException(
          "a tensor of "
              + size
              + " numbers is used after "
              + gone
              + "; copy what has to last to a tensor of Backend.allocate");
    }
    if (device.isClosed()) {
      throw new IllegalStateException(
          "a tensor of " + size + " numbers is used after its cuda backend was closed");
    }
    return block.address();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long offset, float[] target, int targetOffset, int length) {
    Objects.checkFromIndexSize(offset, (long) length, size);
    Objects.checkFromIndexSize(targetOffset, length, target.length);
    device.acquire();
    try {
      device.transfers().fetch(address() + Float.BYTES * offset, target, targetOffset, length);
    } finally {
      device.release();
    }
  }
}

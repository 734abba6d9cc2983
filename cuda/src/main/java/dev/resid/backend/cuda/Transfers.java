package dev.resid.backend.cuda;

import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Storage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Copies between Java arrays and the device through a ring of slots in locked host memory, from
 * which the device reads while the next slot is filled. Used by one thread at a time.
 */
final class Transfers implements AutoCloseable {
  private static final int SLOTS = 8;
  private static final int SLOT_BYTES = 1 << 20;
  private static final int DISABLE_TIMING = 2;

  private final CUstream stream;
  private final Pointer memory;
  private final ByteBuffer bytes;
  private final CUevent[] read = new CUevent[SLOTS];
  private int next;

  Transfers(CUstream stream) {
    this.stream = stream;
    memory = Driver.hostMemory((long) SLOTS * SLOT_BYTES);
    bytes = memory.getByteBuffer(0, (long) SLOTS * SLOT_BYTES).order(ByteOrder.nativeOrder());
    for (int i = 0; i < SLOTS; i++) {
      read[i] = new CUevent();
      CUevent event = read[i];
      Driver.call("create an event", () -> JCudaDriver.cuEventCreate(event, DISABLE_TIMING));
    }
  }

  /** Puts the next part of a source into a slot. */
  private interface Fill {
    void into(ByteBuffer slot, long fromByte, int bytes);
  }

  private void send(long address, long length, Fill fill) {
    for (long done = 0; done < length; done += SLOT_BYTES) {
      int slot = next;
      next = (next + 1) % SLOTS;
      int count = (int) Math.min(SLOT_BYTES, length - done);
      CUevent event = read[slot];
      Driver.call("wait for the GPU", () -> JCudaDriver.cuEventSynchronize(event));
      ByteBuffer to = bytes.slice(slot * SLOT_BYTES, SLOT_BYTES).order(ByteOrder.nativeOrder());
      fill.into(to, done, count);
      long target = address + done;
      Driver.call(
          "copy to the GPU",
          () -> {
            JCudaDriver.cuMemcpyHtoDAsync(
                Driver.pointer(target),
                memory.withByteOffset((long) slot * SLOT_BYTES),
                count,
                stream);
            JCudaDriver.cuEventRecord(event, stream);
          });
    }
  }

  /** Copies the first values of a storage to the device, reading each once and in order. */
  void send(Storage from, long elements, long address) {
    float[] part = from instanceof HostStorage ? null : new float[SLOT_BYTES / Float.BYTES];
    send(
        address,
        4 * elements,
        (slot, fromByte, count) -> {
          if (from instanceof HostStorage host) {
            slot.asFloatBuffer().put(host.array(), floats(fromByte), count / 4);
          } else {
            from.read(fromByte / 4, part, 0, count / 4);
            slot.asFloatBuffer().put(part, 0, count / 4);
          }
        });
  }

  void send(float[] from, int offset, int length, long address) {
    send(
        address,
        4L * length,
        (slot, fromByte, count) ->
            slot.asFloatBuffer().put(from, offset + floats(fromByte), count / 4));
  }

  // An index into an array; the bytes before it may be more than an int holds.
  private static int floats(long bytes) {
    return Math.toIntExact(bytes / Float.BYTES);
  }

  void send(int[] from, int length, long address) {
    send(
        address,
        4L * length,
        (slot, fromByte, count) -> slot.asIntBuffer().put(from, floats(fromByte), count / 4));
  }

  void send(long[] from, long address) {
    send(
        address,
        8L * from.length,
        (slot, fromByte, count) ->
            slot.asLongBuffer().put(from, Math.toIntExact(fromByte / 8), count / 8));
  }

  /** Takes a part out of a slot. */
  private interface Drain {
    void from(ByteBuffer slot, long fromByte, int bytes);
  }

  private void fetch(long address, long length, Drain drain) {
    // All slots as one: the copy has to be over before anything is read.
    int all = SLOTS * SLOT_BYTES;
    for (long done = 0; done < length; done += all) {
      int count = (int) Math.min(all, length - done);
      long source = address + done;
      Driver.call(
          "copy from the GPU",
          () -> {
            JCudaDriver.cuStreamSynchronize(stream);
            JCudaDriver.cuMemcpyDtoHAsync(memory, Driver.pointer(source), count, stream);
            JCudaDriver.cuStreamSynchronize(stream);
          });
      drain.from(bytes.slice(0, count).order(ByteOrder.nativeOrder()), done, count);
    }
  }

  void fetch(long address, float[] to, int offset, int length) {
    fetch(
        address,
        4L * length,
        (slot, fromByte, count) ->
            slot.asFloatBuffer().get(to, offset + floats(fromByte), count / 4));
  }

  void fetch(long address, int[] to, int offset, int length) {
    fetch(
        address,
        4L * length,
        (slot, fromByte, count) ->
            slot.asIntBuffer().get(to, offset + floats(fromByte), count / 4));
  }

  double[] fetchDoubles(long address, int length) {
    double[] to = new double[length];
    fetch(
        address,
        8L * length,
        (slot, fromByte, count) ->
            slot.asDoubleBuffer().get(to, Math.toIntExact(fromByte / 8), count / 8));
    return to;
  }

  @Override
  public void close() {
    for (CUevent event : read) {
      Driver.call("free an event", () -> JCudaDriver.cuEventDestroy(event));
    }
    Driver.call("free host memory", () -> JCudaDriver.cuMemFreeHost(memory));
  }
}

package dev.resid.backend.cuda;

import dev.resid.backend.cuda.DeviceMemory.Block;
import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Tensor;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.JCudaDriver;

/**
 * One call of a kernel of the backend: addresses of its operands and temporaries. Operands on the
 * host are copied to the device for it, and results back by {@link #finish}. Whatever happens, its
 * temporaries are given back when it is closed.
 */
final class Call implements AutoCloseable {
  private final Device device;
  // Only addresses go to the driver: what nobody else refers to any more would be collected, and
  // its
  // memory used again, between here and the launch.
  private final List<DeviceStorage> operands = new ArrayList<>();
  private final List<Block> taken = new ArrayList<>();
  private final List<Result> results = new ArrayList<>();

  private record Result(HostStorage to, long address, int elements) {}

  Call(Device device) {
    device.acquire();
    this.device = device;
  }

  /** Returns a call within this one, for temporaries that are given back earlier. */
  Call inner() {
    return new Call(device);
  }

  Kernels.Launch launch(String kernel) {
    return device.kernels().launch(kernel);
  }

  Transfers transfers() {
    return device.transfers();
  }

  /** Returns the address of so many bytes for the time of this call. */
  long bytes(long count) {
    Block block = device.memory.take(Math.max(1, count));
    taken.add(block);
    return block.address();
  }

  long floats(long count) {
    return bytes(Float.BYTES * count);
  }

  long doubles(long count) {
    return bytes(Double.BYTES * count);
  }

  /** Returns the address of a copy of the numbers. */
  long ints(int[] values) {
    long address = bytes((long) Integer.BYTES * values.length);
    transfers().send(values, values.length, address);
    return address;
  }

  /** Returns the address of a copy of the numbers. */
  long longs(long[] values) {
    long address = bytes((long) Long.BYTES * values.length);
    transfers().send(values, address);
    return address;
  }

  /** Returns the address of an input. */
  long in(Tensor tensor) {
    if (tensor.storage() instanceof DeviceStorage storage) {
      return own(tensor, storage);
    }
    long address = floats(tensor.elements());
    transfers().send(tensor.storage(), tensor.elements(), address);
    return address;
  }

  /** Returns the address to write an output to. */
  long out(String operand, Tensor tensor) {
    return result(operand, tensor, false);
  }

  /** Returns the address of an output that the kernel adds to. */
  long inOut(String operand, Tensor tensor) {
    return result(operand, tensor, true);
  }

  private long result(String operand, Tensor tensor, boolean read) {
    if (tensor.storage() instanceof DeviceStorage storage) {
      return own(tensor, storage);
    }
    if (!(tensor.storage() instanceof HostStorage host)) {
      throw new IllegalArgumentException(
          operand
              + " "
              + tensor.shape()
              + " is on "
              + tensor.storage().getClass().getSimpleName()
              + ", expected a tensor that this backend allocated or one on the host");
    }
    long address = read ? in(tensor) : floats(tensor.elements());
    results.add(new Result(host, address, Math.toIntExact(tensor.elements())));
    return address;
  }

  private long own(Tensor tensor, DeviceStorage storage) {
    if (storage.device() != device) {
      throw new IllegalArgumentException(
          "an operand "
              + tensor.shape()
              + " is on another GPU or another cuda backend; copy it to this one");
    }
    operands.add(storage);
    return storage.address();
  }

  /** Returns the matrix as one of this device. */
  DeviceMatrix matrix(Matrix matrix) {
    if (matrix instanceof DeviceMatrix own && own.values.device() == device) {
      operands.add(own.values);
      return own;
    }
    throw new IllegalArgumentException(
        "the matrix "
            + matrix.shape()
            + " is a "
            + matrix.getClass().getSimpleName()
            + ", packed by another backend; pack it with this one");
  }

  /** Copies results to those outputs that are on the host. */
  void finish() {
    for (Result result : results) {
      transfers().fetch(result.address, result.to.array(), 0, result.elements);
    }
  }

  /**
   * Working memory for a part of the items of a call.
   *
   * @param items how many fit
   * @param address where it is
   */
  record Part(int items, long address) {}

  /**
   * Returns working memory for as many items as wanted, or, where the device does not have that
   * much, for half as many, and so on down to one; says so in the log.
   *
   * @param what the items, for the log
   * @param wanted how many at best, at least 1
   * @param bytesEach bytes of one
   */
  Part part(String what, int wanted, long bytesEach) {
    int items = wanted;
    while (true) {
      try {
        Part part = new Part(items, bytes(items * bytesEach));
        if (items < wanted) {
          System.getLogger(Call.class.getName())
              .log(
                  System.Logger.Level.WARNING,
                  "cuda: not enough memory for {0} {1} at a time; taking {2}",
                  wanted,
                  what,
                  items);
        }
        return part;
      } catch (CudaFailureException e) {
        if (!e.isOutOfMemory() || items == 1) {
          throw e;
        }
        items = items / 2;
      }
    }
  }

  /** Copies a tensor to an address, from wherever it is. */
  void copy(Tensor from, long address) {
    if (from.storage() instanceof DeviceStorage storage) {
      copy(own(from, storage), address, Float.BYTES * from.elements());
    } else {
      transfers().send(from.storage(), from.elements(), address);
    }
  }

  /** Copies bytes on the device. */
  void copy(long from, long to, long count) {
    if (count > 0) {
      Driver.call(
          "copy on the GPU",
          () ->
              JCudaDriver.cuMemcpyDtoDAsync(
                  Driver.pointer(to), Driver.pointer(from), count, device.stream));
    }
  }

  /** Sets floats to 0. */
  void clear(long address, long count) {
    if (count > 0) {
      Driver.call(
          "clear memory",
          () -> JCudaDriver.cuMemsetD32Async(Driver.pointer(address), 0, count, device.stream));
    }
  }

  /** Returns so many numbers from the device. */
  double[] fetchDoubles(long address, int count) {
    return transfers().fetchDoubles(address, count);
  }

  @Override
  public void close() {
    taken.forEach(device.memory::give);
    device.release();
    Reference.reachabilityFence(operands);
  }
}

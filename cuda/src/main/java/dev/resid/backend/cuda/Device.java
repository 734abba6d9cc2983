package dev.resid.backend.cuda;

import dev.resid.backend.BackendUnavailableException;
import java.util.concurrent.locks.ReentrantLock;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * One GPU: its context, one stream, memory, copies and kernels. Everything happens under one lock
 * and on one stream, so that results do not depend on which threads call. The context is the one
 * that CUDA's runtime, which is inside cuBLAS, uses as well: like the runtime, this class keeps it
 * until the process ends, empty once the device is closed.
 */
final class Device implements AutoCloseable {
  /** System property: bytes of device memory never to go beyond. */
  static final String LIMIT = "resid.cuda.memory.limit";

  private static final int NON_BLOCKING = 1;

  final int ordinal;
  final String name;
  final int sharedBytes;
  final long totalMemory;
  final CUstream stream = new CUstream();
  final DeviceMemory memory;
  private final CUdevice device;
  private final CUcontext context = new CUcontext();
  private final ReentrantLock lock = new ReentrantLock();
  private Transfers transfers;
  private Kernels kernels;
  private String kernelsBy;
  private boolean closed;

  /**
   * Opens a GPU.
   *
   * @param ordinal its number, from 0
   */
  Device(int ordinal) {
    this.ordinal = ordinal;
    device = Driver.device(ordinal);
    name = Driver.name(device);
    sharedBytes = Driver.sharedBytesPerBlock(device);
    totalMemory = Driver.totalMemory(device);
    memory = new DeviceMemory(Long.getLong(LIMIT, Long.MAX_VALUE));
    Driver.call(
        "open a context on " + name, () -> JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
    try {
      Driver.call("use the context of " + name, () -> JCudaDriver.cuCtxSetCurrent(context));
      Driver.call("create a stream", () -> JCudaDriver.cuStreamCreate(stream, NON_BLOCKING));
      transfers = new Transfers(stream);
      int capability = Driver.computeCapability(device);
      kernels = load(KernelImage.chosen(capability), capability);
    } catch (CudaFailureException | BackendUnavailableException e) {
      closed = true;
      JCudaDriver.cuDevicePrimaryCtxRelease(device);
      throw e;
    }
  }

  // Where the text was not to be compiled by the driver, the text is tried next; where it was and
  // the driver cannot, what NVRTC makes.
  private Kernels load(KernelImage image, int capability) {
    try {
      return load(image);
    } catch (CudaFailureException e) {
      if (!image.description().isEmpty()) {
        return load(KernelImage.instead(e.getMessage()));
      }
      if (!KernelImage.cannotCompile(e.error())) {
        throw e;
      }
      return load(KernelImage.insteadOfText(e, capability));
    }
  }

  private Kernels load(KernelImage image) {
    Kernels loaded = new Kernels(stream, image);
    kernelsBy = image.description();
    return loaded;
  }

  /** Returns who compiled the kernels, to follow the name of the backend; empty for the driver. */
  String kernelsBy() {
    return kernelsBy;
  }

  /** Makes this thread the one that uses the device, until {@link #release}. */
  void acquire() {
    lock.lock();
    if (closed) {
      lock.unlock();
      throw new IllegalStateException("this cuda backend is closed; open another one");
    }
    if (lock.getHoldCount() == 1) {
      try {
        Driver.call("use the context of " + name, () -> JCudaDriver.cuCtxSetCurrent(context));
      } catch (CudaFailureException e) {
        lock.unlock();
        throw e;
      }
    }
  }

  /** Keeps other threads off the accounts of memory, until {@link #release}. */
  void lock() {
    lock.lock();
  }

  void release() {
    lock.unlock();
  }

  Transfers transfers() {
    return transfers;
  }

  Kernels kernels() {
    return kernels;
  }

  /** Returns the bytes that can be allocated, those of blocks that wait for use included. */
  long freeBytes() {
    acquire();
    try {
      return memory.free(Driver.freeMemory());
    } finally {
      release();
    }
  }

  /** Waits until everything is done. */
  void synchronize() {
    Driver.call("wait for the GPU", () -> JCudaDriver.cuStreamSynchronize(stream));
  }

  boolean isClosed() {
    return closed;
  }

  /** Address of the stream, for libraries that are not JCuda. */
  long streamAddress() {
    return Native.address(stream);
  }

  /** Frees everything. A device that failed is let go as well as it can be. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      try {
        Driver.call("use the context of " + name, () -> JCudaDriver.cuCtxSetCurrent(context));
        synchronize();
        memory.close();
        kernels.close();
        transfers.close();
        Driver.call("free the stream", () -> JCudaDriver.cuStreamDestroy(stream));
      } catch (CudaFailureException e) {
        System.getLogger(Device.class.getName())
            .log(System.Logger.Level.DEBUG, "closing a GPU that failed", e);
      }
    } finally {
      lock.unlock();
    }
  }
}

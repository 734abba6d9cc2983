package dev.resid.backend.cuda;

import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.JCudaDriver;

/**
 * What this module asks of JCuda's driver interface, with errors as sentences. Device memory is
 * named by its address, a plain number.
 */
final class Driver {
  private static final String UNNAMED = "INVALID CUresult:";

  private Driver() {}

  /** A call that JCuda turns into an exception when it fails. */
  @FunctionalInterface
  interface Step {
    /** Makes the call. */
    void run();
  }

  /** Runs a call, with its failure in words. */
  static void call(String doing, Step step) {
    try {
      step.run();
    } catch (CudaException e) {
      throw CudaErrors.failure(doing, errorName(e));
    }
  }

  static String errorName(CudaException e) {
    String message = String.valueOf(e.getMessage()).strip();
    if (message.startsWith(UNNAMED)) {
      // A number that JCuda has no name for.
      return "error" + message.substring(UNNAMED.length());
    }
    int space = message.indexOf(' ');
    return space < 0 ? message : message.substring(0, space);
  }

  /** A device address as JCuda wants it. */
  private static final class Address extends CUdeviceptr {
    Address(long value) {
      super(new CUdeviceptr(), value);
    }
  }

  /** A pointer that tells its address. */
  private static final class Allocated extends CUdeviceptr {
    long address() {
      return getNativePointer();
    }
  }

  static CUdeviceptr pointer(long address) {
    return new Address(address);
  }

  static long allocate(long bytes) {
    Allocated pointer = new Allocated();
    call("allocate " + megabytes(bytes), () -> JCudaDriver.cuMemAlloc(pointer, bytes));
    return pointer.address();
  }

  static void free(long address) {
    call("free memory", () -> JCudaDriver.cuMemFree(pointer(address)));
  }

  static int deviceCount() {
    int[] count = new int[1];
    call("count GPUs", () -> JCudaDriver.cuDeviceGetCount(count));
    return count[0];
  }

  static CUdevice device(int ordinal) {
    CUdevice device = new CUdevice();
    call("open GPU " + ordinal, () -> JCudaDriver.cuDeviceGet(device, ordinal));
    return device;
  }

  static String name(CUdevice device) {
    byte[] name = new byte[256];
    call("name the GPU", () -> JCudaDriver.cuDeviceGetName(name, name.length, device));
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return new String(name, 0, length, java.nio.charset.StandardCharsets.US_ASCII);
  }

  static long totalMemory(CUdevice device) {
    long[] bytes = new long[1];
    call("ask for the GPU's memory", () -> JCudaDriver.cuDeviceTotalMem(bytes, device));
    return bytes[0];
  }

  /** Returns ten times the major number plus the minor one: 90 for 9.0. */
  static int computeCapability(CUdevice device) {
    return 10 * attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
        + attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  }

  static int sharedBytesPerBlock(CUdevice device) {
    return attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
  }

  private static int attribute(CUdevice device, int which) {
    int[] value = new int[1];
    call("ask for the GPU's sizes", () -> JCudaDriver.cuDeviceGetAttribute(value, which, device));
    return value[0];
  }

  /** Returns 1000 times the major number plus ten times the minor one: 13000 for CUDA 13.0. */
  static int version() {
    int[] version = new int[1];
    call("ask for the driver's version", () -> JCudaDriver.cuDriverGetVersion(version));
    return version[0];
  }

  static long freeMemory() {
    long[] free = new long[1];
    call("ask for free memory", () -> JCudaDriver.cuMemGetInfo(free, new long[1]));
    return free[0];
  }

  static Pointer hostMemory(long bytes) {
    Pointer pointer = new Pointer();
    call(
        "allocate " + megabytes(bytes) + " of locked host memory",
        () -> JCudaDriver.cuMemHostAlloc(pointer, bytes, 0));
    return pointer;
  }

  static String megabytes(long bytes) {
    return bytes < 1 << 20
        ? bytes + " bytes"
        : String.format(java.util.Locale.ROOT, "%,d MiB", bytes >> 20);
  }
}

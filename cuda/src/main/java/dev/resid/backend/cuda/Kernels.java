package dev.resid.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * The kernels of a device, loaded by the driver, and their launches. Arguments lie in one direct
 * buffer, eight bytes each, from which the driver copies them at the launch. Used by one thread at
 * a time.
 */
final class Kernels implements AutoCloseable {
  /** Threads of a block; some kernels count on it. */
  static final int THREADS = 256;

  /** Rows that a block takes in kernels of one warp a row. */
  static final int WARPS = THREADS / 32;

  /** Blocks of a grid in its second direction; in the first there may be 2³¹ − 1. */
  static final int MOST_Y = 65_535;

  static final String PTX = "resid.ptx";

  private static final int MOST_ARGUMENTS = 16;
  // Enough blocks to fill any GPU; kernels over elements go on in steps.
  private static final int MOST_BLOCKS = 1 << 16;

  private final CUmodule module = new CUmodule();
  private final CUstream stream;
  private final Map<String, CUfunction> functions = new HashMap<>();
  private final ByteBuffer arguments =
      ByteBuffer.allocateDirect(8 * MOST_ARGUMENTS).order(ByteOrder.nativeOrder());
  private final Pointer[] ofCount = new Pointer[MOST_ARGUMENTS + 1];

  Kernels(CUstream stream, KernelImage image) {
    this.stream = stream;
    NativePointerObject[] each = new NativePointerObject[MOST_ARGUMENTS];
    for (int i = 0; i < MOST_ARGUMENTS; i++) {
      each[i] = Pointer.to(arguments).withByteOffset(8L * i);
    }
    for (int n = 1; n <= MOST_ARGUMENTS; n++) {
      ofCount[n] = Pointer.to(java.util.Arrays.copyOf(each, n));
    }
    Driver.call("load the kernels", () -> JCudaDriver.cuModuleLoadData(module, image.bytes()));
  }

  /** Returns the PTX text with the zero byte that the driver wants behind it. */
  static byte[] ptx() {
    try (InputStream in = Kernels.class.getResourceAsStream(PTX)) {
      if (in == null) {
        throw new IllegalStateException(PTX + " is missing in the jar of resid-cuda");
      }
      return (new String(in.readAllBytes(), StandardCharsets.US_ASCII) + '\0')
          .getBytes(StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new IllegalStateException(PTX + " cannot be read from the jar of resid-cuda", e);
    }
  }

  /** Begins a launch: arguments in order, then one of the methods that end it. */
  Launch launch(String kernel) {
    CUfunction function =
        functions.computeIfAbsent(
            kernel,
            name -> {
              CUfunction found = new CUfunction();
              Driver.call(
                  "find the kernel " + name,
                  () -> JCudaDriver.cuModuleGetFunction(found, module, name));
              return found;
            });
    return new Launch(kernel, function);
  }

  @Override
  public void close() {
    Driver.call("unload the kernels", () -> JCudaDriver.cuModuleUnload(module));
  }

  /** One launch. Methods with arguments are called in the order of the kernel's parameters. */
  final class Launch {
    private final String kernel;
    private final CUfunction function;
    private int count;
    private int sharedBytes;

    Launch(String kernel, CUfunction function) {
      this.kernel = kernel;
      this.function = function;
    }

    Launch pointer(long address) {
      return number(address);
    }

    Launch number(long value) {
      arguments.putLong(8 * count++, value);
      return this;
    }

    Launch number(int value) {
      arguments.putInt(8 * count++, value);
      return this;
    }

    Launch number(float value) {
      arguments.putFloat(8 * count++, value);
      return this;
    }

    Launch number(double value) {
      arguments.putDouble(8 * count++, value);
      return this;
    }

    Launch shared(int bytes) {
      sharedBytes = bytes;
      return this;
    }

    /** Launches over elements, the number of which is the next argument. */
    void elements(long n) {
      number(n);
      overElements(n);
    }

    /** Launches over elements. */
    void overElements(long n) {
      if (n > 0) {
        grid((int) Math.min((n + THREADS - 1) / THREADS, MOST_BLOCKS), 1);
      }
    }

    /** Launches over rows of one warp each. */
    void warps(long rows) {
      if (rows > 0) {
        grid(Math.toIntExact((rows + WARPS - 1) / WARPS), 1);
      }
    }

    /** Launches with one block a row. */
    void blocks(long rows) {
      if (rows > 0) {
        grid(Math.toIntExact(rows), 1);
      }
    }

    /** Launches with so many blocks. */
    void grid(int x, int y) {
      Driver.call(
          "launch " + kernel,
          () ->
              JCudaDriver.cuLaunchKernel(
                  function, x, y, 1, THREADS, 1, 1, sharedBytes, stream, ofCount[count], null));
    }
  }
}

package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

// The driver and cuBLAS as libraries that g++ makes of src/test/native and of the kernels' own
// sources. They are loaded into this JVM before JCuda's libraries are, which then find them by the
// names they carry, so that everything above them is what runs on a GPU.

/** A GPU emulated on the processor, where there is a g++. Says nothing about a real one. */
final class EmulatedGpu {
  /** This module's folder, in its own tests and in those of a module beside it. */
  private static final Path MODULE =
      Path.of(Files.isDirectory(Path.of("src/test/native")) ? "" : "../cuda");

  private static final Path NATIVE = MODULE.resolve("src/test/native");
  private static final Path KERNELS =
      MODULE.resolve("src/main/resources/dev/resid/backend/cuda/kernels");
  private static final List<String> OPTIONS =
      List.of(
          "-O2",
          "-march=native",
          "-std=c++17",
          "-ffp-contract=off",
          "-U_FORTIFY_SOURCE",
          "-w",
          "-fvisibility=hidden",
          "-fPIC",
          "-shared");

  private static final class Loaded {
    private static final EmulatedGpu GPU = new EmulatedGpu(build());
  }

  private final Path folder;
  private final SymbolLookup driver;
  private final SymbolLookup cublas;

  private EmulatedGpu(Path folder) {
    this.folder = folder;
    load(folder.resolve("libcuda.so.1"));
    load(folder.resolve("libcublas.so.12"));
    load(folder.resolve("libcublas.so.13"));
    driver = library(folder.resolve("libcuda.so.1"));
    cublas = library(folder.resolve("libcublas.so.13"));
  }

  @SuppressWarnings("restricted")
  private static void load(Path library) {
    System.load(library.toAbsolutePath().toString());
  }

  @SuppressWarnings("restricted")
  private static SymbolLookup library(Path library) {
    return SymbolLookup.libraryLookup(library.toAbsolutePath(), Arena.global());
  }

  /** Returns it, loaded; skips the test where it cannot be. */
  static EmulatedGpu require() {
    requireCompiler();
    return Loaded.GPU;
  }

  /** Skips the test where the libraries cannot be compiled. */
  static void requireCompiler() {
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    assumeTrue(system.equals("Linux amd64"), "the emulated GPU is for Linux on x86-64");
    assumeTrue(Programs.isThere("g++"), "there is no g++ to compile the emulated GPU");
  }

  /** Returns the folder of the libraries, compiled. */
  static Path build() {
    try {
      List<Path> sources = new ArrayList<>();
      for (Path folder : new Path[] {NATIVE, KERNELS}) {
        try (Stream<Path> files = Files.list(folder)) {
          files.sorted().forEach(sources::add);
        }
      }
      MessageDigest hash = MessageDigest.getInstance("SHA-256");
      StringBuilder kernels = new StringBuilder();
      for (Path source : sources) {
        byte[] bytes = Files.readAllBytes(source);
        hash.update(bytes);
        Matcher kernel =
            Pattern.compile("(?m)^RESID_KERNEL (\\w+)")
                .matcher(new String(bytes, StandardCharsets.UTF_8));
        while (source.toString().endsWith(".cu") && kernel.find()) {
          kernels.append("KERNEL(").append(kernel.group(1)).append(")\n");
        }
      }
      hash.update(String.join(" ", OPTIONS).getBytes(StandardCharsets.UTF_8));
      Path folder =
          MODULE.resolve(
              "target/emulated-" + HexFormat.of().formatHex(hash.digest()).substring(0, 16));
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("kernels.inc"), kernels);
      compile(folder, "cuda.cpp", "libcuda.so.1", List.of("-I" + folder, "-I" + KERNELS));
      compile(folder, "nvrtc.cpp", "libnvrtc.so.12", List.of());
      for (int major : new int[] {12, 13}) {
        String name = "libcublas.so." + major;
        // JCuda's library asks for symbols under this version.
        Path versions = folder.resolve("cublas" + major + ".map");
        Files.writeString(versions, name + " { global: cublas*; resid*; local: *; };\n");
        compile(
            folder,
            "cublas.cpp",
            name,
            List.of(
                "-DRESID_CUBLAS_VERSION=" + (major * 10000 + 100),
                "-Wl,--version-script=" + versions));
      }
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void compile(Path folder, String source, String name, List<String> more)
      throws IOException {
    Path library = folder.resolve(name);
    if (Files.exists(library)) {
      return;
    }
    Path unfinished = Files.createTempFile(folder, name, ".new");
    List<String> command = new ArrayList<>(List.of("g++"));
    command.addAll(OPTIONS);
    command.addAll(more);
    command.addAll(
        List.of(
            NATIVE.resolve(source).toString(), "-o", unfinished.toString(), "-Wl,-soname," + name));
    String output = Programs.run(command);
    if (!output.isBlank()) {
      throw new IllegalStateException(output);
    }
    Files.move(unfinished, library, StandardCopyOption.ATOMIC_MOVE);
  }

  @SuppressWarnings("restricted")
  private static Object call(
      SymbolLookup library, String name, MemoryLayout result, Object... arguments) {
    MemoryLayout[] layouts = new MemoryLayout[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      layouts[i] = arguments[i] instanceof Long ? ValueLayout.JAVA_LONG : ValueLayout.JAVA_INT;
    }
    FunctionDescriptor descriptor =
        result == null
            ? FunctionDescriptor.ofVoid(layouts)
            : FunctionDescriptor.of(result, layouts);
    try {
      return Linker.nativeLinker()
          .downcallHandle(library.findOrThrow(name), descriptor)
          .invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new IllegalStateException(name, e);
    }
  }

  /** Makes the launch after so many fail with an error, and everything after it. */
  void failLaunch(long after, int code) {
    call(driver, "resid_emulated_fail_launch", null, after, code);
  }

  /** Makes the launch after so many of one GPU fail with an error, and that one alone. */
  void failDevice(int device, long after, int code) {
    call(driver, "resid_emulated_fail_device", null, device, after, code);
  }

  /** In which order threads of a block, and blocks, take turns. */
  enum Order {
    /** Both ascending. */
    ASCENDING,
    /** Both descending. */
    DESCENDING,
    /** Threads in another order in every block. */
    MIXED
  }

  /** Sets the order of what runs from now on. */
  void order(Order order) {
    call(driver, "resid_emulated_order", null, order.ordinal());
  }

  /** Makes the driver refuse PTX with an error; 0 for none. */
  void refusePtx(int code) {
    call(driver, "resid_emulated_fail_module", null, code);
  }

  /** Lets everything work again. */
  void repair() {
    failLaunch(-1, 0);
    refusePtx(0);
    order(Order.ASCENDING);
    call(driver, "resid_emulated_memory", null, 4L << 30);
    call(driver, "resid_emulated_device", null, 2, 13000, 9);
  }

  /** Sets the size of the device's memory. */
  void memory(long bytes) {
    call(driver, "resid_emulated_memory", null, bytes);
  }

  /** Sets what the driver says about itself and the GPUs. */
  void device(int count, int driverVersion, int capabilityMajor) {
    call(driver, "resid_emulated_device", null, count, driverVersion, capabilityMajor);
  }

  /** Returns the bytes allocated now, after a look at the guards around every allocation. */
  long inUse() {
    return (long) call(driver, "resid_emulated_in_use", ValueLayout.JAVA_LONG);
  }

  /** Returns how many kernels were launched. */
  long launches() {
    return (long) call(driver, "resid_emulated_launches", ValueLayout.JAVA_LONG);
  }

  /** Returns how many kernels were launched on one GPU. */
  long launchesOn(int device) {
    return (long) call(driver, "resid_emulated_launches_of", ValueLayout.JAVA_LONG, device);
  }

  /** Returns a stand-in for NVRTC, which nothing has loaded. */
  Path nvrtc() {
    return folder.resolve("libnvrtc.so.12").toAbsolutePath();
  }

  /** Returns whether the kernels loaded last are a binary, not PTX. */
  boolean hasBinary() {
    return (int) call(driver, "resid_emulated_has_binary", ValueLayout.JAVA_INT) != 0;
  }

  /** Returns how many products the stand-in for cuBLAS 13 was asked for. */
  long products() {
    return (long) call(cublas, "resid_emulated_products", ValueLayout.JAVA_LONG);
  }

  /** Returns the math mode of its last product. */
  int mathMode() {
    return (int) call(cublas, "resid_emulated_math_mode", ValueLayout.JAVA_INT);
  }
}

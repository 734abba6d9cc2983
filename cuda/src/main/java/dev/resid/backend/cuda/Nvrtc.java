package dev.resid.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * NVIDIA's compiler as a library, libnvrtc.so.13, .12 or .11, where it is installed: compiles the
 * kernels for one architecture, without a GPU.
 */
final class Nvrtc {
  /** System property that names a file. */
  static final String PROPERTY = "resid.cuda.nvrtc";

  /** Environment variable that names a file. */
  static final String VARIABLE = "RESID_CUDA_NVRTC";

  private static final int[] MAJORS = {13, 12, 11};

  /** Its functions with their C prototypes, the same in CUDA 11.2 to 13. All return a status. */
  private enum Function {
    VERSION("nvrtcVersion", ADDRESS, ADDRESS),
    CREATE("nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS),
    COMPILE("nvrtcCompileProgram", ADDRESS, JAVA_INT, ADDRESS),
    LOG_SIZE("nvrtcGetProgramLogSize", ADDRESS, ADDRESS),
    LOG("nvrtcGetProgramLog", ADDRESS, ADDRESS),
    CUBIN_SIZE("nvrtcGetCUBINSize", ADDRESS, ADDRESS),
    CUBIN("nvrtcGetCUBIN", ADDRESS, ADDRESS),
    DESTROY("nvrtcDestroyProgram", ADDRESS);

    private final String symbol;
    private final MemoryLayout[] parameters;

    Function(String symbol, MemoryLayout... parameters) {
      this.symbol = symbol;
      this.parameters = parameters;
    }
  }

  private final Map<Function, MethodHandle> functions = new EnumMap<>(Function.class);
  private final String description;

  @SuppressWarnings("restricted") // the prototypes above are those of the library
  private Nvrtc(SymbolLookup library) {
    for (Function function : Function.values()) {
      FunctionDescriptor descriptor = FunctionDescriptor.of(JAVA_INT, function.parameters);
      functions.put(
          function,
          Linker.nativeLinker()
              .downcallHandle(library.find(function.symbol).orElseThrow(), descriptor));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment major = arena.allocate(JAVA_INT);
      MemorySegment minor = arena.allocate(JAVA_INT);
      require("ask for NVRTC's version", call(Function.VERSION, major, minor));
      description = "NVRTC " + major.get(JAVA_INT, 0) + "." + minor.get(JAVA_INT, 0);
    }
  }

  /**
   * Returns the first that can be used: the file that the property or the variable names, else what
   * the system finds, else what lies where CUDA and PyTorch put it.
   *
   * @param steps gets a line that says what came of it
   */
  static Optional<Nvrtc> find(List<String> steps) {
    String named = System.getProperty(PROPERTY, System.getenv(VARIABLE));
    List<String> names = new ArrayList<>();
    if (named != null && !named.isBlank()) {
      names.add(named);
    } else {
      for (int major : MAJORS) {
        names.add("libnvrtc.so." + major);
      }
      for (Path folder : BlasLibraries.folders("cuda_nvrtc")) {
        for (int major : MAJORS) {
          Path file = folder.resolve("libnvrtc.so." + major);
          if (Files.exists(file)) {
            names.add(file.toString());
          }
        }
      }
    }
    for (String name : names) {
      openBeside(name);
      Optional<SymbolLookup> library = BlasLibraries.lookup(name);
      if (library.isEmpty()) {
        continue;
      }
      for (Function function : Function.values()) {
        if (library.get().find(function.symbol).isEmpty()) {
          steps.add(name + ": opened, but it lacks " + function.symbol);
          return Optional.empty();
        }
      }
      Nvrtc found = new Nvrtc(library.get());
      steps.add(name + ": opened, " + found.description);
      return Optional.of(found);
    }
    steps.add(
        (named == null ? "libnvrtc.so.13, .12 and .11" : named)
            + ": not found, so the driver compiles the kernels");
    return Optional.empty();
  }

  // It opens a library of its own when it compiles, by a name that the system would look for only
  // in its usual folders.
  private static void openBeside(String name) {
    Path folder = name.contains("/") ? Path.of(name).toAbsolutePath().getParent() : null;
    if (folder != null) {
      BlasLibraries.matching(folder, "libnvrtc-builtins.so.*")
          .forEach(library -> BlasLibraries.lookup(library.toString()));
    }
  }

  /** Returns its name and version. */
  String description() {
    return description;
  }

  /**
   * Returns kernels compiled for an architecture.
   *
   * @param source the file that includes the others
   * @param included the others by name
   * @param capability ten times the major number plus the minor one
   * @throws CudaFailureException if it cannot compile them, with what the compiler says
   */
  byte[] compile(String source, Map<String, String> included, int capability) {
    try (Arena arena = Arena.ofConfined()) {
      List<String> names = List.copyOf(included.keySet());
      MemorySegment program = arena.allocate(ADDRESS);
      require(
          "begin to compile kernels",
          call(
              Function.CREATE,
              program,
              arena.allocateFrom(source),
              arena.allocateFrom("resid.cu"),
              names.size(),
              strings(arena, names.stream().map(included::get).toList()),
              strings(arena, names)));
      try {
        return compiled(arena, program.get(ADDRESS, 0), capability);
      } finally {
        require("free what was compiled", call(Function.DESTROY, program));
      }
    }
  }

  private byte[] compiled(Arena arena, MemorySegment program, int capability) {
    // As cuda/scripts/ptx.sh: a multiply and an add are one rounding only where fmaf is written.
    List<String> options = List.of("--gpu-architecture=sm_" + capability, "--fmad=false");
    int status = call(Function.COMPILE, program, options.size(), strings(arena, options));
    if (status != 0) {
      throw new CudaFailureException(
          "NVRTC_ERROR_" + status,
          "cuda: "
              + description
              + " cannot compile the kernels for sm_"
              + capability
              + ": "
              + text(arena, program).lines().findFirst().orElse("status " + status));
    }
    MemorySegment size = arena.allocate(JAVA_LONG);
    require("ask for the size of kernels", call(Function.CUBIN_SIZE, program, size));
    MemorySegment cubin = arena.allocate(size.get(JAVA_LONG, 0));
    require("take the kernels", call(Function.CUBIN, program, cubin));
    return cubin.toArray(ValueLayout.JAVA_BYTE);
  }

  private String text(Arena arena, MemorySegment program) {
    MemorySegment size = arena.allocate(JAVA_LONG);
    if (call(Function.LOG_SIZE, program, size) != 0) {
      return "";
    }
    MemorySegment log = arena.allocate(size.get(JAVA_LONG, 0) + 1);
    return call(Function.LOG, program, log) == 0 ? log.getString(0) : "";
  }

  private static MemorySegment strings(Arena arena, List<String> texts) {
    MemorySegment addresses = arena.allocate(ADDRESS, texts.size());
    for (int i = 0; i < texts.size(); i++) {
      addresses.setAtIndex(ADDRESS, i, arena.allocateFrom(texts.get(i)));
    }
    return addresses;
  }

  private int call(Function function, Object... arguments) {
    try {
      return (int) functions.get(function).invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new IllegalStateException("the call of " + function.symbol + " is wrong", e);
    }
  }

  private static void require(String doing, int status) {
    if (status != 0) {
      throw new CudaFailureException(
          "NVRTC_ERROR_" + status, "cuda: cannot " + doing + ": NVRTC reports status " + status);
    }
  }
}

package dev.resid.backend.cuda;

import dev.resid.backend.BackendUnavailableException;
import dev.resid.backend.Precision;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Chooses what multiplies matrices: JCuda's cuBLAS binding where libcublas.so.12 loads, else the
 * own binding to whatever cuBLAS there is, else kernels. A property or variable can ask for one of
 * them.
 */
final class BlasChoice {
  /** System property: {@code jcuda}, {@code foreign} or {@code kernels}. */
  static final String PROPERTY = "resid.cuda.products";

  /** Environment variable of the same meaning. */
  static final String VARIABLE = "RESID_CUDA_PRODUCTS";

  /** NVIDIA's variable: its libraries never take TF32 at 0, and always at 1. */
  private static final String OVERRIDE = "NVIDIA_TF32_OVERRIDE";

  private static final long WORKSPACE_BYTES = 32L << 20;

  private enum Kind {
    JCUDA,
    FOREIGN,
    KERNELS
  }

  private final Device device;
  private final Precision precision;
  private final List<String> steps;

  BlasChoice(Device device, Precision precision, List<String> steps) {
    this.device = device;
    this.precision = precision;
    this.steps = steps;
  }

  Blas open() {
    Optional<Kind> wanted = wanted();
    for (Kind kind : Kind.values()) {
      if (wanted.isEmpty() || wanted.get() == kind) {
        if (kind != Kind.KERNELS) {
          requirePrecisionToBeOurs(precision, System.getenv(OVERRIDE));
        }
        Optional<Blas> blas =
            switch (kind) {
              case JCUDA -> jcuda();
              case FOREIGN -> foreign();
              case KERNELS -> kernels();
            };
        if (blas.isPresent()) {
          return blas.get();
        }
      }
    }
    throw new BackendUnavailableException(
        "cuda: nothing here multiplies matrices in "
            + precision.name().toLowerCase(Locale.ROOT)
            + ". Tried: "
            + String.join("; ", steps)
            + ". Install cuBLAS 11 or newer, or point "
            + BlasLibraries.VARIABLE
            + " to its file.");
  }

  /**
   * Requires that cuBLAS multiplies as it is told to: a variable of NVIDIA's decides over every
   * program whether its libraries take tensor cores for factors in float32.
   *
   * @param override value of the variable, or null
   * @throws BackendUnavailableException if it decides for the other precision
   */
  static void requirePrecisionToBeOurs(Precision precision, String override) {
    if (override == null || override.isBlank()) {
      return;
    }
    boolean forbidden = override.strip().equals("0");
    if (precision == Precision.FP32 ? !forbidden : forbidden) {
      throw new BackendUnavailableException(
          "cuda: the variable "
              + OVERRIDE
              + " is "
              + override
              + ", with which cuBLAS "
              + (forbidden ? "does not take tf32" : "rounds factors to tf32")
              + " whatever it is asked for. Unset it, or ask for "
              + (forbidden ? "fp32." : "tf32."));
    }
  }

  private static Optional<Kind> wanted() {
    String name = System.getProperty(PROPERTY, System.getenv(VARIABLE));
    if (name == null || name.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Kind.valueOf(name.toUpperCase(Locale.ROOT)));
    } catch (IllegalArgumentException e) {
      throw new BackendUnavailableException(
          "cuda: " + PROPERTY + " is \"" + name + "\", expected jcuda, foreign or kernels.");
    }
  }

  private Optional<Blas> jcuda() {
    Optional<String> problem = BlasLibraries.problemOfCublas12();
    if (problem.isEmpty()) {
      problem = JCudaLibraries.cublasProblem();
    }
    if (problem.isPresent()) {
      steps.add("JCublas2: " + problem.get());
      return Optional.empty();
    }
    try {
      Blas blas = new JCudaBlas(device.stream, precision, workspace(), WORKSPACE_BYTES);
      steps.add("JCublas2: " + blas.description());
      return Optional.of(blas);
    } catch (CudaFailureException e) {
      requireMemory(e);
      steps.add("JCublas2: " + e.getMessage());
      return Optional.empty();
    }
  }

  private Optional<Blas> foreign() {
    Optional<BlasLibraries.Found> found = new BlasLibraries(steps).find();
    if (found.isEmpty()) {
      return Optional.empty();
    }
    try {
      Blas blas =
          new ForeignBlas(
              found.get().functions(),
              found.get().name(),
              device.streamAddress(),
              precision,
              workspace(),
              WORKSPACE_BYTES);
      steps.add(found.get().name() + ": " + blas.description());
      return Optional.of(blas);
    } catch (CudaFailureException e) {
      requireMemory(e);
      steps.add(found.get().name() + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  private Optional<Blas> kernels() {
    if (precision == Precision.TF32) {
      steps.add("own kernels: they multiply in fp32 only");
      return Optional.empty();
    }
    return Optional.of(new KernelBlas(device.kernels()));
  }

  // Without memory for a workspace there is none for a model either.
  private static void requireMemory(CudaFailureException e) {
    if (e.isOutOfMemory()) {
      throw e;
    }
  }

  // Held until the device is closed.
  private long workspace() {
    return device.memory.take(WORKSPACE_BYTES).address();
  }
}

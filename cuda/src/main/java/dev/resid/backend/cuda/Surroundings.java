package dev.resid.backend.cuda;

import dev.resid.backend.Availability;
import dev.resid.backend.Availability.Available;
import dev.resid.backend.Availability.Unavailable;
import dev.resid.backend.BackendOptions;
import dev.resid.backend.BackendUnavailableException;
import dev.resid.backend.Precision;
import dev.resid.tensor.Backend;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;

/**
 * What this machine has of what the backend needs: driver, JCuda's libraries, a GPU that runs the
 * kernels, a cuBLAS. Every step that was tried is remembered for {@code resid doctor}.
 */
final class Surroundings {
  /** The oldest driver whose PTX compiler reads the kernels: that of CUDA 11.0. */
  static final int OLDEST_DRIVER = 11000;

  /** The oldest architecture that the kernels are compiled for. */
  static final int OLDEST_CAPABILITY = 75;

  private static final String DRIVER_LIBRARY = "libcuda.so.1";

  private final List<String> steps = new ArrayList<>();
  private final List<String> gpus = new ArrayList<>();
  private String driver;
  private boolean hasDriver;
  private Availability availability;

  private Surroundings() {}

  /** Looks around. */
  static Surroundings look() {
    Surroundings found = new Surroundings();
    found.availability = found.examine();
    return found;
  }

  Availability availability() {
    return availability;
  }

  /** Returns whether the driver's library is there. */
  boolean hasDriver() {
    return hasDriver;
  }

  /** Returns what was tried, one line a step. */
  List<String> steps() {
    return List.copyOf(steps);
  }

  @SuppressWarnings("restricted") // opening the driver runs its code, as is wanted
  private Availability examine() {
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!system.equals("Linux amd64")) {
      return missing(
          "system " + system,
          "JCuda's libraries are here for Linux on x86-64 only, this is " + system,
          "use --backend vector");
    }
    try {
      SymbolLookup.libraryLookup(DRIVER_LIBRARY, Arena.global());
    } catch (IllegalArgumentException e) {
      return missing(
          DRIVER_LIBRARY + ": not found",
          "no CUDA driver found (" + DRIVER_LIBRARY + ")",
          "On a machine with an NVIDIA GPU, install its driver");
    }
    hasDriver = true;
    steps.add(DRIVER_LIBRARY + ": opened");
    Optional<String> problem = JCudaLibraries.driverProblem();
    if (problem.isPresent()) {
      return missing(
          "JCuda's driver library: " + problem.get(),
          "JCuda's driver library cannot be loaded: " + problem.get(),
          "check that jcuda-natives of this system is on the class path");
    }
    steps.add("JCuda's driver library: loaded");
    try {
      return examineDriver();
    } catch (CudaFailureException e) {
      return missing(e.getMessage(), CudaErrors.cause(e.error()), CudaErrors.remedy(e.error()));
    }
  }

  private Unavailable missing(String step, String reason, String fix) {
    steps.add(step);
    return new Unavailable(reason, fix);
  }

  private Availability examineDriver() {
    Driver.call("start the CUDA driver", () -> JCudaDriver.cuInit(0));
    int version = Driver.version();
    driver = "driver for CUDA " + version / 1000 + "." + version % 1000 / 10;
    if (version < OLDEST_DRIVER) {
      return missing(
          driver + ": too old",
          "the " + driver + " is too old for the kernels, which need one for CUDA 11 or newer",
          "Install a newer driver");
    }
    steps.add(driver);
    int count = Driver.deviceCount();
    if (count == 0) {
      return missing(
          "GPUs: none", "the driver sees no GPU", CudaErrors.remedy("CUDA_ERROR_NO_DEVICE"));
    }
    int usable = 0;
    for (int i = 0; i < count; i++) {
      CUdevice device = Driver.device(i);
      int capability = Driver.computeCapability(device);
      String gpu =
          String.format(
              Locale.ROOT,
              "%s, compute capability %d.%d, %.0f GiB",
              Driver.name(device),
              capability / 10,
              capability % 10,
              Driver.totalMemory(device) / (double) (1 << 30));
      boolean enough = capability >= OLDEST_CAPABILITY;
      usable += enough ? 1 : 0;
      gpus.add(gpu);
      steps.add("GPU " + i + ": " + gpu + (enough ? "" : ", too old: 7.5 is needed"));
    }
    steps.add(
        "JCuda's cuBLAS binding: "
            + BlasLibraries.problemOfCublas12().orElse("libcublas.so.12 is there"));
    new BlasLibraries(steps).find();
    Nvrtc.find(steps);
    if (usable == 0) {
      return new Unavailable(
          "the kernels need compute capability 7.5, and the GPU here is " + gpus.getFirst(),
          "use --backend vector, or a GPU of 2018 or newer");
    }
    return new Available(
        gpus.getFirst() + (count > 1 ? " (one of " + count + " GPUs)" : "") + ", " + driver);
  }

  /**
   * Opens the backend.
   *
   * @throws BackendUnavailableException if it cannot be opened
   */
  Backend open(BackendOptions options) {
    if (availability instanceof Unavailable(String reason, String fix)) {
      throw new BackendUnavailableException("cuda: " + reason + ". " + fix + ".");
    }
    if (options.device() >= gpus.size()) {
      throw new BackendUnavailableException(
          "cuda: there is no GPU "
              + options.device()
              + "; there are "
              + gpus.size()
              + ", counted from 0.");
    }
    try {
      Device device = new Device(options.device());
      try {
        device.acquire();
        try {
          return open(device, options.precision());
        } finally {
          device.release();
        }
      } catch (CudaFailureException | BackendUnavailableException e) {
        device.close();
        throw e;
      }
    } catch (CudaFailureException e) {
      throw new BackendUnavailableException(e.getMessage());
    }
  }

  private Backend open(Device device, Precision precision) {
    Blas blas = new BlasChoice(device, precision, new ArrayList<>()).open();
    String description =
        String.format(
            Locale.ROOT,
            "cuda (%s, %s, %s%s)",
            gpus.get(device.ordinal),
            blas.description(),
            precision == Precision.TF32 ? "tf32" : "fp32",
            device.kernelsBy());
    String name = "GPU " + device.ordinal + ": " + gpus.get(device.ordinal) + ", " + driver;
    return new CudaBackend(device, blas, precision, description, name);
  }
}

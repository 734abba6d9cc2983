package dev.resid.backend.cuda;

import java.util.Map;

/**
 * What the driver's errors mean for the person at the keyboard, one sentence and one remedy each.
 */
final class CudaErrors {
  private static final String AGAIN =
      "Nothing more can be computed on it by this process; start again, and finished blocks of a"
          + " sweep are kept";

  /** Cause as a clause, and remedy. */
  private record Meaning(String cause, String remedy) {}

  private static final Map<String, Meaning> MEANINGS =
      Map.ofEntries(
          Map.entry(
              "CUDA_ERROR_NO_DEVICE",
              new Meaning(
                  "the driver sees no GPU",
                  "Check nvidia-smi and the variable CUDA_VISIBLE_DEVICES")),
          Map.entry(
              "CUDA_ERROR_INVALID_DEVICE",
              new Meaning("there is no GPU of that number", "resid doctor lists the GPUs")),
          Map.entry(
              "CUDA_ERROR_OUT_OF_MEMORY",
              new Meaning(
                  "the GPU has no memory left",
                  "Use smaller batches, or end other programs on the GPU (nvidia-smi lists them)")),
          Map.entry(
              "CUDA_ERROR_SYSTEM_NOT_READY",
              new Meaning(
                  "the connections between the machine's GPUs are not ready",
                  "Start the service nvidia-fabricmanager of the driver's version")),
          Map.entry(
              "CUDA_ERROR_STUB_LIBRARY",
              new Meaning(
                  "libcuda.so.1 is a stub of the CUDA toolkit, for linking only",
                  "Remove the folder stubs from LD_LIBRARY_PATH")),
          Map.entry(
              "CUDA_ERROR_OPERATING_SYSTEM",
              new Meaning(
                  "the system refuses the driver something",
                  "Check that this user may open /dev/nvidia*")),
          Map.entry(
              "CUDA_ERROR_UNKNOWN",
              new Meaning(
                  "the driver fails without a reason",
                  "Check that this user may open /dev/nvidia-uvm; after a suspend, restart")),
          Map.entry(
              "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
              new Meaning(
                  "the driver's library and its kernel module have different versions",
                  "Restart the machine, or install one version of both")),
          Map.entry(
              "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
              new Meaning(
                  "a forward-compatibility driver library does not support this GPU",
                  "Remove the compatibility library from LD_LIBRARY_PATH")),
          Map.entry(
              "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
              new Meaning(
                  "the driver is too old for the kernels", "Install a driver of CUDA 11 or newer")),
          Map.entry(
              "CUDA_ERROR_INVALID_PTX",
              new Meaning(
                  "the driver cannot compile the kernels for this GPU",
                  "Kernels need compute capability 7.5 and a driver of CUDA 11 or newer")),
          Map.entry(
              "CUDA_ERROR_NO_BINARY_FOR_GPU",
              new Meaning(
                  "the kernels do not fit this GPU", "They need compute capability 7.5 or higher")),
          Map.entry(
              "CUDA_ERROR_JIT_COMPILER_NOT_FOUND",
              new Meaning(
                  "the driver's compiler for kernels is missing",
                  "Install libnvidia-ptxjitcompiler of the driver's version")),
          Map.entry(
              "CUDA_ERROR_DEVICE_UNAVAILABLE",
              new Meaning(
                  "another process has the GPU for itself",
                  "Wait for it, or set the GPU's compute mode to default")),
          Map.entry(
              "CUDA_ERROR_ECC_UNCORRECTABLE",
              new Meaning("the GPU's memory reports an error it cannot correct", AGAIN)),
          Map.entry(
              "CUDA_ERROR_ILLEGAL_ADDRESS",
              new Meaning("a kernel touched memory that is not its own", AGAIN)),
          Map.entry("CUDA_ERROR_LAUNCH_FAILED", new Meaning("a kernel failed", AGAIN)),
          Map.entry(
              "CUDA_ERROR_LAUNCH_TIMEOUT",
              new Meaning("a kernel ran longer than the display allows", AGAIN)),
          Map.entry("CUDA_ERROR_CONTEXT_IS_DESTROYED", new Meaning("the GPU was reset", AGAIN)),
          Map.entry(
              "CUDA_ERROR_HARDWARE_STACK_ERROR", new Meaning("the GPU reports a fault", AGAIN)));

  private CudaErrors() {}

  /**
   * Returns the exception for a failed call.
   *
   * @param doing what was tried, to follow "cannot", for example {@code allocate 3 MiB}
   * @param error the driver's name of the error
   */
  static CudaFailureException failure(String doing, String error) {
    return new CudaFailureException(error, "cuda: cannot " + doing + ": " + sentence(error) + ".");
  }

  /** Returns cause, name and remedy of an error, without the last full stop. */
  static String sentence(String error) {
    Meaning meaning = MEANINGS.get(error);
    return meaning == null
        ? "the driver reports " + error + ". resid doctor shows what is installed"
        : meaning.cause + " (" + error + "). " + meaning.remedy;
  }

  /** Returns the remedy for an error. */
  static String remedy(String error) {
    Meaning meaning = MEANINGS.get(error);
    return meaning == null ? "see what nvidia-smi says" : meaning.remedy;
  }

  /** Returns the cause of an error with its name, a clause. */
  static String cause(String error) {
    Meaning meaning = MEANINGS.get(error);
    return meaning == null ? "the driver reports " + error : meaning.cause + " (" + error + ")";
  }
}

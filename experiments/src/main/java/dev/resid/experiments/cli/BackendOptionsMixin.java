package dev.resid.experiments.cli;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.backend.Precision;
import dev.resid.tensor.Backend;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The options {@code --backend}, {@code --threads}, {@code --vector-bits}, {@code --device} and
 * {@code --precision}.
 */
final class BackendOptionsMixin {
  private static final String CUDA = "cuda";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "What computes: cuda, vector or scalar; the fastest here if left out.")
  private String name;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Worker threads; all processors if left out. Results do not depend on it.")
  private Integer threads;

  @Option(
      names = "--vector-bits",
      paramLabel = "N",
      description = "Width of vector registers: 128, 256 or 512; the machine's if left out.")
  private Integer vectorBits;

  @Option(
      names = "--device",
      paramLabel = "N",
      description = "Number of the GPU for cuda, from 0; the first if left out.")
  private Integer device;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      description =
          "How cuda multiplies: fp32, or tf32, which is faster and rounds factors to 10 bits; fp32"
              + " if left out.")
  private String precision;

  /** Called by picocli. */
  BackendOptionsMixin() {}

  /**
   * Opens the backend that was asked for; the caller closes it.
   *
   * @throws ParameterException if an option is out of range
   * @throws dev.resid.backend.BackendUnavailableException if the backend cannot run here
   */
  Backend open() {
    BackendOptions options = options();
    return name == null ? Backends.fastest(options) : Backends.named(name, options);
  }

  /**
   * Opens one of several GPUs; the caller closes it.
   *
   * @param number from 0
   * @throws ParameterException if an option is out of range, or others ask for something else
   * @throws dev.resid.backend.BackendUnavailableException if there is no such GPU
   */
  Backend openGpu(int number) {
    if (device != null) {
      throw new ParameterException(
          mixee.commandLine(), "--device and --devices exclude each other; name GPUs with one");
    }
    if (name != null && !name.equals(CUDA)) {
      throw new ParameterException(
          mixee.commandLine(), "--devices names GPUs, which --backend " + name + " does not use");
    }
    try {
      return Backends.named(CUDA, options().withDevice(number));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(mixee.commandLine(), "--devices: " + e.getMessage(), e);
    }
  }

  /** Returns the number of worker threads, for work that the backend does not do. */
  int threads() {
    return options().threads();
  }

  private BackendOptions options() {
    BackendOptions options = BackendOptions.defaults();
    try {
      if (threads != null) {
        options = options.withThreads(threads);
      }
      if (device != null) {
        options = options.withDevice(device);
      }
      if (precision != null) {
        options = options.withPrecision(precision());
      }
      return vectorBits == null ? options : options.withVectorBits(vectorBits);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(mixee.commandLine(), e.getMessage(), e);
    }
  }

  private Precision precision() {
    for (Precision known : Precision.values()) {
      if (known.name().toLowerCase(Locale.ROOT).equals(precision)) {
        return known;
      }
    }
    throw new IllegalArgumentException(
        "--precision is \"" + precision + "\", must be fp32 or tf32");
  }
}

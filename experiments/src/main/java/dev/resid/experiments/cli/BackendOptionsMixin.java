package dev.resid.experiments.cli;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.tensor.Backend;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options {@code --backend}, {@code --threads} and {@code --vector-bits}. */
final class BackendOptionsMixin {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "What computes: vector or scalar; the fastest here if left out.")
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
      return vectorBits == null ? options : options.withVectorBits(vectorBits);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(mixee.commandLine(), e.getMessage(), e);
    }
  }
}

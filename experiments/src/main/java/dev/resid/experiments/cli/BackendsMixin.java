package dev.resid.experiments.cli;

import dev.resid.tensor.Backend;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of {@link BackendOptionsMixin} and {@code --devices}, for runs made of blocks. */
final class BackendsMixin {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec mixee;

  @Mixin private BackendOptionsMixin backend;

  @Option(
      names = "--devices",
      paramLabel = "LIST",
      split = ",",
      description =
          "Numbers of several GPUs of one kind for cuda, such as 0,1: each computes blocks of the"
              + " run, with the same results as one.")
  private List<Integer> devices;

  /** Called by picocli. */
  BackendsMixin() {}

  /**
   * Opened backends.
   *
   * @param all the first is that of the run itself
   */
  record Opened(List<Backend> all) implements AutoCloseable {
    Opened {
      all = List.copyOf(all);
    }

    /** Returns how many of them there are, as words that follow an estimate for one. */
    String words() {
      return all.size() == 1 ? "" : ", shared out to " + all.size() + " GPUs";
    }

    /** Closes all. */
    @Override
    public void close() {
      closeAll(all);
    }
  }

  /** Returns the number of worker threads, for work that the backend does not do. */
  int threads() {
    return backend.threads();
  }

  /**
   * Opens what was asked for; the caller closes it.
   *
   * @throws ParameterException if an option is out of range
   * @throws dev.resid.backend.BackendUnavailableException if a backend cannot run here
   * @throws IllegalStateException if the GPUs are of different kinds
   */
  Opened open() {
    if (devices == null) {
      return new Opened(List.of(backend.open()));
    }
    new Usage(mixee).requireNames("--devices", devices);
    List<Backend> opened = new ArrayList<>();
    try {
      for (int device : devices) {
        opened.add(backend.openGpu(device));
      }
      requireOneKind(opened);
      return new Opened(opened);
    } catch (RuntimeException e) {
      closeAll(opened);
      throw e;
    }
  }

  // Each, whatever becomes of the others.
  private static void closeAll(List<Backend> backends) {
    if (!backends.isEmpty()) {
      try {
        backends.getFirst().close();
      } finally {
        closeAll(backends.subList(1, backends.size()));
      }
    }
  }

  // Descriptions name the GPU, what multiplies, and the precision.
  private void requireOneKind(List<Backend> opened) {
    String first = opened.getFirst().description();
    for (int i = 1; i < opened.size(); i++) {
      String other = opened.get(i).description();
      if (!other.equals(first)) {
        throw new IllegalStateException(
            "--devices: GPU "
                + devices.getFirst()
                + " is "
                + first
                + " and GPU "
                + devices.get(i)
                + " is "
                + other
                + "; the last bits of their numbers may differ, so name GPUs of one kind");
      }
    }
  }
}

package dev.resid.backend.cuda;

import dev.resid.backend.Availability;
import dev.resid.backend.BackendOptions;
import dev.resid.backend.BackendProvider;
import dev.resid.backend.BackendUnavailableException;
import dev.resid.tensor.Backend;
import java.util.List;

/** Offers the backend on NVIDIA GPUs. */
public final class CudaBackendProvider implements BackendProvider {
  /** Creates the provider; called by {@link java.util.ServiceLoader}. */
  public CudaBackendProvider() {}

  /** Returns {@code cuda}. */
  @Override
  public String name() {
    return CudaBackend.NAME;
  }

  /** Returns 200: a GPU comes before any processor. */
  @Override
  public int priority() {
    return 200;
  }

  @Override
  public Availability availability() {
    return Surroundings.look().availability();
  }

  /** Returns whether there is a CUDA driver, whatever it is good for. */
  @Override
  public boolean isMissed() {
    return Surroundings.look().hasDriver();
  }

  @Override
  public List<String> steps() {
    return Surroundings.look().steps();
  }

  /**
   * Opens the backend.
   *
   * @param options precision and number of the GPU
   * @throws BackendUnavailableException if it cannot be opened here
   */
  @Override
  public Backend open(BackendOptions options) {
    return Surroundings.look().open(options);
  }
}

package dev.resid.backend.vector;

import dev.resid.backend.Availability;
import dev.resid.backend.Availability.Available;
import dev.resid.backend.Availability.Unavailable;
import dev.resid.backend.BackendOptions;
import dev.resid.backend.BackendProvider;
import dev.resid.backend.BackendUnavailableException;
import dev.resid.tensor.Backend;
import java.util.Optional;

/**
 * Offers {@link VectorBackend} where the incubator module is readable. Mentions no vector type, so
 * that it loads without that module.
 */
public final class VectorBackendProvider implements BackendProvider {
  private static final String MODULE = "jdk.incubator.vector";

  /** Creates the provider; called by {@link java.util.ServiceLoader}. */
  public VectorBackendProvider() {}

  /** Returns {@code vector}. */
  @Override
  public String name() {
    return "vector";
  }

  /** Returns 100: before {@code scalar}, after a GPU. */
  @Override
  public int priority() {
    return 100;
  }

  @Override
  public Availability availability() {
    Optional<Module> module = ModuleLayer.boot().findModule(MODULE);
    if (module.isEmpty() || !VectorBackendProvider.class.getModule().canRead(module.get())) {
      return new Unavailable(
          "the module " + MODULE + " is not loaded", "Pass --add-modules " + MODULE);
    }
    return new Available(VectorBackend.describe(BackendOptions.defaults()));
  }

  /**
   * Opens the backend.
   *
   * @param options threads and vector width
   * @throws BackendUnavailableException if the module is not loaded
   */
  @Override
  public Backend open(BackendOptions options) {
    if (availability() instanceof Unavailable(String reason, String fix)) {
      throw new BackendUnavailableException("vector: " + reason + ". " + fix);
    }
    return VectorBackend.open(options);
  }
}

package dev.resid.backend.scalar;

import dev.resid.backend.Availability;
import dev.resid.backend.BackendOptions;
import dev.resid.backend.BackendProvider;
import dev.resid.tensor.Backend;

/** Offers {@link ScalarBackend}, which runs everywhere and is the last choice. */
public final class ScalarBackendProvider implements BackendProvider {
  /** Creates the provider. */
  public ScalarBackendProvider() {}

  @Override
  public String name() {
    return ScalarBackend.NAME;
  }

  @Override
  public int priority() {
    return 0;
  }

  @Override
  public Availability availability() {
    return new Availability.Available(ScalarBackend.DESCRIPTION);
  }

  @Override
  public Backend open(BackendOptions options) {
    return new ScalarBackend();
  }
}

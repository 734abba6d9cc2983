package dev.resid.backend;

import dev.resid.tensor.Backend;

/** Makes one kind of backend; found through {@link java.util.ServiceLoader}. */
public interface BackendProvider {
  /** Returns the name the backend is chosen by. */
  String name();

  /**
   * Returns the rank in {@link Backends#fastest()}: the available provider with the highest wins.
   */
  int priority();

  /** Returns whether the backend can be opened here, with the reason and the fix if not. */
  Availability availability();

  /**
   * Opens the backend.
   *
   * @throws BackendUnavailableException if it cannot be opened here
   */
  Backend open(BackendOptions options);
}

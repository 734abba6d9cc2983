package dev.resid.backend;

import dev.resid.tensor.Backend;
import java.util.List;

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
   * Returns what was tried to make the backend work here and what came of it, one line a step; none
   * where there is nothing to try.
   */
  default List<String> steps() {
    return List.of();
  }

  /**
   * Opens the backend.
   *
   * @throws BackendUnavailableException if it cannot be opened here
   */
  Backend open(BackendOptions options);
}

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
   * Returns whether somebody who runs a program here would expect this backend to be used, so that
   * it is worth a word when it is {@linkplain Availability.Unavailable not available}: false where
   * nothing hints at what it computes with, as on a machine without a GPU.
   */
  default boolean isMissed() {
    return true;
  }

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

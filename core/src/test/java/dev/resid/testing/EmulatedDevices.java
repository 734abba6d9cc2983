package dev.resid.testing;

import java.nio.file.Path;
import java.util.Optional;

/**
 * GPUs emulated on the processor, for tests of modules that know nothing of the backend's own. Once
 * loaded they stay in the process, and are then the fastest backend there: for processes of their
 * own. Found by {@link java.util.ServiceLoader} where the tests of the backend are on the class
 * path.
 */
public interface EmulatedDevices {
  /** Returns why they cannot be loaded here, or nothing if they can. */
  Optional<String> problem();

  /** Loads two of them. */
  void load();

  /** Returns the folder of their libraries, for the library path of another process. */
  Path libraries();

  /** Returns how many kernels were launched on one of them. */
  long launchesOn(int device);

  /** Makes the launch after so many of one of them fail as that of a GPU that is lost. */
  void lose(int device, long after);

  /** Sets how many there are, and versions: 13000 is a driver of CUDA 13.0, 9 a GPU of 9.0. */
  void surroundings(int count, int driver, int capability);

  /** Sets the bytes of memory of each. */
  void memory(long bytes);
}

package dev.resid.backend.cuda;

import dev.resid.testing.EmulatedDevices;
import java.nio.file.Path;
import java.util.Optional;
import org.opentest4j.TestAbortedException;

/** The emulated GPUs for tests of other modules. */
public final class EmulatedGpuService implements EmulatedDevices {
  private static final int ILLEGAL_ADDRESS = 700;

  /** Called by {@link java.util.ServiceLoader}. */
  public EmulatedGpuService() {}

  @Override
  public Optional<String> problem() {
    try {
      EmulatedGpu.requireCompiler();
      return Optional.empty();
    } catch (TestAbortedException e) {
      return Optional.of(e.getMessage());
    }
  }

  @Override
  public void load() {
    EmulatedGpu.require().repair();
  }

  @Override
  public Path libraries() {
    return EmulatedGpu.build().toAbsolutePath();
  }

  @Override
  public long launchesOn(int device) {
    return EmulatedGpu.require().launchesOn(device);
  }

  @Override
  public void lose(int device, long after) {
    EmulatedGpu.require().failDevice(device, after, ILLEGAL_ADDRESS);
  }

  @Override
  public void surroundings(int count, int driver, int capability) {
    EmulatedGpu.require().device(count, driver, capability);
  }

  @Override
  public void memory(long bytes) {
    EmulatedGpu.require().memory(bytes);
  }
}

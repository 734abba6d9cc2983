package dev.resid.experiments.study;

import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.tensor.Backend;
import java.util.List;

/** What records say of the devices of a run, and of the numbers they multiply. */
public final class Devices {
  private static final String FORMAT = "factors";

  private Devices() {}

  /** Returns the devices that a backend computes on; none for the processor. */
  public static List<String> of(Backend backend) {
    return backend.device().map(List::of).orElse(List.of());
  }

  /**
   * Adds the device of a backend to the facts of a run, if it has one, and returns them.
   *
   * @param backend where the run computes
   * @param facts of the run
   */
  public static Settings record(Backend backend, Settings facts) {
    List<String> devices = of(backend);
    return devices.isEmpty() ? facts : facts.with(RunRecord.DEVICES, devices);
  }

  /**
   * Adds to the settings of a run that factors are rounded, where they are, and returns them. Runs
   * with other factors have other numbers: neither goes on in the folder of the other.
   *
   * @param backend where the run computes
   * @param settings of the run
   */
  public static Settings recordFormat(Backend backend, Settings settings) {
    return backend.factorFormat().map(format -> settings.with(FORMAT, format)).orElse(settings);
  }

  /** Returns the backend of a run in words, of its settings. */
  public static String words(Settings settings) {
    String backend = settings.text("backend");
    return settings.has(FORMAT)
        ? backend + ", factors of products rounded to " + settings.text(FORMAT)
        : backend;
  }
}

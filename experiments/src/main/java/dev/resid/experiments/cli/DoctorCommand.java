package dev.resid.experiments.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.resid.backend.Availability;
import dev.resid.backend.Availability.Available;
import dev.resid.backend.Availability.Unavailable;
import dev.resid.backend.Backends;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.io.TensorInfo;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code resid doctor}: what this machine offers, and what to do about what is missing. */
@Command(
    name = "doctor",
    description = {
      "Show Java, memory and backends, with the reason and the fix for what does not work.",
      "Exit code 1 means that nothing here can compute."
    },
    footer = {"", "Example:", "  resid doctor"})
final class DoctorCommand implements Callable<Integer> {
  private static final double GIB = 1L << 30;

  @Spec private CommandSpec spec;

  /** Called by picocli. */
  DoctorCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    BuildInfo build = BuildInfo.current();
    line(out, "Resid", build.version() + ", commit " + build.commit());
    line(
        out,
        "Java",
        Runtime.version()
            + ", "
            + System.getProperty("java.vendor")
            + ", "
            + System.getProperty("java.home"));
    line(
        out,
        "System",
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"));
    line(out, "Processors", String.valueOf(Runtime.getRuntime().availableProcessors()));
    line(out, "Memory", memory());
    boolean vectorApi = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    line(
        out,
        "Vector API",
        vectorApi
            ? "loaded"
            : "not loaded: start through ./resid, or pass --add-modules jdk.incubator.vector");
    line(out, "Model", embeddedModel());
    out.println("Backends");
    Map<String, Availability> backends = Backends.available();
    String chosen = null;
    for (Map.Entry<String, Availability> entry : backends.entrySet()) {
      switch (entry.getValue()) {
        case Available(String description) -> {
          boolean first = chosen == null;
          chosen = first ? entry.getKey() : chosen;
          line(out, "  " + entry.getKey(), description + (first ? " (the default)" : ""));
        }
        case Unavailable(String reason, String fix) ->
            line(out, "  " + entry.getKey(), "unavailable: " + reason + ". " + fix);
      }
    }
    if (chosen == null) {
      line(out, "  none", "nothing here can compute");
    }
    for (Map.Entry<String, List<String>> tried : Backends.steps().entrySet()) {
      if (!tried.getValue().isEmpty()) {
        out.println("Tried for " + tried.getKey());
        tried.getValue().forEach(step -> out.println("- " + step));
      }
    }
    return chosen == null ? ResidCommand.FAILED : ResidCommand.OK;
  }

  private static String embeddedModel() {
    try (Gpt2Checkpoint checkpoint = Gpt2Checkpoint.embedded()) {
      Gpt2Config config = checkpoint.config();
      long parameters =
          checkpoint.tensors().values().stream().mapToLong(TensorInfo::elements).sum();
      return String.format(
          Locale.ROOT,
          "embedded, %d blocks of %d, context %d, %,d parameters, in %s",
          config.nLayers(),
          config.dModel(),
          config.nCtx(),
          parameters,
          Path.of(
              Gpt2Checkpoint.class.getProtectionDomain().getCodeSource().getLocation().toURI()));
    } catch (IOException | RuntimeException | URISyntaxException e) {
      return "none embedded, pass --model DIR: " + ErrorSentence.of(e);
    }
  }

  private static String memory() {
    String limit = gib(Runtime.getRuntime().maxMemory()) + " for Java";
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? limit
            + ", "
            + gib(system.getTotalMemorySize())
            + " in all, "
            + gib(system.getFreeMemorySize())
            + " free"
        : limit;
  }

  private static String gib(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / GIB);
  }

  private static void line(PrintWriter out, String name, String value) {
    out.println(String.format(Locale.ROOT, "%-12s %s", name, value));
  }
}

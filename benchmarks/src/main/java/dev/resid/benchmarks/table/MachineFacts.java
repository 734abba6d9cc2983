package dev.resid.benchmarks.table;

import com.sun.management.OperatingSystemMXBean;
import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.benchmarks.work.FmaPeak;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.ReadBandwidth;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;

/** What a table was measured on. */
final class MachineFacts {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");
  private static final double GIB = 1L << 30;
  private static final double GIGA = 1e9;
  private static final int READINGS = 5;
  private static final long READ_BYTES = 512L << 20;

  private MachineFacts() {}

  /**
   * Returns names and values, in the order of the page.
   *
   * @param threads of the engines
   */
  static Map<String, String> of(int threads) {
    Map<String, String> facts = new LinkedHashMap<>();
    BuildInfo build = BuildInfo.current();
    facts.put("Resid", build.version() + ", commit " + build.commit());
    facts.put(
        "Processor",
        cpu("model name", "unknown")
            + ", "
            + Runtime.getRuntime().availableProcessors()
            + " processors");
    facts.put(
        "System",
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch")
            + memory());
    facts.put("Java", Runtime.version() + ", " + System.getProperty("java.vendor"));
    try (Backend backend =
        Backends.named("vector", BackendOptions.defaults().withThreads(threads))) {
      facts.put("Backend", backend.description());
    }
    double flop = 0;
    double bytes = 0;
    ReadBandwidth bandwidth = new ReadBandwidth(READ_BYTES, threads);
    for (int i = 0; i < READINGS; i++) {
      flop = Math.max(flop, FmaPeak.flopPerSecond(threads));
      bytes = Math.max(bytes, bandwidth.bytesPerSecond());
    }
    facts.put(
        "Limits now",
        String.format(
            Locale.ROOT,
            "multiply-adds %.0f GFLOP/s, reading 512 MiB %.1f GB/s, %d threads",
            flop / GIGA,
            bytes / GIGA,
            threads));
    facts.put("Peers", peers());
    return facts;
  }

  /** Returns whether the processor has 512-bit vectors that some libraries do not expect of it. */
  static boolean hidesItsVectors() {
    return !cpu("vendor_id", "GenuineIntel").equals("GenuineIntel")
        && cpu("flags", "").contains("avx512f");
  }

  private static String peers() {
    List<String> names =
        ServiceLoader.load(Peer.class).stream().map(peer -> peer.get().name()).toList();
    return names.isEmpty()
        ? "none; the profile \"peers\" builds them: mvn -Ppeers -DskipTests package"
        : String.join(", ", names);
  }

  private static String memory() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? String.format(Locale.ROOT, ", %.0f GiB", system.getTotalMemorySize() / GIB)
        : "";
  }

  private static String cpu(String name, String otherwise) {
    try {
      return Files.readAllLines(CPUINFO).stream()
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(otherwise);
    } catch (IOException e) {
      return otherwise;
    }
  }
}

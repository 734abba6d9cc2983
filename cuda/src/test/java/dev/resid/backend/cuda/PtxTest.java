package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The PTX text in the jar is that of the sources beside it, and old drivers read it. */
@Execution(ExecutionMode.CONCURRENT)
class PtxTest {
  private static final Path RESOURCES = Path.of("src/main/resources/dev/resid/backend/cuda");
  private static final Path KERNELS = RESOURCES.resolve("kernels");

  private static String text() {
    byte[] bytes = Kernels.ptx();
    assertEquals(0, bytes[bytes.length - 1], "the driver wants a zero byte at the end");
    return new String(bytes, 0, bytes.length - 1, StandardCharsets.US_ASCII);
  }

  private static TreeSet<String> names(String text, String pattern) {
    TreeSet<String> names = new TreeSet<>();
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    while (matcher.find()) {
      names.add(matcher.group(1));
    }
    return names;
  }

  private static List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.list(KERNELS)) {
      return files.sorted().toList();
    }
  }

  @Test
  void theDigestOfTheSourcesIsInTheText() throws IOException, NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (Path source : sources()) {
      digest.update(Files.readAllBytes(source));
    }
    assertEquals(
        "// Sources: " + HexFormat.of().formatHex(digest.digest()),
        text().lines().skip(1).findFirst().orElseThrow(),
        "the kernels changed: run cuda/scripts/ptx.sh");
  }

  @Test
  void itIsForOldDriversAndDevices() {
    assertTrue(text().contains("\n.version 7.0\n"), "PTX ISA");
    assertTrue(text().contains("\n.target sm_75\n"), "target");
  }

  @Test
  void everyKernelIsThereAndEveryLaunchNamesOne() throws IOException {
    TreeSet<String> kernels = new TreeSet<>();
    for (Path source : sources()) {
      kernels.addAll(names(Files.readString(source), "(?m)^RESID_KERNEL (\\w+)"));
    }
    assertEquals(kernels, names(text(), "\\.visible \\.entry (\\w+)\\("));
    TreeSet<String> launched = new TreeSet<>();
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/resid/backend/cuda"))) {
      for (Path file : files.toList()) {
        launched.addAll(names(Files.readString(file), "\"(resid_\\w+)\""));
      }
    }
    assertEquals(kernels, launched);
  }

  /**
   * What the compiler says of a kernel.
   *
   * @param target architecture
   * @param name of the kernel
   * @param local bytes of stack, and of registers that did not fit
   * @param registers of a thread
   * @param shared bytes of shared memory of fixed size
   */
  private record Resources(String target, String name, int local, int registers, int shared) {
    private static final Pattern ENTRY =
        Pattern.compile(
            "(sm_\\d+): ptxas info +: Compiling entry function '(\\w+)'.*\n"
                + ".*Function properties.*\n"
                + ".* (\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill.*\n"
                + ".*Used (\\d+) registers(?:.* (\\d+) bytes smem)?.*");

    static List<Resources> in(String said) {
      return ENTRY
          .matcher(said)
          .results()
          .map(
              m ->
                  new Resources(
                      m.group(1),
                      m.group(2),
                      Integer.parseInt(m.group(3))
                          + Integer.parseInt(m.group(4))
                          + Integer.parseInt(m.group(5)),
                      Integer.parseInt(m.group(6)),
                      m.group(7) == null ? 0 : Integer.parseInt(m.group(7))))
          .toList();
    }

    /** Whether a block of 256 threads has what it needs, 48 KiB of shared memory at most. */
    void requireLaunchable() {
      assertEquals(0, local, () -> "in memory of the thread's own: " + this);
      // Registers are given to a warp in units of 256.
      assertTrue((registers + 7) / 8 * 8 * Kernels.THREADS <= 65_536, this::toString);
      // The host asks for up to 48 KiB more where the size is that of a call.
      assertTrue(shared <= (SIZED_BY_THE_CALL.contains(name) ? 0 : 48 * 1024), this::toString);
    }
  }

  private static final Set<String> SIZED_BY_THE_CALL =
      Set.of(
          "resid_attention", "resid_attention_backward_queries", "resid_attention_backward_keys");

  @Test
  void nvccMakesTheSameTextOfTheSourcesWhichEveryGpuCanLaunch(@TempDir Path folder)
      throws IOException {
    assumeTrue(Programs.isThere("nvcc"), "there is no nvcc");
    String compiler = compiler(text());
    Path out = folder.resolve("resid.ptx");
    List<Resources> found = Resources.in(Programs.run(List.of("scripts/ptx.sh", out.toString())));
    if (Programs.isThere("ptxas")) {
      int kernels = names(text(), "\\.visible \\.entry (\\w+)\\(").size();
      assertEquals(4 * kernels, found.size(), "kernels for four architectures");
      found.forEach(Resources::requireLaunchable);
    }
    String made = Files.readString(out);
    // Another nvcc writes another text of the same meaning.
    assumeTrue(compiler.equals(compiler(made)), "nvcc here is not " + compiler);
    assertEquals(made, text());
  }

  private static String compiler(String text) {
    return text.lines().filter(l -> l.contains("Cuda compilation tools")).findFirst().orElseThrow();
  }
}

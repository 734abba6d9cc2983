package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.io.DType;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Loading needs less than 1.3 times the memory of the float32 weights: it works in a JVM that has
 * no more, and holding the weights twice does not. The model has GPT-2 small's proportions, its
 * embedding nearly a third of all.
 */
class LoadingMemoryTest {
  private static final Gpt2Config CONFIG = Gpt2Config.of(6, 8, 512, 16_000, 256);
  private static final double LIMIT = 1.3;

  /**
   * What the JVM takes for classes and compiled code after its start: 27 MB measured. Keeping the
   * file's pages, 110 MB, goes over the sum.
   */
  private static final long COMPILER_BYTES = 50_000_000;

  @TempDir static Path temporary;

  private static long limitBytes() {
    return (long) (LIMIT * 4 * CONFIG.parameters());
  }

  @BeforeAll
  static void write() throws IOException {
    Gpt2Weights weights = new Gpt2Weights(CONFIG, WeightsState.RAW, LoadingMemoryTest::weight);
    for (DType dtype : new DType[] {DType.F32, DType.F16}) {
      Gpt2Checkpoint.save(weights, dtype, temporary.resolve(dtype.name()));
    }
  }

  /** Cheap numbers of about the usual size; a rounding to 11 bits loses nothing. */
  private static Tensor weight(Weight weight) {
    Shape shape = weight.name().shape(CONFIG);
    float[] values = new float[Math.toIntExact(shape.elements())];
    int state = weight.hashCode();
    for (int i = 0; i < values.length; i++) {
      state = state * 1_664_525 + 1_013_904_223;
      values[i] = (state >> 24) * 0x1p-11f;
    }
    return Tensor.wrap(shape, values);
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void loadingWorksInLittleMoreThanTheWeightsNeed(String backend) throws Exception {
    Child child = Child.run(backend, "F32", 1);
    assertEquals(0, child.exit, child.output);
    assertTrue(child.output.contains("loaded 1"), child.output);
    // The process has the file's pages too while it reads them; it must let them go. On a machine
    // that does not say, the peak is 0.
    assertTrue(child.grewByBytes() < limitBytes() + COMPILER_BYTES, child.output);
  }

  @Test
  void narrowFilesLoadInAsLittle() throws Exception {
    Child child = Child.run("vector", "F16", 1);
    assertEquals(0, child.exit, child.output);
    assertTrue(child.grewByBytes() < limitBytes() + COMPILER_BYTES, child.output);
  }

  /** The limit is one that a loader which keeps two copies breaks. */
  @Test
  void theWeightsDoNotFitTwice() throws Exception {
    Child child = Child.run("scalar", "F32", 2);
    assertTrue(child.exit != 0, child.output);
    assertTrue(child.output.contains("loaded 1"), child.output);
    assertTrue(child.output.contains("OutOfMemoryError"), child.output);
  }

  /** What a JVM with little memory did. */
  private record Child(int exit, String output) {
    static Child run(String backend, String folder, int times) throws Exception {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      // All but 4 MB for what lives long; files are mapped, not on the heap.
      command.addAll(List.of("-Xmx" + limitBytes(), "-Xmn4m", "-XX:+UseSerialGC"));
      // The vector backend keeps packed weights outside the heap; what the process grew by is then
      // what shows that they are not held twice.
      String direct = backend.equals("vector") ? String.valueOf(limitBytes()) : "1m";
      command.addAll(List.of("-XX:MaxDirectMemorySize=" + direct, "-XX:TieredStopAtLevel=1"));
      command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
      command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", classPath()));
      command.addAll(List.of(Loading.class.getName(), backend));
      command.addAll(List.of(temporary.resolve(folder).toString(), String.valueOf(times)));
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Child(process.waitFor(), output);
    }

    /** Returns by how much the process's peak is above what it had before loading. */
    long grewByBytes() {
      List<Long> peaks =
          output
              .lines()
              .filter(line -> line.startsWith("peak "))
              .map(line -> Long.parseLong(line.substring(5)))
              .toList();
      return peaks.getLast() - peaks.getFirst();
    }

    private static String classPath() {
      return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }
  }

  /** Loads a model several times and keeps them all. */
  static final class Loading {
    private Loading() {}

    /**
     * Loads.
     *
     * @param args backend, folder, how often
     */
    public static void main(String[] args) throws IOException {
      List<Gpt2> models = new ArrayList<>();
      try (Backend backend = Backends.named(args[0])) {
        System.out.println("peak " + peakBytes());
        for (int i = 1; i <= Integer.parseInt(args[2]); i++) {
          models.add(Gpt2.load(Path.of(args[1]), backend));
          System.out.println("loaded " + i);
          System.out.println("peak " + peakBytes());
        }
        float logit = models.getLast().forward(TokenBatch.of(new int[] {1})).logits().get(0, 0, 0);
        if (!Float.isFinite(logit)) {
          throw new IllegalStateException("the logits are " + logit);
        }
      }
      System.exit(0);
    }

    /** Returns the most memory this process had at any time, 0 where the system does not say. */
    private static long peakBytes() throws IOException {
      Path status = Path.of("/proc/self/status");
      if (!Files.exists(status)) {
        return 0;
      }
      return Files.readAllLines(status).stream()
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
          .findFirst()
          .orElse(0);
    }
  }
}

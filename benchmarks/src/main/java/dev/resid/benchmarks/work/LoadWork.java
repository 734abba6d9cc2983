package dev.resid.benchmarks.work;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * From starting a JVM to the logits of eight tokens, of a model in a safetensors file that the
 * system has in memory already; and the process's peak memory.
 */
public final class LoadWork implements Workload {
  private static final int TOKENS = 8;

  private final Gpt2Weights weights;
  private final int[] tokens;
  private final Path folder;
  private final Ours ours;

  /**
   * Writes the model to a temporary folder.
   *
   * @param weights of the model
   * @param threads of the backend
   */
  public LoadWork(Gpt2Weights weights, int threads) {
    this.weights = weights;
    this.tokens = GeneratedModel.tokens(weights.config(), 1, TOKENS).row(0);
    try {
      folder = Files.createTempDirectory("resid-bench");
      GeneratedModel.write(weights, folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write a model to load", e);
    }
    ours = new Ours(threads);
  }

  @Override
  public String name() {
    Gpt2Config config = weights.config();
    return "JVM start to logits, " + config.nLayers() + " blocks of " + config.dModel();
  }

  @Override
  public Bound bound() {
    return Bound.NONE;
  }

  @Override
  public double amount() {
    return 1;
  }

  @Override
  public Ours ours() {
    return ours;
  }

  @Override
  public float[] expected() {
    try (Backend reference = Backends.named("scalar")) {
      Tensor logits = Gpt2.of(weights, reference).forward(TokenBatch.of(tokens)).logits();
      float[] last = logits.slice(Axis.POS, TOKENS - 1, TOKENS).toArray();
      return Arrays.copyOf(last, FirstLogits.PRINTED);
    }
  }

  @Override
  public double tolerance() {
    return 2e-5;
  }

  @Override
  public void close() {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + folder, e);
    }
  }

  /** By a JVM with the options of {@code ./resid run}. */
  public final class Ours implements Engine {
    private final int threads;
    private List<String> printed = List.of();

    private Ours(int threads) {
      this.threads = threads;
    }

    @Override
    public String name() {
      return "resid";
    }

    @Override
    public void run() {
      List<String> arguments =
          new ArrayList<>(List.of(folder.toString(), Integer.toString(threads)));
      Arrays.stream(tokens).mapToObj(Integer::toString).forEach(arguments::add);
      printed =
          Jvm.run(
              List.of("-XX:MaxRAMPercentage=70", Jvm.HEAP_TO_LOAD), FirstLogits.class, arguments);
    }

    @Override
    public float[] sample() {
      String[] words = line("logits ").split(" ");
      float[] numbers = new float[words.length];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = Float.parseFloat(words[i]);
      }
      return numbers;
    }

    /** Returns the process's peak memory divided by the bytes of the weights; NaN if unknown. */
    public double peakOverWeights() {
      long bytes = Long.parseLong(line("peak "));
      return bytes < 0
          ? Double.NaN
          : (double) bytes / (Float.BYTES * weights.config().parameters());
    }

    @Override
    public String note() {
      return String.format(Locale.ROOT, "peak memory %.2f times the weights", peakOverWeights());
    }

    private String line(String start) {
      return printed.stream()
          .filter(line -> line.startsWith(start))
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("the JVM printed " + printed))
          .substring(start.length());
    }
  }
}

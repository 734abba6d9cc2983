package dev.resid.experiments.plateau;

import dev.resid.experiments.direction.Covariance;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.experiments.sweep.Moments;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hook.HookPoint;
import dev.resid.io.ReadFailure;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The first walk over the prompts: the activation of every prompt's last position at the perturbed
 * point, and of the first prompts after the last block too, in two files that only grow. What a
 * killed process left behind is gone on with from the last whole vector.
 */
final class PromptPass {
  private static final String PERTURBED = "prompts.f32";
  private static final String READ = "read.f32";
  private static final int ROWS_PER_BLOCK = 256;

  /** Prompts whose final activations are compared, for the scale of what is read. */
  private static final int READ_PROMPTS = 512;

  private static final int PAIRS = 10_000;

  /** Vectors that enter the covariance at a time; part of its order of summation. */
  private static final int CHUNK = 64;

  private final Gpt2 gpt2;
  private final TokenBatch tokens;
  private final HookPoint point;
  private final CounterRandom random;
  private final Path perturbedFile;
  private final Path readFile;
  private final int d;

  PromptPass(Gpt2 gpt2, PlateauOptions options, RunFolder folder) {
    this.gpt2 = gpt2;
    this.tokens = options.tokens();
    // The same tensor as resid_pre of this block, for which that block itself would be run too.
    this.point =
        options.layer() == 0 ? HookPoint.residPre(0) : HookPoint.residPost(options.layer() - 1);
    this.random = new CounterRandom(options.seed());
    this.perturbedFile = folder.work(PERTURBED);
    this.readFile = folder.work(READ);
    this.d = gpt2.config().dModel();
  }

  /** Returns how many prompts go through all blocks for the scale of what is read. */
  static int readPrompts(PlateauOptions options) {
    return Math.min(options.tokens().rows(), READ_PROMPTS);
  }

  /**
   * What the walk found.
   *
   * @param activations [prompt][d_model] at the perturbed point
   * @param covariance of them
   * @param statistics the numbers for scales and report
   */
  record Found(float[][] activations, Covariance covariance, PromptStatistics statistics) {}

  /**
   * Computes what is missing and returns the whole.
   *
   * @throws IOException if a file cannot be read or written
   */
  Found run(Progress progress, Workers workers) throws IOException {
    HookPoint last = HookPoint.residPost(gpt2.config().nLayers() - 1);
    int readRows = Math.min(tokens.rows(), READ_PROMPTS);
    collect(perturbedFile, point, tokens.rows(), progress, "activations");
    collect(readFile, last, readRows, progress, "final activations");
    float[][] activations = read(perturbedFile, tokens.rows());
    Covariance covariance = new Covariance(d);
    double[] norms = new double[activations.length];
    float[] chunk = new float[CHUNK * d];
    for (int from = 0; from < activations.length; from += CHUNK) {
      int n = Math.min(CHUNK, activations.length - from);
      for (int r = 0; r < n; r++) {
        System.arraycopy(activations[from + r], 0, chunk, r * d, d);
        norms[from + r] = norm(activations[from + r], from + r);
      }
      covariance.add(chunk, 0, n, workers);
    }
    PromptStatistics statistics =
        new PromptStatistics(
            activations.length,
            Moments.of(norms).mean(),
            meanDistance(activations, 0),
            meanDistance(read(readFile, readRows), PAIRS),
            covariance.trace(),
            0);
    return new Found(activations, covariance, statistics);
  }

  private double norm(float[] vector, int row) {
    double norm = Regime.distance(new float[d], vector);
    if (!Double.isFinite(norm)) {
      throw new IllegalStateException(
          "the activation at "
              + point
              + ", prompt "
              + row
              + ", is not finite; the model's weights are damaged");
    }
    return norm;
  }

  private double meanDistance(float[][] vectors, int firstPair) {
    double[] sample = new double[PAIRS];
    for (int pair = 0; pair < PAIRS; pair++) {
      long stream = DrawKeys.PLATEAU_DISTANCES.stream(firstPair + pair);
      int one = random.below(vectors.length, stream, 0, 0);
      int other = random.below(vectors.length - 1, stream, 0, 1);
      sample[pair] = Regime.distance(vectors[one], vectors[other < one ? other : other + 1]);
    }
    return Moments.of(sample).mean();
  }

  private void collect(Path file, HookPoint at, int rows, Progress progress, String name)
      throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long vector = (long) d * Float.BYTES;
      int done = (int) Math.min(rows, channel.size() / vector);
      if (done == rows) {
        return;
      }
      channel.truncate(done * vector);
      channel.position(done * vector);
      try (Progress.Task task = progress.begin(name, "prompts", done, rows)) {
        while (done < rows) {
          int end = Math.min(rows, done + ROWS_PER_BLOCK);
          channelWrite(channel, lastPositions(tokens.slice(done, end), at));
          channel.force(false);
          done = end;
          task.advanceTo(done);
        }
      }
    }
  }

  private Tensor lastPositions(TokenBatch part, HookPoint at) {
    Tensor all = gpt2.capture(part, at.capture()).get(at);
    return all.at(Axis.POS, part.maxLength() - 1);
  }

  private static void channelWrite(FileChannel channel, Tensor vectors) throws IOException {
    float[] values = vectors.toArray();
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private float[][] read(Path file, int rows) throws IOException {
    float[][] vectors = new float[rows][d];
    ByteBuffer bytes = ByteBuffer.allocate(d * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (float[] vector : vectors) {
        bytes.clear();
        while (bytes.hasRemaining()) {
          if (channel.read(bytes) < 0) {
            throw new IOException(file + ": ended at byte " + channel.position());
          }
        }
        bytes.flip().asFloatBuffer().get(vector);
      }
    } catch (IOException e) {
      throw ReadFailure.of(file, e);
    }
    return vectors;
  }

  /** Removes the activations, which a finished run does not need any more. */
  void discard() throws IOException {
    Files.deleteIfExists(perturbedFile);
    Files.deleteIfExists(readFile);
  }
}

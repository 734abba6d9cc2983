package dev.resid.sae.train;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.TextCorpus;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Activations of a model on a corpus, shuffled: a buffer holds those of a number of rows, in an
 * order drawn for it, and the next one follows when it is used up. Activation i of the stream
 * depends on the seed and i only, so reading can go on anywhere.
 */
public final class ActivationStream implements Closeable {
  private static final int ORDER_OF_ROWS = 2;
  private static final int POSITIONS_PER_PASS = 1024;

  private final Gpt2 gpt2;
  private final TextCorpus corpus;
  private final HookPoint point;
  private final int bufferRows;
  private final int rowLength;
  private final long seed;
  private final int width;
  private final ActivationBuffer buffer;
  private int[] order = new int[0];
  private long held = -1;

  private ActivationStream(
      Gpt2 gpt2, TextCorpus corpus, SaeTrainingPlan plan, ActivationBuffer buffer) {
    this.gpt2 = gpt2;
    this.corpus = corpus;
    this.point = plan.point();
    this.bufferRows = plan.bufferRows();
    this.rowLength = plan.rowLength();
    this.seed = plan.seed();
    this.width = gpt2.config().dModel();
    this.buffer = buffer;
  }

  /**
   * Returns the stream of a plan. Nothing is computed before the first activation is asked for.
   *
   * @param gpt2 the model
   * @param corpus its text
   * @param plan says the point, the rows of the buffer and their length, and the seed
   * @param dir where a buffer above 1 GiB lies as a temporary file; made if needed
   * @throws IOException if that file cannot be made
   */
  public static ActivationStream of(Gpt2 gpt2, TextCorpus corpus, SaeTrainingPlan plan, Path dir)
      throws IOException {
    return of(gpt2, corpus, plan, dir, ActivationBuffer.MEMORY_NUMBERS);
  }

  /** As the public method, with the largest buffer in memory stated, in numbers. */
  static ActivationStream of(
      Gpt2 gpt2, TextCorpus corpus, SaeTrainingPlan plan, Path dir, long memoryNumbers)
      throws IOException {
    long numbers = (long) plan.bufferRows() * plan.rowLength() * gpt2.config().dModel();
    return new ActivationStream(
        gpt2, corpus, plan, ActivationBuffer.of(numbers, memoryNumbers, dir));
  }

  /** Returns the bytes the buffer takes. */
  public long bufferBytes() {
    return (long) bufferRows * rowLength * width * Float.BYTES;
  }

  /**
   * Returns a stretch of the stream, [row, d_model].
   *
   * @param first number of the first activation, from 0
   * @param count activations
   * @throws IOException if the file of a buffer above 1 GiB cannot be written or read
   */
  public Tensor read(long first, int count) throws IOException {
    float[] out = new float[Math.multiplyExact(count, width)];
    int perBuffer = bufferRows * rowLength;
    for (int i = 0; i < count; i++) {
      long index = first + i;
      fill(index / perBuffer);
      int from = order[(int) (index % perBuffer)];
      buffer.read((long) from * width, out, i * width, width);
    }
    return Tensor.wrap(Shape.of(Axis.ROW, count, Axis.D_MODEL, width), out);
  }

  private void fill(long number) throws IOException {
    if (number == held) {
      return;
    }
    held = -1;
    TokenBatch all = corpus.batch(number, bufferRows, rowLength, seed);
    int perPass = Math.max(1, POSITIONS_PER_PASS / rowLength);
    for (int row = 0; row < bufferRows; row += perPass) {
      TokenBatch rows = all.slice(row, Math.min(bufferRows, row + perPass));
      Tensor values = gpt2.capture(rows, point.capture()).get(point);
      float[] part = values.toArray();
      buffer.write((long) row * rowLength * width, part);
    }
    order = new CounterRandom(seed).permutation(bufferRows * rowLength, number, ORDER_OF_ROWS);
    held = number;
  }

  /** Removes the file of a buffer above 1 GiB. */
  @Override
  public void close() throws IOException {
    buffer.close();
  }
}

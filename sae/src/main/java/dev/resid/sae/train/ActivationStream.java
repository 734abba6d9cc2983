package dev.resid.sae.train;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.TextCorpus;

/**
 * Activations of a model on a corpus, shuffled: a buffer holds those of a number of rows, in an
 * order drawn for it, and the next one follows when it is used up. Activation i of the stream
 * depends on the seed and i only, so reading can go on anywhere.
 */
public final class ActivationStream {
  private static final int ORDER_OF_ROWS = 2;
  private static final int POSITIONS_PER_PASS = 1024;

  private final Gpt2 gpt2;
  private final TextCorpus corpus;
  private final HookPoint point;
  private final int bufferRows;
  private final int rowLength;
  private final long seed;
  private final int width;
  private final float[] buffer;
  private int[] order = new int[0];
  private long held = -1;

  private ActivationStream(
      Gpt2 gpt2,
      TextCorpus corpus,
      HookPoint point,
      int bufferRows,
      int rowLength,
      long seed,
      int width) {
    this.gpt2 = gpt2;
    this.corpus = corpus;
    this.point = point;
    this.bufferRows = bufferRows;
    this.rowLength = rowLength;
    this.seed = seed;
    this.width = width;
    this.buffer = new float[Math.multiplyExact(Math.multiplyExact(bufferRows, rowLength), width)];
  }

  /**
   * Returns the stream of a plan. Nothing is computed before the first activation is asked for.
   *
   * @param gpt2 the model
   * @param corpus its text
   * @param plan says the point, the rows of the buffer and their length, and the seed
   */
  public static ActivationStream of(Gpt2 gpt2, TextCorpus corpus, SaeTrainingPlan plan) {
    return new ActivationStream(
        gpt2,
        corpus,
        plan.point(),
        plan.bufferRows(),
        plan.rowLength(),
        plan.seed(),
        gpt2.config().dModel());
  }

  /** Returns the bytes the buffer takes. */
  public long bufferBytes() {
    return (long) buffer.length * Float.BYTES;
  }

  /**
   * Returns a stretch of the stream, [row, d_model].
   *
   * @param first number of the first activation, from 0
   * @param count activations
   */
  public Tensor read(long first, int count) {
    float[] out = new float[Math.multiplyExact(count, width)];
    int perBuffer = bufferRows * rowLength;
    for (int i = 0; i < count; i++) {
      long index = first + i;
      fill(index / perBuffer);
      int from = order[(int) (index % perBuffer)];
      System.arraycopy(buffer, from * width, out, i * width, width);
    }
    return Tensor.wrap(Shape.of(Axis.ROW, count, Axis.D_MODEL, width), out);
  }

  private void fill(long number) {
    if (number == held) {
      return;
    }
    TokenBatch all = corpus.batch(number, bufferRows, rowLength, seed);
    int perPass = Math.max(1, POSITIONS_PER_PASS / rowLength);
    for (int row = 0; row < bufferRows; row += perPass) {
      TokenBatch rows = all.slice(row, Math.min(bufferRows, row + perPass));
      Tensor values = gpt2.capture(rows, point.capture()).get(point);
      float[] part = values.toArray();
      System.arraycopy(part, 0, buffer, row * rowLength * width, part.length);
    }
    order = new CounterRandom(seed).permutation(bufferRows * rowLength, number, ORDER_OF_ROWS);
    held = number;
  }
}

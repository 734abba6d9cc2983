package dev.resid.analysis;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Activation patching: a run on corrupted tokens in which one activation has its value from a run
 * on clean tokens, and how far that brings a readout or a metric back. The corrupted run is
 * computed once a point; every patch continues it from there, from the patched position on, several
 * patches as one batch.
 *
 * @source Meng et al. 2022, "Locating and Editing Factual Associations in GPT", causal tracing; the
 *     sweeps over layers, positions and heads follow TransformerLens 2.16.1, {@code
 *     transformer_lens.patching}
 */
public final class ActivationPatching {
  private final Gpt2 gpt2;
  private final TokenBatch corrupted;
  private final ActivationCache clean;
  private final Reader reader;
  private final int copiesAtOnce;

  /** One number for each row, of the final layer norm's output at its last position. */
  @FunctionalInterface
  private interface Reader {
    /** Returns the numbers for [batch, pos=1, d_model]. */
    double[] read(Tensor last);
  }

  /**
   * Prepares patches that are judged by a readout.
   *
   * @param gpt2 the model
   * @param corrupted rows that are patched
   * @param clean activations of the clean rows at the points to be patched, of equal lengths
   * @param readout read at the last position of each row, with as many rows
   * @param copiesAtOnce patches that are continued as one batch, at least 1; it changes no bit of a
   *     result
   * @throws IllegalArgumentException if the number of rows differs, or copiesAtOnce is below 1
   */
  public ActivationPatching(
      Gpt2 gpt2,
      TokenBatch corrupted,
      ActivationCache clean,
      LogitReadout readout,
      int copiesAtOnce) {
    this(gpt2, corrupted, clean, last -> read(last, readout), copiesAtOnce);
    readout.requireRows(corrupted);
  }

  /**
   * Prepares patches that are judged by a metric of the logits.
   *
   * @param gpt2 the model
   * @param corrupted rows that are patched
   * @param clean activations of the clean rows at the points to be patched, of equal lengths
   * @param metric called with the logits at the last position of each row
   * @param copiesAtOnce patches that are continued as one batch, at least 1; it changes no bit of a
   *     result
   * @throws IllegalArgumentException if copiesAtOnce is below 1
   */
  public ActivationPatching(
      Gpt2 gpt2,
      TokenBatch corrupted,
      ActivationCache clean,
      LogitsMetric metric,
      int copiesAtOnce) {
    this(gpt2, corrupted, clean, last -> read(gpt2.unembed(last), metric), copiesAtOnce);
  }

  private ActivationPatching(
      Gpt2 gpt2, TokenBatch corrupted, ActivationCache clean, Reader reader, int copiesAtOnce) {
    if (copiesAtOnce < 1) {
      throw new IllegalArgumentException(
          "copiesAtOnce is " + copiesAtOnce + ", must be at least 1");
    }
    this.gpt2 = gpt2;
    this.corrupted = corrupted;
    this.clean = clean;
    this.reader = reader;
    this.copiesAtOnce = copiesAtOnce;
  }

  private static double[] read(Tensor last, LogitReadout readout) {
    double[] values = new double[readout.rows()];
    for (int row = 0; row < values.length; row++) {
      values[row] = readout.at(last, row, 0);
    }
    return values;
  }

  private static double[] read(Tensor logits, LogitsMetric metric) {
    double[] values = new double[logits.shape().size(Axis.BATCH)];
    for (int row = 0; row < values.length; row++) {
      values[row] = metric.of(row, logits.at(Axis.BATCH, row).toArray());
    }
    return values;
  }

  /**
   * What is patched at a point.
   *
   * @param position which position; −1 for all
   * @param head which head; −1 for all, and at a site without heads
   */
  public record Patch(int position, int head) {
    /** Returns the patch of all heads at one position. */
    public static Patch at(int position) {
      return new Patch(position, -1);
    }

    /** Returns the patch of one head at all positions. */
    public static Patch ofHead(int head) {
      return new Patch(-1, head);
    }
  }

  /** Returns one patch for each position of the longest row. */
  public static List<Patch> everyPosition(TokenBatch tokens) {
    List<Patch> patches = new ArrayList<>();
    for (int pos = 0; pos < tokens.maxLength(); pos++) {
      patches.add(Patch.at(pos));
    }
    return patches;
  }

  /** Returns one patch for each position of the longest row and each head, heads together. */
  public static List<Patch> everyPositionAndHead(TokenBatch tokens, int nHeads) {
    List<Patch> patches = new ArrayList<>();
    for (int pos = 0; pos < tokens.maxLength(); pos++) {
      for (int head = 0; head < nHeads; head++) {
        patches.add(new Patch(pos, head));
      }
    }
    return patches;
  }

  /** Returns one patch for each head, at all positions. */
  public static List<Patch> everyHead(int nHeads) {
    List<Patch> patches = new ArrayList<>();
    for (int head = 0; head < nHeads; head++) {
      patches.add(Patch.ofHead(head));
    }
    return patches;
  }

  /**
   * Returns the readout or metric of every row after each patch, [patch][row]. Neighbours in the
   * list are computed together, from the earliest of their positions on, so it should be ordered by
   * position.
   *
   * @param point where: a site of the stream, attn_out, mlp_out or z
   * @param patches what is replaced there
   * @param progress told how many patches are done
   * @throws IllegalArgumentException if a run cannot be continued at the point, the clean
   *     activation has another shape, or a patch names a position or head that does not exist
   */
  public double[][] run(HookPoint point, List<Patch> patches, IntConsumer progress) {
    double[][] results = new double[patches.size()][];
    try (BaseRun base = gpt2.baseRun(corrupted, point, LogitReadout.POINT)) {
      Tensor donor = clean.get(point);
      if (!donor.shape().equals(base.activation().shape())) {
        throw new IllegalArgumentException(
            "the clean activation at "
                + point
                + " is "
                + donor.shape()
                + ", the corrupted one "
                + base.activation().shape()
                + "; patching needs rows of equal lengths");
      }
      for (int from = 0; from < patches.size(); from += copiesAtOnce) {
        List<Patch> some = patches.subList(from, Math.min(patches.size(), from + copiesAtOnce));
        Tensor changed = patched(base.activation(), donor, some);
        Continuation continuation = base.continueWith(changed, LogitReadout.POINT);
        for (int i = 0; i < some.size(); i++) {
          results[from + i] = reader.read(last(base, continuation, i));
        }
        progress.accept(from + some.size());
      }
    }
    return results;
  }

  /** Returns what a copy's rows have at their last positions, [batch, pos=1, d_model]. */
  private Tensor last(BaseRun base, Continuation continuation, int copy) {
    Tensor changed = continuation.cache().get(LogitReadout.POINT);
    Tensor unchanged = base.cache().get(LogitReadout.POINT);
    int first = continuation.firstPosition();
    int rows = corrupted.rows();
    int width = unchanged.shape().last();
    float[] values = new float[rows * width];
    for (int row = 0; row < rows; row++) {
      int last = corrupted.length(row) - 1;
      float[] x =
          last < first
              ? LogitReadout.position(unchanged, row, last, width)
              : LogitReadout.position(changed, copy * rows + row, last - first, width);
      System.arraycopy(x, 0, values, row * width, width);
    }
    return Tensor.wrap(Shape.of(Axis.BATCH, rows, Axis.POS, 1, Axis.D_MODEL, width), values);
  }

  /** Returns one copy of the activation for each patch, [n·batch, pos, ...]. */
  private static Tensor patched(Tensor activation, Tensor donor, List<Patch> patches) {
    Shape shape = activation.shape();
    int batch = shape.size(Axis.BATCH);
    int positions = shape.size(Axis.POS);
    int heads = shape.has(Axis.HEAD) ? shape.size(Axis.HEAD) : 1;
    float[] from = donor.toArray();
    float[] one = activation.toArray();
    int width = one.length / (batch * positions * heads);
    float[] all = new float[Math.multiplyExact(one.length, patches.size())];
    for (int i = 0; i < patches.size(); i++) {
      Patch patch = patches.get(i);
      require(patch, positions, heads);
      System.arraycopy(one, 0, all, i * one.length, one.length);
      for (int cell = 0; cell < batch * positions * heads; cell++) {
        int head = cell % heads;
        int pos = cell / heads % positions;
        boolean here =
            (patch.position < 0 || patch.position == pos) && (patch.head < 0 || patch.head == head);
        if (here) {
          System.arraycopy(from, cell * width, all, i * one.length + cell * width, width);
        }
      }
    }
    return Tensor.wrap(shape.with(Axis.BATCH, batch * patches.size()), all);
  }

  private static void require(Patch patch, int positions, int heads) {
    if (patch.position >= positions || patch.head >= heads) {
      throw new IllegalArgumentException(
          patch + " is outside " + positions + " positions and " + heads + " heads");
    }
  }
}

package dev.resid.model;

import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The numbers do not depend on threads, batches or repetition. The model is large enough that its
 * kernels are split: 48 wide, 700 tokens, rows of up to 40.
 */
class SameBitsTest extends OnEachCpuBackend {
  private static final int ROWS = 7;

  private final ModelCase model = ModelCase.of(77, Gpt2Config.of(2, 3, 48, 700, 40));
  private final TokenBatch tokens = rows();

  private TokenBatch rows() {
    int[][] rows = new int[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      rows[row] = model.row(40 - 5 * row);
    }
    return TokenBatch.of(rows);
  }

  /** Everything a run can give: logits, activations, reductions and gradients. */
  private Map<String, Tensor> everything(Backend backend) {
    Gpt2 gpt2 = model.on(backend);
    Map<String, Tensor> all = new TreeMap<>();
    ForwardResult run =
        gpt2.forward(
            tokens, HookPoint.all(2).stream().map(HookPoint::capture).toArray(Capture[]::new));
    all.put("logits", run.logits());
    run.cache().points().forEach(point -> all.put(point.name(), run.cache().get(point)));
    HookPoint point = HookPoint.residPre(1);
    HookPoint last = HookPoint.residPost(1);
    try (BaseRun base = gpt2.baseRun(tokens, point)) {
      Continuation changed = base.continueWith(base.activation().times(1.25));
      for (int row = 0; row < ROWS; row++) {
        all.put("KL " + row, bits(changed.klNats().row(row)));
        all.put("L2 " + row, bits(changed.l2At(last).row(row)));
        all.put("cross-entropy " + row, bits(changed.crossEntropyNats().row(row)));
      }
    }
    try (Tape tape = gpt2.record(tokens)) {
      Gradients gradients = tape.backward(Wanted.weightGradients().and(point), Seed.crossEntropy());
      gradients.weights().forEach(w -> all.put("gradient of " + w, gradients.weight(w)));
      all.put("gradient at " + point, gradients.activation(point));
    }
    // On the host, so that they outlive their backend.
    all.replaceAll((name, tensor) -> Tensor.wrap(tensor.shape(), tensor.toArray()));
    return new HashMap<>(all);
  }

  /** Returns float64 values as triples of floats that hold all their bits, 22 at a time. */
  private static Tensor bits(double[] values) {
    float[] parts = new float[3 * values.length];
    for (int i = 0; i < parts.length; i++) {
      long bits = Double.doubleToRawLongBits(values[i / 3]);
      parts[i] = bits >>> 22 * (i % 3) & 0x3FFFFF;
    }
    return Tensor.wrap(Reference.numbers(parts.length), parts);
  }

  @Test
  void anyNumberOfThreadsGivesTheSameBits() {
    Map<String, Tensor> expected;
    try (Backend one = open(1)) {
      expected = everything(one);
    }
    for (int threads = 2; threads <= 5; threads++) {
      try (Backend several = open(threads)) {
        Map<String, Tensor> actual = everything(several);
        for (Map.Entry<String, Tensor> entry : expected.entrySet()) {
          check(entry.getKey() + " with " + threads + " threads", model.seed())
              .sameBits(entry.getValue(), actual.get(entry.getKey()));
        }
      }
    }
  }

  @Test
  void repetitionGivesTheSameBits() {
    Map<String, Tensor> expected = everything(backend());
    Map<String, Tensor> actual = everything(backend());
    for (Map.Entry<String, Tensor> entry : expected.entrySet()) {
      check(entry.getKey() + " once more", model.seed())
          .sameBits(entry.getValue(), actual.get(entry.getKey()));
    }
  }

  @Test
  void anySizeOfBatchGivesTheSameBits() {
    Gpt2 gpt2 = model.on(backend());
    Tensor together = gpt2.forward(tokens).logits();
    for (int size = 1; size < ROWS; size++) {
      for (int from = 0; from < ROWS; from += size) {
        TokenBatch part = tokens.slice(from, Math.min(ROWS, from + size));
        Tensor logits = gpt2.forward(part).logits();
        for (int row = 0; row < part.rows(); row++) {
          check("row " + (from + row) + " in batches of " + size, model.seed())
              .sameBits(
                  Reference.rowOf(together, from + row, part.length(row)),
                  Reference.rowOf(logits, row, part.length(row)));
        }
      }
    }
  }

  @Test
  void anyNumberOfCopiesInAContinuationGivesTheSameBits() {
    Gpt2 gpt2 = model.on(backend());
    HookPoint point = HookPoint.residPre(1);
    try (BaseRun base = gpt2.baseRun(tokens, point)) {
      Tensor[] changes = new Tensor[6];
      for (int i = 0; i < changes.length; i++) {
        changes[i] = base.activation().plus(model.noise(base.activation().shape(), 0.1 * i));
      }
      PositionValues together = base.continueWith(stack(changes, 0, changes.length)).klNats();
      for (int size = 1; size < changes.length; size++) {
        for (int from = 0; from < changes.length; from += size) {
          int to = Math.min(changes.length, from + size);
          PositionValues part = base.continueWith(stack(changes, from, to)).klNats();
          for (int row = 0; row < part.rows(); row++) {
            check("KL in parts of " + size, model.seed())
                .sameBits(
                    Reference.numbers(part.length(row)),
                    together.row(from * ROWS + row),
                    part.row(row));
          }
        }
      }
    }
  }

  /** Returns tensors one after the other along the batch axis. */
  private static Tensor stack(Tensor[] parts, int from, int to) {
    int size = Math.toIntExact(parts[0].elements());
    float[] all = new float[(to - from) * size];
    for (int i = from; i < to; i++) {
      System.arraycopy(parts[i].toArray(), 0, all, (i - from) * size, size);
    }
    int rows = parts[0].shape().size(Axis.BATCH) * (to - from);
    return Tensor.wrap(parts[0].shape().with(Axis.BATCH, rows), all);
  }
}

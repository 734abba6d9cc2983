package dev.resid.sae;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.DelegatingBackend;
import dev.resid.testing.OnEachCpuBackend;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What an SAE asks its backend for: the weights once, and never a dense array of features. */
class SparseMemoryTest extends OnEachCpuBackend {
  private static final int WIDTH = 16;
  private static final int D_SAE = 1000;
  private static final int ROWS = 40;

  /** Adds up what is allocated and packed, and remembers the largest. */
  private static final class Counting extends DelegatingBackend {
    private long bytes;
    private long largest;

    Counting(Backend inner) {
      super(inner);
    }

    private void count(long more) {
      bytes += more;
      largest = Math.max(largest, more);
    }

    @Override
    public Tensor allocate(Shape shape) {
      count(4 * shape.elements());
      return super.allocate(shape);
    }

    @Override
    public Matrix pack(Tensor w) {
      Matrix matrix = super.pack(w);
      count(matrix.bytes());
      return matrix;
    }
  }

  /** Weights with which about one feature in 400 is active. */
  private static SaeWeights weights(Backend backend) {
    float[] bias = new float[D_SAE];
    Arrays.fill(bias, -2.8f);
    return SmallSaes.of(
            SmallSaes.config(HookPoint.residPre(0), WIDTH, D_SAE),
            SmallSaes.normal(1, 0, WIDTH * D_SAE, 0.25),
            bias,
            SmallSaes.normal(1, 1, WIDTH * D_SAE, 0.25),
            new float[WIDTH],
            backend)
        .weights();
  }

  @Test
  void theWeightsAreKeptOnceAndDenseFeaturesNever() {
    Counting counting = new Counting(backend());
    SaeWeights weights = weights(backend());
    Sae sae = Sae.of(SmallSaes.config(HookPoint.residPre(0), WIDTH, D_SAE), weights, counting);
    long all = weights.tensors().values().stream().mapToLong(t -> 4 * t.elements()).sum();
    assertEquals(4L * (2 * WIDTH * D_SAE + D_SAE + WIDTH), all);
    assertTrue(counting.bytes < 1.2 * all, counting.bytes + " bytes for weights of " + all);
    counting.largest = 0;
    Tensor x =
        Tensor.wrap(
            Shape.of(Axis.ROW, ROWS, Axis.D_MODEL, WIDTH), SmallSaes.normal(2, 0, ROWS * WIDTH, 1));
    SparseFeatures features = sae.encode(x);
    sae.decode(features, x);
    assertTrue(features.count() > ROWS && features.count() < ROWS * D_SAE / 100, "sparse");
    assertTrue(features.indices().length < 2 * features.count(), "no room for dense features");
    assertTrue(counting.largest <= 4L * ROWS * WIDTH, counting.largest + " bytes at once");
    sae.preActivations(x);
    assertEquals(4L * ROWS * D_SAE, counting.largest, "dense, when asked for");
  }
}

package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.resid.random.CounterRandom;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class FeatureStorageTest {
  @Test
  void anyPieceReadsAsThatPieceOfTheDenseMatrix() {
    int width = 7;
    float[] dense = new float[11 * width];
    new CounterRandom(3).fillNormal(0, 0, dense);
    for (int i = 0; i < dense.length; i++) {
      dense[i] = Math.max(dense[i], 0);
    }
    Tensor whole = Tensor.wrap(Shape.of(Axis.ROW, 11, Axis.D_SAE, width), dense);
    Tensor lazy =
        FeatureStorage.rows(
            List.of(
                SparseFeatures.of(whole.slice(Axis.ROW, 0, 4)),
                SparseFeatures.of(whole.slice(Axis.ROW, 4, 8)),
                SparseFeatures.of(whole.slice(Axis.ROW, 8, 11))),
            width);
    for (int from = 0; from < dense.length; from++) {
      for (int length = 0; from + length <= dense.length; length++) {
        float[] read = new float[length + 2];
        Arrays.fill(read, -1);
        lazy.storage().read(from, read, 1, length);
        float[] expected = new float[length + 2];
        expected[0] = -1;
        expected[length + 1] = -1;
        System.arraycopy(dense, from, expected, 1, length);
        assertArrayEquals(expected, read, "from " + from + ", length " + length);
      }
    }
  }
}

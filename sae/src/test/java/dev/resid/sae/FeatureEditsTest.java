package dev.resid.sae;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class FeatureEditsTest {
  private static final Shape SHAPE = Shape.of(Axis.ROW, 4, Axis.D_SAE, 3);
  private static final float[] VALUES = {0, 1, 2, 3, 0, 0, 0, 0, 0, 4, 5, 6};

  private static SparseFeatures features() {
    return SparseFeatures.of(Tensor.of(SHAPE, VALUES));
  }

  private static void gives(FeatureEdit edit, float... expected) {
    SparseFeatures before = features();
    SparseFeatures after = edit.apply(before);
    assertArrayEquals(expected, after.toDense().toArray());
    assertEquals(
        SparseFeatures.of(Tensor.of(SHAPE, expected)).count(), after.count(), "no zeros are kept");
    assertArrayEquals(VALUES, before.toDense().toArray(), "the argument is as it was");
  }

  @Test
  void setGivesEveryRowTheValue() {
    gives(FeatureEdits.set(1, 9), 0, 9, 2, 3, 9, 0, 0, 9, 0, 4, 9, 6);
    gives(FeatureEdits.set(0, -1), -1, 1, 2, -1, 0, 0, -1, 0, 0, -1, 5, 6);
  }

  @Test
  void zeroMakesAFeatureInactive() {
    gives(FeatureEdits.zero(0), 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 5, 6);
    gives(FeatureEdits.zero(2), 0, 1, 0, 3, 0, 0, 0, 0, 0, 4, 5, 0);
  }

  @Test
  void scaleMultipliesWhereItIsActive() {
    gives(FeatureEdits.scale(2, 0.5), 0, 1, 1, 3, 0, 0, 0, 0, 0, 4, 5, 3);
    gives(FeatureEdits.scale(1, 0), 0, 0, 2, 3, 0, 0, 0, 0, 0, 4, 0, 6);
  }

  @Test
  void steerAddsInEveryRow() {
    gives(FeatureEdits.steer(0, 2), 2, 1, 2, 5, 0, 0, 2, 0, 0, 6, 5, 6);
    gives(FeatureEdits.steer(2, -6), 0, 1, -4, 3, 0, -6, 0, 0, -6, 4, 5, 0);
  }

  @Test
  void anIndexThatIsNotThereIsRefused() {
    for (FeatureEdit edit :
        List.of(FeatureEdits.zero(3), FeatureEdits.set(-1, 1), FeatureEdits.steer(99, 1))) {
      assertThrows(IllegalArgumentException.class, () -> edit.apply(features()));
    }
  }

  @Test
  void compressedRowsHaveToFit() {
    Shape leading = Shape.of(Axis.ROW, 2);
    int[] indices = {0, 2, 1};
    float[] values = {1, 2, 3};
    SparseFeatures fits = new SparseFeatures(leading, 3, new long[] {0, 2, 3}, indices, values);
    assertArrayEquals(new float[] {1, 0, 2, 0, 3, 0}, fits.toDense().toArray());
    assertEquals(2, fits.get(0, 2));
    assertEquals(0, fits.get(0, 1));
    for (long[] starts : List.of(new long[] {0, 3}, new long[] {1, 2, 3}, new long[] {0, 2, 4})) {
      assertThrows(
          IllegalArgumentException.class,
          () -> new SparseFeatures(leading, 3, starts, indices, values),
          Arrays.toString(starts));
    }
  }
}

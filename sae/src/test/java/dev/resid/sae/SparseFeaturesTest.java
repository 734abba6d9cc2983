package dev.resid.sae;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.sae.SparseFeatures.Active;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class SparseFeaturesTest {
  private static final SparseFeatures FEATURES =
      SparseFeatures.of(
          Tensor.of(
              Shape.of(Axis.BATCH, 1, Axis.POS, 3, Axis.D_SAE, 5),
              new float[] {0, 2, 0, 7, 2, 0, 0, 0, 0, 0, -1, 0, 0, 0, 3}));

  @Test
  void theLargestFeaturesOfARowComeFirst() {
    assertEquals(
        List.of(new Active(3, 7), new Active(1, 2), new Active(4, 2)), FEATURES.largest(0, 5));
    assertEquals(List.of(new Active(3, 7), new Active(1, 2)), FEATURES.largest(0, 2));
    assertEquals(List.of(), FEATURES.largest(1, 2));
    assertEquals(List.of(new Active(4, 3), new Active(0, -1)), FEATURES.largest(2, 9));
  }

  @Test
  void aRowThatIsNotThereIsRefused() {
    assertEquals(
        "there is no row 3 in the features of [batch=1, pos=3]",
        assertThrows(IndexOutOfBoundsException.class, () -> FEATURES.largest(3, 1)).getMessage());
    assertThrows(IndexOutOfBoundsException.class, () -> FEATURES.largest(-1, 1));
  }
}

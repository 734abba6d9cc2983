package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class StackedStorageTest {
  private static Tensor rows(int count, float first) {
    float[] values = new float[count * 2];
    for (int i = 0; i < values.length; i++) {
      values[i] = first + i;
    }
    return Tensor.wrap(Shape.of(Axis.BATCH, count, Axis.POS, 2), values);
  }

  @Test
  void anyPartOfTheRowsCanBeRead() {
    Tensor all = StackedStorage.rows(List.of(rows(2, 0), rows(1, 4), rows(3, 6)));
    assertEquals(Shape.of(Axis.BATCH, 6, Axis.POS, 2), all.shape());
    Storage storage = all.storage();
    assertEquals(12, storage.size());
    for (int from = 0; from <= 12; from++) {
      for (int to = from; to <= 12; to++) {
        float[] expected = new float[15];
        for (int i = from; i < to; i++) {
          expected[1 + i - from] = i;
        }
        float[] found = new float[15];
        storage.read(from, found, 1, to - from);
        assertArrayEquals(expected, found, "from " + from + " to " + to);
      }
    }
  }

  @Test
  void tensorsOfOneShapeGetANewFirstAxis() {
    Tensor all = StackedStorage.along(Axis.LENGTH, List.of(rows(2, 0), rows(2, 4)));
    assertEquals(Shape.of(Axis.LENGTH, 2, Axis.BATCH, 2, Axis.POS, 2), all.shape());
    assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5, 6, 7}, all.toArray());
  }

  /** The same tensor two thousand times: more values than an array holds. */
  @Test
  void thereCanBeMoreValuesThanAnArrayHolds() {
    float[] values = new float[1 << 20];
    values[0] = 5;
    values[values.length - 1] = 7;
    Tensor part = Tensor.wrap(Shape.of(Axis.BATCH, 1, Axis.POS, values.length), values);
    Tensor all = StackedStorage.rows(Collections.nCopies(2049, part));
    assertEquals(2049L << 20, all.elements());
    float[] across = new float[2];
    all.storage().read((2048L << 20) - 1, across, 0, 2);
    assertArrayEquals(new float[] {7, 5}, across);
    all.storage().read((2049L << 20) - 2, across, 0, 2);
    assertArrayEquals(new float[] {0, 7}, across);
  }

  @Test
  void readingPastTheEndIsRefused() {
    Storage storage = StackedStorage.rows(List.of(rows(2, 0))).storage();
    assertThrows(IndexOutOfBoundsException.class, () -> storage.read(3, new float[9], 0, 2));
    assertThrows(IndexOutOfBoundsException.class, () -> storage.read(-1, new float[9], 0, 2));
  }
}

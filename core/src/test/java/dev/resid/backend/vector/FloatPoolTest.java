package dev.resid.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tensor.Axis;
import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import org.junit.jupiter.api.Test;

class FloatPoolTest {
  private final FloatPool pool = new FloatPool();

  private static float[] array(Tensor tensor) {
    return ((HostStorage) tensor.storage()).array();
  }

  @Test
  void whatIsGivenBackIsTakenAgain() {
    try (Scope scope = pool.scope()) {
      Tensor first = scope.take(Shape.of(Axis.ROW, 1000));
      scope.give(first);
      assertSame(array(first), array(scope.take(Shape.of(Axis.ROW, 999))));
    }
  }

  @Test
  void aReshapedTensorGivesItsMemoryBackOnce() {
    try (Scope scope = pool.scope()) {
      Tensor taken = scope.take(Shape.of(Axis.ROW, 500, Axis.OUT, 2));
      scope.give(taken.reshape(Shape.of(Axis.ROW, 1000)));
      scope.give(taken);
      Tensor second = scope.take(Shape.of(Axis.ROW, 1000));
      Tensor third = scope.take(Shape.of(Axis.ROW, 1000));
      assertNotSame(array(second), array(third));
    }
  }

  @Test
  void closingAScopeGivesEverythingBack() {
    float[] array;
    try (Scope scope = pool.scope()) {
      array = array(scope.take(Shape.of(Axis.ROW, 3000)));
    }
    try (Scope scope = pool.scope()) {
      assertSame(array, array(scope.take(Shape.of(Axis.ROW, 3000))));
    }
  }

  @Test
  void sizesAreRoundedUpByAnEighthAtMost() {
    for (int n = 1; n < 100_000; n += 37) {
      int rounded = FloatPool.roundUp(n);
      assertTrue(rounded >= n, n + " became " + rounded);
      assertTrue(rounded <= Math.max(256, n + n / 4), n + " became " + rounded);
      assertEquals(rounded, FloatPool.roundUp(rounded), "a rounded size is its own");
    }
    assertEquals(Integer.MAX_VALUE - 100, FloatPool.roundUp(Integer.MAX_VALUE - 100));
  }
}

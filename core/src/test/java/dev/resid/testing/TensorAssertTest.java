package dev.resid.testing;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import org.junit.jupiter.api.Test;

class TensorAssertTest {
  private static final Shape SHAPE = Shape.of(Axis.BATCH, 2, Axis.POS, 3);
  private static final Tensor VALUES = Tensor.of(SHAPE, 1, 2, 3, 4, 5, 6);
  private static final TensorAssert CHECK = new TensorAssert("vector", "softmax", 7);

  private static String message(Tensor expected, Tensor actual, Tolerance tolerance) {
    return assertThrows(AssertionError.class, () -> CHECK.close(expected, actual, tolerance))
        .getMessage();
  }

  @Test
  void theWorstElementIsNamedByItsDimensions() {
    Tensor actual = Tensor.of(SHAPE, 1.25f, 2, 3, 4, 5.5f, 6);
    assertEquals(
        "vector softmax seed 7 [batch=2, pos=3] at [batch=1, pos=1]: expected 5.0, actual 5.5, "
            + "allowed 0.1, off by 0.5 (2 of 6 differ)",
        message(VALUES, actual, Tolerance.within(0.1, 0)));
  }

  @Test
  void theWorstElementIsTheOneFurthestBeyondItsOwnAllowance() {
    Tensor actual = Tensor.of(SHAPE, 1.25f, 2, 3, 4, 5.5f, 6);
    double[] allowed = {0.01, 1, 1, 1, 0.25, 1};
    String message = message(VALUES, actual, Tolerance.each(allowed));
    assertTrue(message.contains("at [batch=0, pos=0]"), message);
    assertTrue(message.contains("allowed 0.01, off by 0.25 (2 of 6 differ)"), message);
  }

  @Test
  void aDistanceOfExactlyTheAllowanceIsEqual() {
    Tensor actual = Tensor.of(SHAPE, 1, 2, 3, 4, 5, 6.75f);
    assertDoesNotThrow(() -> CHECK.close(VALUES, actual, Tolerance.within(0, 0.125)));
    assertThrows(
        AssertionError.class, () -> CHECK.close(VALUES, actual, Tolerance.within(0, 0.12)));
  }

  @Test
  void shapesAreComparedFirst() {
    Tensor other = Tensor.wrap(Shape.of(Axis.BATCH, 3, Axis.POS, 2), VALUES.toArray());
    assertEquals(
        "vector softmax seed 7: expected shape [batch=2, pos=3], actual [batch=3, pos=2]",
        message(VALUES, other, Tolerance.within(1, 1)));
  }

  @Test
  void nonFiniteValuesHaveToBeInTheSamePlaces() {
    float inf = Float.POSITIVE_INFINITY;
    Tensor odd = Tensor.of(SHAPE, 1, Float.NaN, 3, inf, 5, -inf);
    assertDoesNotThrow(() -> CHECK.close(odd, odd, Tolerance.within(0, 0)));
    Tolerance anything = Tolerance.within(1e30, 1e30);
    for (Tensor actual :
        new Tensor[] {
          Tensor.of(SHAPE, 1, 2, 3, inf, 5, -inf),
          Tensor.of(SHAPE, 1, Float.NaN, 3, -inf, 5, -inf),
          Tensor.of(SHAPE, Float.NaN, Float.NaN, 3, inf, 5, -inf),
          Tensor.of(SHAPE, 1, Float.NaN, 3, inf, 5, Float.NaN)
        }) {
      assertThrows(AssertionError.class, () -> CHECK.close(odd, actual, anything));
    }
  }

  @Test
  void bitsTellZerosApartButNotNans() {
    Shape one = Shape.of(Axis.ROW, 2);
    Tensor zero = Tensor.of(one, 0f, Float.NaN);
    Tensor otherNan = Tensor.of(one, 0f, Float.intBitsToFloat(0xffc00001));
    Tensor minusZero = Tensor.of(one, -0f, Float.NaN);
    assertDoesNotThrow(() -> CHECK.sameBits(zero, otherNan));
    assertThrows(AssertionError.class, () -> CHECK.sameBits(zero, minusZero));
    assertDoesNotThrow(() -> CHECK.close(zero, minusZero, Tolerance.within(0, 0)));
  }

  @Test
  void aToleranceThatIsNotANumberAllowsNothing() {
    assertThrows(
        AssertionError.class, () -> CHECK.close(VALUES, VALUES, (index, expected) -> Double.NaN));
  }

  @Test
  void aMissingValueIsSeen() {
    Shape three = Shape.of(Axis.ROW, 3);
    assertThrows(
        AssertionError.class,
        () -> CHECK.close(three, new double[3], new double[2], Tolerance.within(1, 1)));
    assertThrows(AssertionError.class, () -> CHECK.sameBits(three, new double[2], new double[2]));
  }
}

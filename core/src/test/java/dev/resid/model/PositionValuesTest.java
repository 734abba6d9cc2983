package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PositionValuesTest {
  /** Rows of 3, 1 and 2 positions; what lies past a row's end must not count. */
  private final PositionValues values =
      new PositionValues(
          new double[] {1, 2, 4, 8, Double.NaN, 1e9, 16, 32, Double.NaN}, new int[] {3, 1, 2});

  @Test
  void rowsHaveTheirOwnLengths() {
    assertEquals(3, values.rows());
    assertArrayEquals(new double[] {1, 2, 4}, values.row(0));
    assertArrayEquals(new double[] {8}, values.row(1));
    assertArrayEquals(new double[] {16, 32}, values.row(2));
    assertEquals(2, values.length(2));
    assertEquals(32, values.get(2, 1));
  }

  @Test
  void meanIsOverThePositionsThatExist() {
    assertEquals(63 / 6.0, values.mean());
  }

  @Test
  void meanCanLeaveOutTheFirstPositions() {
    assertEquals((2 + 4 + 32) / 3.0, values.meanFrom(1));
    assertEquals(4, values.meanFrom(2));
    assertEquals(Double.NaN, values.meanFrom(3));
  }

  @Test
  void rowsAreCopies() {
    values.row(0)[0] = 99;
    assertEquals(1, values.get(0, 0));
  }
}

package dev.resid.experiments.direction;

import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.random.CounterRandom;

/**
 * A row and a position for which a {@link DirectionRule} gives a vector: what stands there, and
 * random numbers that are the same for the same seed, row and position. All rules are given the
 * same numbers, so that families are compared on the same draws; no other direction uses them.
 */
public final class DirectionPlace {
  private final BasePoints base;
  private final int batchRow;
  private final int pos;
  private final CounterRandom random;

  DirectionPlace(BasePoints base, int batchRow, int pos, CounterRandom random) {
    this.base = base;
    this.batchRow = batchRow;
    this.pos = pos;
    this.random = random;
  }

  /** Returns the number of the row in the data set, from 0. */
  public int row() {
    return base.firstRow() + batchRow;
  }

  /** Returns the position in the row, from 0. */
  public int pos() {
    return pos;
  }

  /** Returns the activation that is going to be moved, [d_model], a copy. */
  public float[] activation() {
    float[] x = new float[base.dimension()];
    for (int c = 0; c < x.length; c++) {
      x[c] = base.value(batchRow, pos, c);
    }
    return x;
  }

  /**
   * Returns independent draws from N(0, 1), the same at every call.
   *
   * @param count how many; of a larger number the first ones are the same
   */
  public float[] normals(int count) {
    float[] draws = new float[count];
    random.fillNormal(DrawKeys.OWN_DIRECTION.stream(row()), pos, draws);
    return draws;
  }

  /**
   * Returns a draw from the uniform distribution on [0, 1).
   *
   * @param number which draw, from 0
   */
  public double uniform(int number) {
    return random.uniform(DrawKeys.OWN_CHOICE.stream(row()), pos, number);
  }
}

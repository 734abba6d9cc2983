package dev.resid.sae.dictionary;

import java.util.Arrays;

/*
 * Shortest augmenting paths with dual variables. Rows are added one at a time; for each, the search
 * of Dijkstra over reduced costs cost[r][c] − u[r] − v[c] ≥ 0 finds the cheapest way to an unused
 * column by exchanging columns among rows already assigned; the dual variables are then moved so
 * that all reduced costs stay non-negative and those of assigned pairs 0. O(rows²·columns).
 */

/**
 * The cheapest assignment of every row of a cost matrix to a column of its own.
 *
 * @source Jonker and Volgenant 1987, "A shortest augmenting path algorithm for dense and sparse
 *     linear assignment problems"; Kuhn 1955 for the dual variables
 */
final class Assignment {
  private static final int NONE = -1;

  private final float[][] cost;
  private final int columns;
  private final double[] rowPrice;
  private final double[] columnPrice;
  private final int[] rowOf;
  private final double[] distance;
  private final int[] before;
  private final boolean[] settled;

  private Assignment(float[][] cost) {
    this.cost = cost;
    this.columns = cost[0].length;
    rowPrice = new double[cost.length];
    columnPrice = new double[columns];
    rowOf = new int[columns];
    distance = new double[columns];
    before = new int[columns];
    settled = new boolean[columns];
    Arrays.fill(rowOf, NONE);
  }

  /**
   * Returns the column of every row.
   *
   * @param cost [rows, columns], finite, at least one row and not more rows than columns
   */
  static int[] cheapest(float[][] cost) {
    if (cost.length == 0 || cost[0].length < cost.length) {
      throw new IllegalArgumentException(
          "an assignment needs at least one row and a column for each, got "
              + cost.length
              + " rows");
    }
    Assignment assignment = new Assignment(cost);
    for (int row = 0; row < cost.length; row++) {
      assignment.add(row);
    }
    int[] columnOf = new int[cost.length];
    for (int c = 0; c < assignment.columns; c++) {
      if (assignment.rowOf[c] != NONE) {
        columnOf[assignment.rowOf[c]] = c;
      }
    }
    return columnOf;
  }

  private void add(int newRow) {
    Arrays.fill(distance, Double.POSITIVE_INFINITY);
    Arrays.fill(before, NONE);
    Arrays.fill(settled, false);
    int row = newRow;
    int last = NONE;
    double reached = 0;
    int free = NONE;
    while (free == NONE) {
      relax(row, last, reached);
      int nearest = nearest();
      reached = distance[nearest];
      settled[nearest] = true;
      last = nearest;
      row = rowOf[nearest];
      free = row == NONE ? nearest : NONE;
    }
    // Prices first, while rowOf still says which rows the search went through.
    rowPrice[newRow] += reached;
    for (int c = 0; c < columns; c++) {
      if (settled[c] && c != free) {
        rowPrice[rowOf[c]] += reached - distance[c];
        columnPrice[c] -= reached - distance[c];
      }
    }
    for (int c = free; c != NONE; c = before[c]) {
      rowOf[c] = before[c] == NONE ? newRow : rowOf[before[c]];
    }
  }

  private void relax(int row, int last, double reached) {
    float[] costs = cost[row];
    for (int c = 0; c < columns; c++) {
      double through = reached + costs[c] - rowPrice[row] - columnPrice[c];
      if (!settled[c] && through < distance[c]) {
        distance[c] = through;
        before[c] = last;
      }
    }
  }

  /** Returns the nearest column that is not settled, a free one before others, the lowest first. */
  private int nearest() {
    int nearest = NONE;
    for (int c = 0; c < columns; c++) {
      if (!settled[c]
          && (nearest == NONE
              || distance[c] < distance[nearest]
              || distance[c] == distance[nearest] && rowOf[c] == NONE && rowOf[nearest] != NONE)) {
        nearest = c;
      }
    }
    return nearest;
  }
}

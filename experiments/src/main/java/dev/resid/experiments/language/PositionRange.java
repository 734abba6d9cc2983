package dev.resid.experiments.language;

/**
 * Positions that are averaged, counted from 1 as in the publication.
 *
 * @param from the first
 * @param to the last, included
 */
public record PositionRange(int from, int to) {
  /**
   * Checks the order.
   *
   * @throws IllegalArgumentException if the first is below 1 or above the last
   */
  public PositionRange {
    if (from < 1 || to < from) {
      throw new IllegalArgumentException(
          "positions are counted from 1 and ascend, got " + from + "-" + to);
    }
  }

  /**
   * Returns the range of a text.
   *
   * @param text {@code 2-128}, or {@code 512} for a single position
   * @throws IllegalArgumentException if it is anything else
   */
  public static PositionRange parse(String text) {
    String[] ends = text.strip().split("-", -1);
    try {
      int from = Integer.parseInt(ends[0]);
      if (ends.length > 2) {
        throw new NumberFormatException("more than two numbers");
      }
      return new PositionRange(from, ends.length == 1 ? from : Integer.parseInt(ends[1]));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "\"" + text + "\" are no positions; write 512 for one and 2-128 for several", e);
    }
  }

  /** Returns how many positions these are. */
  int length() {
    return to - from + 1;
  }

  @Override
  public String toString() {
    return from + "-" + to;
  }
}

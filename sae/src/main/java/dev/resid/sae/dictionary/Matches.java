package dev.resid.sae.dictionary;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * For each feature of one dictionary, a feature of another and the cosine between both.
 *
 * @param features features of the first dictionary
 * @param partners the matched features of the second, in the same order
 * @param cosines their cosines, with sign
 */
public record Matches(int[] features, int[] partners, double[] cosines) {
  /** Checks that the lengths agree. */
  public Matches {
    if (features.length != partners.length || features.length != cosines.length) {
      throw new IllegalArgumentException(
          features.length
              + " features, "
              + partners.length
              + " partners and "
              + cosines.length
              + " cosines are not equally many");
    }
  }

  /** Returns the mean cosine (MMCS); not a number if there are no features. */
  public double mean() {
    return Arrays.stream(cosines).average().orElse(Double.NaN);
  }

  /** Returns how many cosines are above a limit, for example 0.9. */
  public int countAbove(double limit) {
    return (int) Arrays.stream(cosines).filter(c -> c > limit).count();
  }

  /** Returns these matches with the largest cosine first, equal ones as they were. */
  public Matches descending() {
    int[] order =
        IntStream.range(0, cosines.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -cosines[i]))
            .mapToInt(i -> i)
            .toArray();
    return new Matches(
        IntStream.of(order).map(i -> features[i]).toArray(),
        IntStream.of(order).map(i -> partners[i]).toArray(),
        IntStream.of(order).mapToDouble(i -> cosines[i]).toArray());
  }
}

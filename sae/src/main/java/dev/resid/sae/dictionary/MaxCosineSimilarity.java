package dev.resid.sae.dictionary;

import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How much of one dictionary another one has too: MCS of a feature is the cosine of its direction
 * with the one it is matched with. Signs are kept: an opposite direction is no match. To compare
 * alive features only, pass {@link Dictionary#only}.
 *
 * @accuracy partners are chosen by float32 products, so among directions whose cosines agree to
 *     about 1e-6 any may be chosen; the cosines returned are float64 sums over float32 directions
 * @source Sharkey, Braun and Millidge 2022, "Taking features out of superposition with sparse
 *     autoencoders"; experiment document, section 5, 004-e
 */
public final class MaxCosineSimilarity {
  private static final int ROWS_AT_A_TIME = 256;

  private MaxCosineSimilarity() {}

  /** What is done with the cosines of one direction with all of the other dictionary. */
  private interface RowUse {
    void accept(int place, float[] cosines, int offset);
  }

  /**
   * Returns for each direction the one of the other dictionary with the largest cosine, the lowest
   * place first among equals. Several may share a partner.
   *
   * @param a every direction of it is matched
   * @param b is matched with
   * @param backend computes the products
   * @throws IllegalArgumentException if the widths differ or {@code b} is empty
   */
  public static Matches plain(Dictionary a, Dictionary b, Backend backend) {
    return largest(a, b, -1, backend);
  }

  /**
   * Returns for each direction the other one of the same dictionary with the largest cosine: the
   * diagonal counts as −∞.
   *
   * @param a at least two directions
   * @param backend computes the products
   * @throws IllegalArgumentException if there are fewer than two directions
   */
  public static Matches within(Dictionary a, Backend backend) {
    if (a.size() < 2) {
      throw new IllegalArgumentException("a dictionary of one direction has no other to match");
    }
    return largest(a, a, 1, backend);
  }

  /**
   * Returns the assignment of every direction to one of the other dictionary that no other is
   * assigned to, with the largest sum of cosines. Takes memory for all cosines, 4 bytes each, and
   * time of order size(a)²·size(b).
   *
   * @param a not more directions than {@code b}
   * @param b is assigned to
   * @param backend computes the products
   * @throws IllegalArgumentException if the widths differ or {@code a} is the larger one
   */
  public static Matches oneToOne(Dictionary a, Dictionary b, Backend backend) {
    if (a.size() > b.size() || a.size() == 0) {
      throw new IllegalArgumentException(
          a.size()
              + " directions cannot each have a partner of their own among "
              + b.size()
              + "; pass the smaller dictionary first");
    }
    float[][] costs = new float[a.size()][];
    eachRow(
        a,
        b,
        backend,
        (place, cosines, offset) -> {
          float[] row = new float[b.size()];
          for (int i = 0; i < row.length; i++) {
            row[i] = 1 - cosines[offset + i];
          }
          costs[place] = row;
        });
    return matches(a, b, Assignment.cheapest(costs));
  }

  /**
   * A direction near another one.
   *
   * @param feature its feature
   * @param cosine with sign
   */
  public record Neighbour(int feature, double cosine) {}

  /**
   * Returns the directions with the largest cosines with one of them, itself left out, the nearest
   * first and the lowest place first among equals.
   *
   * @param dictionary whose directions are compared
   * @param place of the one in question
   * @param k at most so many
   */
  public static List<Neighbour> nearest(Dictionary dictionary, int place, int k) {
    double[] cosines = new double[dictionary.size()];
    for (int i = 0; i < cosines.length; i++) {
      cosines[i] = dictionary.cosine(place, dictionary, i);
    }
    List<Neighbour> nearest = new ArrayList<>();
    IntStream.range(0, cosines.length)
        .filter(i -> i != place)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> -cosines[i]))
        .limit(k)
        .forEach(i -> nearest.add(new Neighbour(dictionary.feature(i), cosines[i])));
    return nearest;
  }

  /** Matches by largest cosine; a direction is not matched with its own place if own is 1. */
  private static Matches largest(Dictionary a, Dictionary b, int own, Backend backend) {
    if (b.size() == 0) {
      throw new IllegalArgumentException("there is no direction to match with");
    }
    int[] partner = new int[a.size()];
    eachRow(
        a,
        b,
        backend,
        (place, cosines, offset) -> {
          int best = -1;
          for (int i = 0; i < b.size(); i++) {
            boolean excluded = own > 0 && i == place;
            if (!excluded && (best < 0 || cosines[offset + i] > cosines[offset + best])) {
              best = i;
            }
          }
          partner[place] = best;
        });
    return matches(a, b, partner);
  }

  private static Matches matches(Dictionary a, Dictionary b, int... partner) {
    double[] cosines = new double[a.size()];
    for (int i = 0; i < cosines.length; i++) {
      cosines[i] = a.cosine(i, b, partner[i]);
    }
    return new Matches(
        IntStream.range(0, a.size()).map(a::feature).toArray(),
        IntStream.of(partner).map(b::feature).toArray(),
        cosines);
  }

  private static void eachRow(Dictionary a, Dictionary b, Backend backend, RowUse use) {
    if (a.width() != b.width()) {
      throw new IllegalArgumentException(
          "directions of widths "
              + a.width()
              + " and "
              + b.width()
              + " have no cosine; were the SAEs trained on the same site?");
    }
    Matrix all = backend.packTransposed(b.outputs());
    Tensor noBias = Tensor.zeros(Shape.of(Axis.OUT, b.size()));
    for (int from = 0; from < a.size(); from += ROWS_AT_A_TIME) {
      int to = Math.min(a.size(), from + ROWS_AT_A_TIME);
      Tensor out = backend.allocate(Shape.of(Axis.ROW, to - from, Axis.OUT, b.size()));
      backend.linear(a.rows(from, to), all, noBias, Activation.IDENTITY, out);
      float[] cosines = out.toArray();
      for (int place = from; place < to; place++) {
        use.accept(place, cosines, (place - from) * b.size());
      }
    }
  }
}

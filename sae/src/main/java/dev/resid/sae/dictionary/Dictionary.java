package dev.resid.sae.dictionary;

import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Directions of features, each of length 1, with the numbers of the features they belong to. A
 * direction of zeros stays one, and its cosine with anything is 0.
 */
public final class Dictionary {
  private final int width;
  private final int[] features;
  private final float[] atoms;

  private Dictionary(int width, int[] features, float[] atoms) {
    this.width = width;
    this.features = features;
    this.atoms = atoms;
  }

  /**
   * Returns the decoder directions of an SAE, one for every feature.
   *
   * @param sae whose W_dec is read
   */
  public static Dictionary decoderOf(Sae sae) {
    return of(sae.weights().get(SaeWeight.W_dec));
  }

  /**
   * Returns the rows of a matrix as directions.
   *
   * @param rows [features, width]
   */
  public static Dictionary of(Tensor rows) {
    int width = rows.shape().last();
    float[] atoms = rows.toArray();
    int size = Math.toIntExact(rows.shape().rows());
    for (int i = 0; i < size; i++) {
      double square = 0;
      for (int c = 0; c < width; c++) {
        square += (double) atoms[i * width + c] * atoms[i * width + c];
      }
      for (int c = 0; c < width && square > 0; c++) {
        atoms[i * width + c] = (float) (atoms[i * width + c] / Math.sqrt(square));
      }
    }
    return new Dictionary(width, IntStream.range(0, size).toArray(), atoms);
  }

  /**
   * Returns the directions of some features only, for example the alive ones, in the order given.
   *
   * @param places of directions in this dictionary, from 0 to {@code size() - 1}
   * @throws IndexOutOfBoundsException if there is no such direction
   */
  public Dictionary only(int... places) {
    int[] kept = new int[places.length];
    float[] some = new float[places.length * width];
    for (int i = 0; i < places.length; i++) {
      kept[i] = features[java.util.Objects.checkIndex(places[i], features.length)];
      System.arraycopy(atoms, places[i] * width, some, i * width, width);
    }
    return new Dictionary(width, kept, some);
  }

  /** Returns the number of directions. */
  public int size() {
    return features.length;
  }

  /** Returns the width of the directions. */
  public int width() {
    return width;
  }

  /**
   * Returns the number of the feature that a direction belongs to.
   *
   * @param place from 0 to {@code size() - 1}
   */
  public int feature(int place) {
    return features[place];
  }

  /**
   * Returns a direction, [width], a copy.
   *
   * @param place from 0 to {@code size() - 1}
   */
  public float[] direction(int place) {
    return Arrays.copyOfRange(atoms, place * width, (place + 1) * width);
  }

  /**
   * Returns the cosine of a direction of this dictionary with one of another, in float64.
   *
   * @param place from 0 to {@code size() - 1}
   * @param other of the same width
   * @param otherPlace from 0 to {@code other.size() - 1}
   */
  public double cosine(int place, Dictionary other, int otherPlace) {
    double sum = 0;
    for (int c = 0; c < width; c++) {
      sum += (double) atoms[place * width + c] * other.atoms[otherPlace * width + c];
    }
    return sum;
  }

  /** Returns consecutive directions, [row, width]. */
  Tensor rows(int from, int to) {
    return Tensor.wrap(
        Shape.of(Axis.ROW, to - from, Axis.IN, width),
        Arrays.copyOfRange(atoms, from * width, to * width));
  }

  /** Returns all directions as a matrix whose rows are outputs, [out, in]. */
  Tensor outputs() {
    return Tensor.wrap(Shape.of(Axis.OUT, size(), Axis.IN, width), atoms.clone());
  }
}

package dev.resid.tokenizer;

import java.util.Arrays;
import java.util.Objects;

/**
 * The tokens of a text and the range of chars that each comes from. Ranges are half-open, count
 * Java chars (UTF-16 units) and always hold whole code points. A token may be a part of a code
 * point; its range is then that code point's, and so is its neighbour's. Hence the ranges are in
 * order, together they cover the text, and two neighbours either meet or share one code point.
 *
 * @param text the text that was encoded
 * @param ids tokens, {@code [pos]}
 * @param starts first char of each token, {@code [pos]}
 * @param ends char after each token, {@code [pos]}
 */
public record Encoding(String text, int[] ids, int[] starts, int[] ends) {
  /**
   * Copies the arrays.
   *
   * @throws IllegalArgumentException if they differ in length
   */
  public Encoding {
    Objects.requireNonNull(text, "text");
    if (ids.length != starts.length || ids.length != ends.length) {
      throw new IllegalArgumentException(
          "expected as many starts and ends as ids, found "
              + ids.length
              + " ids, "
              + starts.length
              + " starts, "
              + ends.length
              + " ends");
    }
    ids = ids.clone();
    starts = starts.clone();
    ends = ends.clone();
  }

  /** Returns the tokens, {@code [pos]}, a copy. */
  @Override
  public int[] ids() {
    return ids.clone();
  }

  /** Returns the first char of each token, {@code [pos]}, a copy. */
  @Override
  public int[] starts() {
    return starts.clone();
  }

  /** Returns the char after each token, {@code [pos]}, a copy. */
  @Override
  public int[] ends() {
    return ends.clone();
  }

  /** Returns the number of tokens. */
  public int size() {
    return ids.length;
  }

  /**
   * Returns one token.
   *
   * @param pos from 0
   */
  public int id(int pos) {
    return ids[pos];
  }

  /**
   * Returns the first char that a token comes from.
   *
   * @param pos from 0
   */
  public int start(int pos) {
    return starts[pos];
  }

  /**
   * Returns the char after the last one that a token comes from.
   *
   * @param pos from 0
   */
  public int end(int pos) {
    return ends[pos];
  }

  /**
   * Returns the part of the text that a token comes from.
   *
   * @param pos from 0
   */
  public String textOf(int pos) {
    return text.substring(starts[pos], ends[pos]);
  }

  /** Returns true if the other object is an encoding of the same text with the same values. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Encoding that
        && text.equals(that.text)
        && Arrays.equals(ids, that.ids)
        && Arrays.equals(starts, that.starts)
        && Arrays.equals(ends, that.ends);
  }

  /** Returns a hash of text and tokens. */
  @Override
  public int hashCode() {
    return 31 * text.hashCode() + Arrays.hashCode(ids);
  }

  /** Returns every token's id and piece of text, for messages. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder("Encoding[");
    for (int pos = 0; pos < ids.length; pos++) {
      out.append(pos == 0 ? "" : ", ").append(ids[pos]).append(" '").append(textOf(pos));
      out.append('\'');
    }
    return out.append(']').toString();
  }
}

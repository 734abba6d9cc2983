package dev.resid.experiments.sweep;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One of several equal parts of a run: the blocks whose number leaves the remainder {@code index}
 * when divided by {@code count}.
 *
 * @param index which part, from 0
 * @param count how many parts
 */
public record Shard(int index, int count) {
  /** The only part of a run that is not split. */
  public static final Shard WHOLE = new Shard(0, 1);

  private static final Pattern TEXT = Pattern.compile("(\\d{1,6})/(\\d{1,6})");

  /** Checks that the index is one of the parts. */
  public Shard {
    if (count < 1 || index < 0 || index >= count) {
      throw new IllegalArgumentException(
          "shard "
              + index
              + "/"
              + count
              + " does not exist; with n machines they are 0/n to (n-1)/n");
    }
  }

  /**
   * Returns the shard written as {@code index/count}.
   *
   * @throws IllegalArgumentException if it is written in another way or does not exist
   */
  public static Shard parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is no shard; write 0/4 for the first of four machines");
    }
    return new Shard(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
  }

  /** Returns whether a block belongs to this part. */
  public boolean has(int block) {
    return block % count == index;
  }

  @Override
  public String toString() {
    return index + "/" + count;
  }
}

package dev.resid.experiments.result;

import java.util.Arrays;
import java.util.stream.Collectors;

/** A constant that records and command lines call by a word. */
public interface Worded {
  /** Returns the word. */
  String word();

  /**
   * Returns the constant of a word.
   *
   * @param type the constants
   * @param word what one of them is called
   * @param what they are, for the message, for example {@code direction}
   * @throws IllegalArgumentException if none is called so
   */
  static <E extends Enum<E> & Worded> E of(Class<E> type, String word, String what) {
    for (E one : type.getEnumConstants()) {
      if (one.word().equals(word)) {
        return one;
      }
    }
    throw new IllegalArgumentException(
        "no "
            + what
            + " is called \""
            + word
            + "\"; there are "
            + Arrays.stream(type.getEnumConstants())
                .map(Worded::word)
                .collect(Collectors.joining(", ")));
  }
}

package dev.resid.sae.metric;

import java.util.Locale;

/**
 * Which positions a mean is taken over. The first position of a GPT-2 row has an activation unlike
 * all others and can dominate a mean, so everything is given both ways.
 */
public enum TokenScope {
  /** Every position of every row. */
  ALL,
  /** Every position but the first one of each row. */
  WITHOUT_FIRST;

  /** Returns the name in files: {@code all} or {@code without_first}. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the first position that belongs to it. */
  int firstPosition() {
    return this == ALL ? 0 : 1;
  }
}

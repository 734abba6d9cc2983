package dev.resid.tensor;

/**
 * What causal attention needs beside its tensors.
 *
 * @param scale factor on every query-key product, 1/√d_head for GPT-2
 * @param firstQuery position of the first query among the keys: query i sees keys 0 to firstQuery+i
 */
public record AttentionSpec(double scale, int firstQuery) {
  /** Checks that the first query position is not negative. */
  public AttentionSpec {
    if (firstQuery < 0) {
      throw new IllegalArgumentException("firstQuery is " + firstQuery + ", must be at least 0");
    }
  }
}

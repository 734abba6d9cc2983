package dev.resid.experiments.patch;

import java.util.List;

/**
 * What is patched.
 *
 * @param pairs prompts, at least one pair
 * @param data what the pairs are called in records
 * @param seed of the resamples
 * @param copiesAtOnce patches that are continued as one batch; it changes no bit of a result
 */
public record PatchOptions(List<TokenPair> pairs, String data, long seed, int copiesAtOnce) {
  /** Patches that are continued as one batch if nothing else is asked for. */
  public static final int DEFAULT_COPIES = 32;

  /** Checks that there is something to do. */
  public PatchOptions {
    pairs = List.copyOf(pairs);
    if (pairs.isEmpty()) {
      throw new IllegalArgumentException("patching needs at least one pair of prompts");
    }
    if (copiesAtOnce < 1) {
      throw new IllegalArgumentException("copies at once must be at least 1, got " + copiesAtOnce);
    }
  }

  /** Returns the length of the longest prompt. */
  int longest() {
    return pairs.stream().mapToInt(TokenPair::length).max().orElseThrow();
  }
}

package dev.resid.backend.cuda;

import dev.resid.backend.cuda.ProductOps.Rows;

/**
 * Reductions over the vocabulary; see {@code vocabulary.cu}. Through the unembedding, logits exist
 * for a tile of tokens and some rows only. The tiles are the same for any number of rows.
 */
final class VocabularyOps {
  private static final int TOKENS = 8192;
  private static final int ROWS = 2048;
  private static final int STATE = 5; // RESID_STATE of vocabulary.cu
  private static final int ALIGNED = 256;

  private final ProductOps products;

  VocabularyOps(ProductOps products) {
    this.products = products;
  }

  private static long newState(Call call, int R) {
    long state = call.doubles((long) STATE * R);
    call.launch("resid_state_clear").pointer(state).number((long) R).overElements((long) STATE * R);
    return state;
  }

  /** Adds logits that are there to a new state. */
  private static long ofLogits(Call call, long logits, int R, int V, long labels, long picked) {
    long state = newState(call, R);
    call.launch("resid_vocabulary_tile")
        .pointer(logits)
        .number((long) V)
        .pointer(0)
        .number(0)
        .number(V)
        .pointer(labels)
        .pointer(picked)
        .pointer(state)
        .blocks(R);
    return state;
  }

  static double[] crossEntropy(Call call, long logits, int R, int V, int[] labels) {
    long labelsAt = call.ints(labels);
    long picked = call.doubles(R);
    long state = ofLogits(call, logits, R, V, labelsAt, picked);
    return crossEntropies(call, state, labelsAt, picked, R);
  }

  private static double[] crossEntropies(Call call, long state, long labels, long picked, int R) {
    long result = call.doubles(R);
    call.launch("resid_cross_entropy_finish")
        .pointer(state)
        .pointer(labels)
        .pointer(picked)
        .pointer(result)
        .elements(R);
    return call.fetchDoubles(result, R);
  }

  static void crossEntropyBackward(
      Call call, long logits, int R, int V, int[] labels, double weight, long dLogits) {
    long state = ofLogits(call, logits, R, V, 0, 0);
    call.launch("resid_cross_entropy_backward")
        .pointer(logits)
        .pointer(call.ints(labels))
        .number(weight)
        .pointer(state)
        .pointer(dLogits)
        .number((long) R * V)
        .number(V)
        .overElements((long) R * V);
  }

  double[] unembedLogSumExp(Call call, long x, int R, DeviceMatrix w, long bias) {
    long state = unembedded(call, x, R, w, bias, 0, 0);
    long result = call.doubles(R);
    call.launch("resid_log_sum_exp_finish").pointer(state).pointer(result).elements(R);
    return call.fetchDoubles(result, R);
  }

  double[] unembedCrossEntropy(Call call, long x, int R, DeviceMatrix w, long bias, int[] labels) {
    long labelsAt = call.ints(labels);
    long picked = call.doubles(R);
    long state = unembedded(call, x, R, w, bias, labelsAt, picked);
    return crossEntropies(call, state, labelsAt, picked, R);
  }

  private long unembedded(
      Call call, long x, int R, DeviceMatrix w, long bias, long labels, long picked) {
    long state = newState(call, R);
    if (R == 0) {
      return state;
    }
    int tile = Math.min(TOKENS, w.out);
    Call.Part part = call.part("rows of logits", Math.min(ROWS, R), (long) Float.BYTES * tile);
    for (int r = 0; r < R; r += part.items()) {
      int count = Math.min(part.items(), R - r);
      for (int first = 0; first < w.out; first += tile) {
        int tokens = Math.min(tile, w.out - first);
        logits(x, r, count, w, first, tokens, part.address());
        call.launch("resid_vocabulary_tile")
            .pointer(part.address())
            .number((long) tokens)
            .pointer(bias + (long) Float.BYTES * first)
            .number(first)
            .number(tokens)
            .pointer(labels == 0 ? 0 : labels + (long) Integer.BYTES * r)
            .pointer(picked == 0 ? 0 : picked + (long) Double.BYTES * r)
            .pointer(state + (long) Double.BYTES * STATE * r)
            .blocks(count);
      }
    }
    return state;
  }

  private void logits(long x, int r, int count, DeviceMatrix w, int first, int tokens, long to) {
    products.multiply(
        count,
        Rows.of(x + (long) Float.BYTES * r * w.in, w.in),
        new Rows(w.values.address() + (long) Float.BYTES * first, tokens, w.out),
        Rows.of(to, tokens));
  }

  /**
   * The divergence of rows of runs from the rows of a base run. The base's logits of a tile are
   * computed once for all runs, by a product of the same shape as the runs', so that equal rows
   * have equal logits.
   *
   * @param R rows of the base run
   * @param changed rows of all runs, a multiple of R
   */
  double[] unembedKl(
      Call call, long base, int R, long perturbed, int changed, DeviceMatrix w, long bias) {
    long state = newState(call, changed);
    if (changed > 0) {
      int tile = Math.min(TOKENS, w.out);
      // cuBLAS picks its kernel by alignment, too, and equal rows are to have equal logits: both
      // begin at multiples of 256 bytes, as every allocation does.
      long row = ((long) Float.BYTES * tile + ALIGNED - 1) / ALIGNED * ALIGNED;
      Call.Part part = call.part("pairs of rows of logits", Math.min(ROWS, R), 2 * row);
      long ofBase = part.address();
      long ofRun = ofBase + row * part.items();
      for (int r = 0; r < R; r += part.items()) {
        int count = Math.min(part.items(), R - r);
        for (int first = 0; first < w.out; first += tile) {
          int tokens = Math.min(tile, w.out - first);
          logits(base, r, count, w, first, tokens, ofBase);
          for (int run = 0; run < changed; run += R) {
            logits(perturbed, run + r, count, w, first, tokens, ofRun);
            call.launch("resid_kl_tile")
                .pointer(ofBase)
                .pointer(ofRun)
                .number((long) tokens)
                .pointer(bias + (long) Float.BYTES * first)
                .number(tokens)
                .pointer(state + (long) Double.BYTES * STATE * (run + r))
                .blocks(count);
          }
        }
      }
    }
    long result = call.doubles(changed);
    call.launch("resid_kl_finish").pointer(state).pointer(result).elements(changed);
    return call.fetchDoubles(result, changed);
  }
}

package dev.resid.sae.dictionary;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;

/**
 * What a feature of one SAE does to the features of a later one, for example before and after an
 * MLP: the feature is set to 0, what its SAE does not reconstruct is left in place, and the later
 * features are encoded again.
 *
 * @source experiment document, section 5, 004-j (1)
 */
public final class FeatureConnections {
  private static final int POSITIONS_AT_A_TIME = 4096;

  private FeatureConnections() {}

  /**
   * Mean changes of the later features.
   *
   * @param feature the one that was changed
   * @param tokens over how many tokens the means are
   * @param activeTokens on how many of them the feature was active
   * @param meanChange of each later feature over all tokens, [d_sae of the later SAE]
   * @param meanChangeWhereActive the same over the tokens on which the feature was active; 0 if
   *     there are none
   */
  public record Effect(
      int feature,
      long tokens,
      long activeTokens,
      double[] meanChange,
      double[] meanChangeWhereActive) {}

  /**
   * Returns what setting a feature to 0 does to the features of a later SAE.
   *
   * @param gpt2 the model
   * @param from has the feature
   * @param to reads an activation that the model computes after what {@code from} writes
   * @param tokens rows of ids
   * @param feature of {@code from}
   * @throws IllegalArgumentException if {@code to} does not come after {@code from}
   * @throws IndexOutOfBoundsException if there is no such feature
   */
  public static Effect causal(Gpt2 gpt2, Sae from, Sae to, TokenBatch tokens, int feature) {
    return change(gpt2, from, to, tokens, feature, 0);
  }

  /**
   * Returns what setting a feature to one value at every position does to the features of a later
   * SAE: whether it is enough for them. The largest value of the feature in text is a value that
   * the model knows.
   *
   * @param gpt2 the model
   * @param from has the feature
   * @param to reads an activation that the model computes after what {@code from} writes
   * @param tokens rows of ids
   * @param feature of {@code from}
   * @param value of the feature, above 0
   * @throws IllegalArgumentException if {@code to} does not come after {@code from}, or the value
   *     is not above 0
   * @throws IndexOutOfBoundsException if there is no such feature
   */
  public static Effect raised(
      Gpt2 gpt2, Sae from, Sae to, TokenBatch tokens, int feature, double value) {
    if (!(value > 0)) {
      throw new IllegalArgumentException(
          "a feature is raised to a value above 0, got " + value + "; causal() sets it to 0");
    }
    return change(gpt2, from, to, tokens, feature, (float) value);
  }

  private static Effect change(
      Gpt2 gpt2, Sae from, Sae to, TokenBatch tokens, int feature, float value) {
    from.config().requireFeature(feature);
    HookPoint first = from.config().outputPoint();
    HookPoint second = to.config().point();
    if (!first.isBefore(second)) {
      throw new IllegalArgumentException(
          second + " is not computed after " + first + ", so nothing done there can change it");
    }
    double[] all = new double[to.config().dSae()];
    double[] active = new double[all.length];
    long count = 0;
    int step = Math.max(1, POSITIONS_AT_A_TIME / tokens.maxLength());
    for (int row = 0; row < tokens.rows(); row += step) {
      TokenBatch part = tokens.slice(row, Math.min(tokens.rows(), row + step));
      HookPoint read = from.config().point();
      var clean =
          read.equals(first)
              ? gpt2.capture(part, first.capture(), second.capture())
              : gpt2.capture(part, read.capture(), first.capture(), second.capture());
      SparseFeatures features = from.encode(clean.get(read));
      Tensor x = clean.get(first);
      Tensor without =
          x.minus(Contribution.of(from, features, clean.get(read), feature).reshape(x.shape()));
      Tensor changed =
          value == 0
              ? without
              : without.plus(
                  Contribution.constant(from, features, clean.get(read), feature, value)
                      .reshape(x.shape()));
      Tensor after =
          gpt2.capture(part, first.replace((was, at) -> changed), second.capture()).get(second);
      count +=
          add(part, features, feature, to.encode(clean.get(second)), to.encode(after), all, active);
    }
    for (int i = 0; i < all.length; i++) {
      all[i] /= tokens.tokenCount();
      active[i] = count == 0 ? 0 : active[i] / count;
    }
    return new Effect(feature, tokens.tokenCount(), count, all, active);
  }

  private static long add(
      TokenBatch part,
      SparseFeatures features,
      int feature,
      SparseFeatures before,
      SparseFeatures after,
      double[] all,
      double[] active) {
    long count = 0;
    for (int row = 0; row < part.rows(); row++) {
      for (int pos = 0; pos < part.length(row); pos++) {
        int at = row * part.maxLength() + pos;
        boolean on = features.get(at, feature) != 0;
        count += on ? 1 : 0;
        add(before, at, -1, all);
        add(after, at, 1, all);
        if (on) {
          add(before, at, -1, active);
          add(after, at, 1, active);
        }
      }
    }
    return count;
  }

  private static void add(SparseFeatures features, int at, int sign, double[] sums) {
    for (int i = features.start(at); i < features.end(at); i++) {
      sums[features.indices()[i]] += sign * (double) features.values()[i];
    }
  }
}

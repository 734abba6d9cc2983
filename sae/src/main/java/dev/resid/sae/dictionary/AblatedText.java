package dev.resid.sae.dictionary;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Which tokens of a text a feature's activation at the last one depends on: tokens are removed, one
 * or two at a time, and the model is run again on the shorter text. Two tokens either of which is
 * enough show up only in pairs.
 *
 * @source experiment document, section 5, 004-h
 */
public final class AblatedText {
  private static final int POSITIONS_AT_A_TIME = 4096;

  private final Gpt2 gpt2;
  private final Sae sae;
  private final int feature;
  private final int[] text;
  private final double original;

  /**
   * Runs the whole text.
   *
   * @param gpt2 the model
   * @param sae reads activations of the model
   * @param feature from 0 to d_sae − 1
   * @param text ids up to and including the token in question, at least 2
   * @throws IllegalArgumentException if the text is shorter or longer than the model's context
   * @throws IndexOutOfBoundsException if there is no such feature
   */
  public AblatedText(Gpt2 gpt2, Sae sae, int feature, int... text) {
    if (text.length < 2) {
      throw new IllegalArgumentException(
          "a text of "
              + text.length
              + " tokens has nothing left when one is removed; give 2 or more");
    }
    this.gpt2 = gpt2;
    this.sae = sae;
    sae.config().requireFeature(feature);
    this.feature = feature;
    this.text = text.clone();
    this.original = last(List.of(this.text))[0];
  }

  /** Returns the feature's activation at the last token of the whole text. */
  public double original() {
    return original;
  }

  /**
   * Returns for every token the activation at the last token of the text without it minus {@link
   * #original}, [tokens]; without the last token, the one before it is the last.
   */
  public double[] scores() {
    List<int[]> shorter = new ArrayList<>();
    for (int i = 0; i < text.length; i++) {
      shorter.add(without(i, -1));
    }
    double[] scores = last(shorter);
    for (int i = 0; i < scores.length; i++) {
      scores[i] -= original;
    }
    return scores;
  }

  /**
   * Returns for every two tokens the activation at the last token of the text without both minus
   * {@link #original}, [tokens, tokens], symmetric; on the diagonal the scores of one token.
   *
   * @throws IllegalStateException if the text has only two tokens
   */
  public double[][] pairScores() {
    if (text.length < 3) {
      throw new IllegalStateException("a text of two tokens has nothing left without both");
    }
    double[][] pairs = new double[text.length][text.length];
    double[] alone = scores();
    List<int[]> shorter = new ArrayList<>();
    for (int i = 0; i < text.length; i++) {
      for (int j = i + 1; j < text.length; j++) {
        shorter.add(without(i, j));
      }
    }
    double[] scores = last(shorter);
    int n = 0;
    for (int i = 0; i < text.length; i++) {
      pairs[i][i] = alone[i];
      for (int j = i + 1; j < text.length; j++) {
        pairs[i][j] = scores[n++] - original;
        pairs[j][i] = pairs[i][j];
      }
    }
    return pairs;
  }

  /**
   * Returns the activation at the last token of the text without some tokens in a row minus {@link
   * #original}, for example without a word of several tokens.
   *
   * @param from first token to remove
   * @param to behind the last one to remove
   * @throws IllegalArgumentException if nothing is left, or nothing is removed
   * @throws IndexOutOfBoundsException if there are no such tokens
   */
  public double scoreWithout(int from, int to) {
    Objects.checkFromToIndex(from, to, text.length);
    if (from == to || to - from == text.length) {
      throw new IllegalArgumentException(
          "removing tokens " + from + " to " + to + " of " + text.length + " leaves no other text");
    }
    int[] shorter = new int[text.length - (to - from)];
    System.arraycopy(text, 0, shorter, 0, from);
    System.arraycopy(text, to, shorter, from, text.length - to);
    return last(List.of(shorter))[0] - original;
  }

  private int[] without(int i, int j) {
    int[] shorter = new int[text.length - (j < 0 ? 1 : 2)];
    int n = 0;
    for (int p = 0; p < text.length; p++) {
      if (p != i && p != j) {
        shorter[n++] = text[p];
      }
    }
    return shorter;
  }

  /** Returns the activation at the last token of each text; all have the same length. */
  private double[] last(List<int[]> texts) {
    HookPoint point = sae.config().point();
    int length = texts.getFirst().length;
    int step = Math.max(1, POSITIONS_AT_A_TIME / length);
    double[] values = new double[texts.size()];
    for (int from = 0; from < texts.size(); from += step) {
      TokenBatch batch = TokenBatch.of(texts.subList(from, Math.min(texts.size(), from + step)));
      Tensor x = gpt2.capture(batch, point.capture()).get(point);
      SparseFeatures features = sae.encode(x.slice(Axis.POS, length - 1, length));
      for (int row = 0; row < batch.rows(); row++) {
        values[from + row] = features.get(row, feature);
      }
    }
    return values;
  }
}

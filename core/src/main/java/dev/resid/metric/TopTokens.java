package dev.resid.metric;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.ByteLevelBpe;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The most probable next tokens of one position. */
public final class TopTokens {
  private TopTokens() {}

  /**
   * One candidate.
   *
   * @param id its token id
   * @param text its text, as the tokenizer prints it
   * @param logProbNats ln of its probability
   */
  public record Candidate(int id, String text, double logProbNats) {}

  /**
   * Returns the k most probable tokens, the most probable first, the lowest id among equals.
   *
   * @param logits [batch, pos, d_vocab]
   * @param row which row
   * @param pos which position
   * @param k how many, at least 1
   * @param tokenizer gives their texts
   */
  public static List<Candidate> at(Tensor logits, int row, int pos, int k, ByteLevelBpe tokenizer) {
    Tensor one = logits.at(Axis.BATCH, row).slice(Axis.POS, pos, pos + 1);
    double[] logProbs = LogSoftmax.rows(one)[0];
    List<Candidate> best = new ArrayList<>();
    IntStream.range(0, logProbs.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer v) -> -logProbs[v]).thenComparing(v -> v))
        .limit(k)
        .forEach(v -> best.add(new Candidate(v, tokenizer.text(v), logProbs[v])));
    return best;
  }
}

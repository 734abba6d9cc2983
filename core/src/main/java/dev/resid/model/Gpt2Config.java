package dev.resid.model;

import dev.resid.tensor.Activation;
import dev.resid.tokenizer.TokenBatch;
import java.util.OptionalInt;

/**
 * What a GPT-2 checkpoint says about its architecture.
 *
 * @param nLayers blocks
 * @param nHeads attention heads a block
 * @param dModel width of the residual stream, a multiple of {@code nHeads}
 * @param dMlp width of the hidden layer of the MLP
 * @param dVocab tokens
 * @param nCtx positions
 * @param activation activation function of the MLP
 * @param layerNormEpsilon added to the variance in every layer norm
 * @param scores how query-key products are scaled
 * @param embeddings whether the unembedding is the embedding
 * @param bosToken token that begins a text, if the checkpoint names one
 * @param eosToken token that ends a text, if the checkpoint names one
 */
public record Gpt2Config(
    int nLayers,
    int nHeads,
    int dModel,
    int dMlp,
    int dVocab,
    int nCtx,
    Activation activation,
    double layerNormEpsilon,
    ScoreScale scores,
    Embeddings embeddings,
    OptionalInt bosToken,
    OptionalInt eosToken) {

  /** Whether the unembedding is the embedding. */
  public enum Embeddings {
    /** W_U is the transpose of W_E. */
    TIED,
    /** W_U is a weight of its own. */
    UNTIED
  }

  /**
   * How query-key products are scaled: the two switches {@code scale_attn_weights} and {@code
   * scale_attn_by_inverse_layer_idx}.
   */
  public enum ScoreScale {
    /** 1. */
    NONE,
    /** 1/√d_head, the usual one. */
    BY_WIDTH,
    /** 1/(layer + 1). */
    BY_LAYER,
    /** 1/(√d_head·(layer + 1)). */
    BY_WIDTH_AND_LAYER
  }

  /** Checks the ranges. */
  public Gpt2Config {
    positive("n_layer", nLayers);
    positive("n_head", nHeads);
    positive("n_embd", dModel);
    positive("n_inner", dMlp);
    positive("vocab_size", dVocab);
    positive("n_positions", nCtx);
    if (dModel % nHeads != 0) {
      throw new IllegalArgumentException(
          "n_embd is " + dModel + ", not a multiple of n_head " + nHeads);
    }
    if (!(layerNormEpsilon >= 0 && layerNormEpsilon < 1)) {
      throw new IllegalArgumentException(
          "layer_norm_epsilon is " + layerNormEpsilon + ", must be from 0 to below 1");
    }
  }

  /**
   * Returns a configuration with GPT-2's defaults: MLP of 4·d_model, gelu_new, ε 1e-5, scores
   * scaled by width, tied embeddings, no special tokens.
   *
   * @param nLayers blocks
   * @param nHeads heads a block
   * @param dModel width of the residual stream
   * @param dVocab tokens
   * @param nCtx positions
   */
  public static Gpt2Config of(int nLayers, int nHeads, int dModel, int dVocab, int nCtx) {
    return new Gpt2Config(
        nLayers,
        nHeads,
        dModel,
        4 * dModel,
        dVocab,
        nCtx,
        Activation.GELU_NEW,
        1e-5,
        ScoreScale.BY_WIDTH,
        Embeddings.TIED,
        OptionalInt.empty(),
        OptionalInt.empty());
  }

  /** Returns the width of one head. */
  public int dHead() {
    return dModel / nHeads;
  }

  /** Returns the factor on query-key products in a block. */
  public double scoreScale(int layer) {
    return switch (scores) {
      case NONE -> 1;
      case BY_WIDTH -> 1 / Math.sqrt(dHead());
      case BY_LAYER -> 1.0 / (layer + 1);
      case BY_WIDTH_AND_LAYER -> 1 / (Math.sqrt(dHead()) * (layer + 1));
    };
  }

  /**
   * Returns whether blocks and width are those of GPT-2 small, 12 and 768, for which publications
   * chose their lengths and thresholds.
   */
  public boolean hasGpt2SmallSize() {
    return nLayers == 12 && dModel == 768;
  }

  /** Returns the number of parameters; a tied unembedding counts once, b_U not at all. */
  public long parameters() {
    long d = dModel;
    long block = 4 * d * d + 4 * d + 2 * d * dMlp + dMlp + d + 4 * d;
    long embeddingCount = embeddings == Embeddings.TIED ? 1 : 2;
    return nLayers * block + embeddingCount * d * dVocab + d * nCtx + 2 * d;
  }

  /** Refuses rows that a model of this kind cannot be run on. */
  void requireTokens(TokenBatch tokens) {
    for (int row = 0; row < tokens.rows(); row++) {
      if (tokens.length(row) > nCtx) {
        throw new IllegalArgumentException(
            "row "
                + row
                + " has "
                + tokens.length(row)
                + " tokens, the model's context is "
                + nCtx
                + "; cut the row");
      }
      for (int pos = 0; pos < tokens.length(row); pos++) {
        int id = tokens.id(row, pos);
        if (id < 0 || id >= dVocab) {
          throw new IllegalArgumentException(
              "token "
                  + id
                  + " at row "
                  + row
                  + ", position "
                  + pos
                  + " is outside the vocabulary of "
                  + dVocab
                  + "; was it encoded with another tokenizer?");
        }
      }
    }
  }

  /** Returns this with other tokens that begin and end a text, each empty for none. */
  public Gpt2Config withSpecialTokens(OptionalInt bos, OptionalInt eos) {
    return with(embeddings, bos, eos);
  }

  /** Returns this with an unembedding of its own. */
  Gpt2Config untied() {
    return with(Embeddings.UNTIED, bosToken, eosToken);
  }

  private Gpt2Config with(Embeddings unembedding, OptionalInt bos, OptionalInt eos) {
    return new Gpt2Config(
        nLayers,
        nHeads,
        dModel,
        dMlp,
        dVocab,
        nCtx,
        activation,
        layerNormEpsilon,
        scores,
        unembedding,
        bos,
        eos);
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ", must be at least 1");
    }
  }
}

package dev.resid.hook;

import static dev.resid.tensor.Axis.BATCH;
import static dev.resid.tensor.Axis.D_HEAD;
import static dev.resid.tensor.Axis.D_MLP;
import static dev.resid.tensor.Axis.D_MODEL;
import static dev.resid.tensor.Axis.HEAD;
import static dev.resid.tensor.Axis.KEY_POS;
import static dev.resid.tensor.Axis.ONE;
import static dev.resid.tensor.Axis.POS;

import dev.resid.tensor.Axis;
import java.util.List;

/**
 * The one table of activations: TransformerLens name, axes, definition. Everything that names an
 * activation (code, documents, tests, command line) reads it here. Constants stand in the order in
 * which the forward pass reaches them.
 */
public enum Site {
  /** Rows of W_E. */
  EMBED("hook_embed", Place.MODEL, BATCH, POS, D_MODEL),
  /** Rows of W_pos. */
  POS_EMBED("hook_pos_embed", Place.MODEL, BATCH, POS, D_MODEL),
  /** The residual stream entering a block. */
  RESID_PRE("hook_resid_pre", Place.BLOCK, BATCH, POS, D_MODEL),
  /** √(variance + ε) of the stream before attention: what the layer norm divides by. */
  LN1_SCALE("ln1.hook_scale", Place.BLOCK, BATCH, POS, ONE),
  /** Output of the layer norm before attention, after γ and β. */
  LN1_NORMALIZED("ln1.hook_normalized", Place.BLOCK, BATCH, POS, D_MODEL),
  /** Queries, bias included. */
  Q("attn.hook_q", Place.BLOCK, BATCH, POS, HEAD, D_HEAD),
  /** Keys, bias included. */
  K("attn.hook_k", Place.BLOCK, BATCH, POS, HEAD, D_HEAD),
  /** Values, bias included. */
  V("attn.hook_v", Place.BLOCK, BATCH, POS, HEAD, D_HEAD),
  /** Scaled products of queries and keys before the softmax; masked entries are −∞. */
  ATTN_SCORES("attn.hook_attn_scores", Place.BLOCK, BATCH, HEAD, POS, KEY_POS),
  /** Softmax of the scores; masked entries are 0. */
  PATTERN("attn.hook_pattern", Place.BLOCK, BATCH, HEAD, POS, KEY_POS),
  /** Values weighted by the pattern, before the output projection. */
  Z("attn.hook_z", Place.BLOCK, BATCH, POS, HEAD, D_HEAD),
  /** What each head adds to the stream, without b_O; the sum over heads plus b_O is attn_out. */
  RESULT("attn.hook_result", Place.BLOCK, BATCH, POS, HEAD, D_MODEL),
  /** What attention adds to the stream, b_O included. */
  ATTN_OUT("hook_attn_out", Place.BLOCK, BATCH, POS, D_MODEL),
  /** The stream between attention and MLP: resid_pre + attn_out. */
  RESID_MID("hook_resid_mid", Place.BLOCK, BATCH, POS, D_MODEL),
  /** √(variance + ε) of the stream before the MLP. */
  LN2_SCALE("ln2.hook_scale", Place.BLOCK, BATCH, POS, ONE),
  /** Output of the layer norm before the MLP, after γ and β. */
  LN2_NORMALIZED("ln2.hook_normalized", Place.BLOCK, BATCH, POS, D_MODEL),
  /** Hidden layer of the MLP before its activation function. */
  MLP_PRE("mlp.hook_pre", Place.BLOCK, BATCH, POS, D_MLP),
  /** Hidden layer of the MLP after its activation function. */
  MLP_POST("mlp.hook_post", Place.BLOCK, BATCH, POS, D_MLP),
  /** What the MLP adds to the stream, b_out included. */
  MLP_OUT("hook_mlp_out", Place.BLOCK, BATCH, POS, D_MODEL),
  /** The residual stream leaving a block: resid_mid + mlp_out. */
  RESID_POST("hook_resid_post", Place.BLOCK, BATCH, POS, D_MODEL),
  /** √(variance + ε) of the stream before the unembedding. */
  LN_FINAL_SCALE("ln_final.hook_scale", Place.MODEL, BATCH, POS, ONE),
  /** Output of the final layer norm, after γ and β: what W_U reads. */
  LN_FINAL_NORMALIZED("ln_final.hook_normalized", Place.MODEL, BATCH, POS, D_MODEL);

  private enum Place {
    MODEL,
    BLOCK
  }

  private final String suffix;
  private final Place place;
  private final List<Axis> axes;

  Site(String suffix, Place place, Axis... axes) {
    this.suffix = suffix;
    this.place = place;
    this.axes = List.of(axes);
  }

  /** Returns the TransformerLens name without the block, for example {@code hook_resid_pre}. */
  public String suffix() {
    return suffix;
  }

  /** Returns whether every block has this site; the others occur once in the model. */
  public boolean inBlock() {
    return place == Place.BLOCK;
  }

  /** Returns the axes of the activation, outermost first. */
  public List<Axis> axes() {
    return axes;
  }
}

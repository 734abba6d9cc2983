package dev.resid.model;

import static dev.resid.tensor.Axis.D_HEAD;
import static dev.resid.tensor.Axis.D_MLP;
import static dev.resid.tensor.Axis.D_MODEL;
import static dev.resid.tensor.Axis.D_VOCAB;
import static dev.resid.tensor.Axis.HEAD;
import static dev.resid.tensor.Axis.N_CTX;
import static dev.resid.tensor.Axis.OUT;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Dim;
import dev.resid.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * The one table of weights: our name (the paper's symbol), the key in a Hugging Face checkpoint,
 * the TransformerLens name, and the shape we keep it in.
 *
 * <p>Query, key and value weights share one tensor in the file, {@code attn.c_attn}: its columns
 * are all of Q, then K, then V. Attention weights are kept as matrices whose head axis and d_head
 * axis are flattened; TransformerLens splits them.
 */
public enum WeightNames {
  /** Token embedding. */
  W_E("wte.weight", "embed.W_E", Place.MODEL, D_VOCAB, D_MODEL),
  /** Position embedding. */
  W_pos("wpe.weight", "pos_embed.W_pos", Place.MODEL, N_CTX, D_MODEL),
  /** Gain of the layer norm before attention. */
  ln1_gamma("ln_1.weight", "ln1.w", Place.BLOCK, D_MODEL),
  /** Offset of the layer norm before attention. */
  ln1_beta("ln_1.bias", "ln1.b", Place.BLOCK, D_MODEL),
  /** Query weights, columns head by head. */
  W_Q("attn.c_attn.weight", "attn.W_Q", Place.BLOCK, D_MODEL, OUT),
  /** Key weights, columns head by head. */
  W_K("attn.c_attn.weight", "attn.W_K", Place.BLOCK, D_MODEL, OUT),
  /** Value weights, columns head by head. */
  W_V("attn.c_attn.weight", "attn.W_V", Place.BLOCK, D_MODEL, OUT),
  /** Query biases, head by head. */
  b_Q("attn.c_attn.bias", "attn.b_Q", Place.BLOCK, OUT),
  /** Key biases, head by head. */
  b_K("attn.c_attn.bias", "attn.b_K", Place.BLOCK, OUT),
  /** Value biases, head by head. */
  b_V("attn.c_attn.bias", "attn.b_V", Place.BLOCK, OUT),
  /** Output projection of attention, rows head by head. */
  W_O("attn.c_proj.weight", "attn.W_O", Place.BLOCK, OUT, D_MODEL),
  /** Output bias of attention. */
  b_O("attn.c_proj.bias", "attn.b_O", Place.BLOCK, D_MODEL),
  /** Gain of the layer norm before the MLP. */
  ln2_gamma("ln_2.weight", "ln2.w", Place.BLOCK, D_MODEL),
  /** Offset of the layer norm before the MLP. */
  ln2_beta("ln_2.bias", "ln2.b", Place.BLOCK, D_MODEL),
  /** Input weights of the MLP. */
  W_in("mlp.c_fc.weight", "mlp.W_in", Place.BLOCK, D_MODEL, D_MLP),
  /** Input biases of the MLP. */
  b_in("mlp.c_fc.bias", "mlp.b_in", Place.BLOCK, D_MLP),
  /** Output weights of the MLP. */
  W_out("mlp.c_proj.weight", "mlp.W_out", Place.BLOCK, D_MLP, D_MODEL),
  /** Output bias of the MLP. */
  b_out("mlp.c_proj.bias", "mlp.b_out", Place.BLOCK, D_MODEL),
  /** Gain of the final layer norm. */
  lnFinal_gamma("ln_f.weight", "ln_final.w", Place.MODEL, D_MODEL),
  /** Offset of the final layer norm. */
  lnFinal_beta("ln_f.bias", "ln_final.b", Place.MODEL, D_MODEL),
  /**
   * The unembedding, transposed as the file has it; its TransformerLens twin is [d_model, d_vocab].
   * Equal to {@link #W_E} in a tied model.
   */
  W_U("lm_head.weight", "unembed.W_U", Place.MODEL, D_VOCAB, D_MODEL),
  /** Bias of the unembedding: not in any file, 0 unless a transformation made one. */
  b_U("", "unembed.b_U", Place.MODEL, D_VOCAB);

  private enum Place {
    MODEL,
    BLOCK
  }

  private final String fileKey;
  private final String lensName;
  private final Place place;
  private final List<Axis> axes;

  WeightNames(String fileKey, String lensName, Place place, Axis... axes) {
    this.fileKey = fileKey;
    this.lensName = lensName;
    this.place = place;
    this.axes = List.of(axes);
  }

  /** Returns whether every block has this weight. */
  public boolean inBlock() {
    return place == Place.BLOCK;
  }

  /** Returns whether the file keeps this weight as a third of {@code attn.c_attn}. */
  public boolean isFused() {
    return fusedThird() >= 0;
  }

  int fusedThird() {
    return switch (this) {
      case W_Q, b_Q -> 0;
      case W_K, b_K -> 1;
      case W_V, b_V -> 2;
      default -> -1;
    };
  }

  /**
   * Returns the key in a checkpoint without the prefix {@code transformer.}, for example {@code
   * h.3.mlp.c_fc.weight}.
   *
   * @param layer block number; ignored for weights outside the blocks
   */
  public String fileKey(int layer) {
    return inBlock() ? "h." + layer + "." + fileKey : fileKey;
  }

  /**
   * Returns the TransformerLens name, for example {@code blocks.3.mlp.W_in}.
   *
   * @param layer block number; ignored for weights outside the blocks
   */
  public String lensName(int layer) {
    return inBlock() ? "blocks." + layer + "." + lensName : lensName;
  }

  /** Returns the shape in a model of this configuration. */
  public Shape shape(Gpt2Config config) {
    List<Dim> dims = new ArrayList<>();
    for (Axis axis : axes) {
      int size =
          switch (axis.name()) {
            case "d_vocab" -> config.dVocab();
            case "d_model", "out" -> config.dModel();
            case "n_ctx" -> config.nCtx();
            case "d_mlp" -> config.dMlp();
            default -> throw new IllegalStateException("no size for axis " + axis);
          };
      dims.add(new Dim(axis, size));
    }
    return new Shape(dims);
  }

  /**
   * Returns the shape TransformerLens keeps the weight in: attention weights split by head, {@code
   * W_U} transposed.
   */
  public Shape lensShape(Gpt2Config config) {
    int heads = config.nHeads();
    int width = config.dHead();
    int model = config.dModel();
    return switch (this) {
      case W_Q, W_K, W_V -> Shape.of(HEAD, heads, D_MODEL, model, D_HEAD, width);
      case b_Q, b_K, b_V -> Shape.of(HEAD, heads, D_HEAD, width);
      case W_O -> Shape.of(HEAD, heads, D_HEAD, width, D_MODEL, model);
      case W_U -> Shape.of(D_MODEL, model, D_VOCAB, config.dVocab());
      default -> shape(config);
    };
  }
}

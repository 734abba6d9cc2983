package dev.resid.tensor;

/**
 * The name of a tensor axis. The constants are the only names the library itself uses; other code
 * may add its own.
 *
 * @param name the word printed in shapes, for example {@code d_model}
 */
public record Axis(String name) {
  /** Independent token rows. */
  public static final Axis BATCH = new Axis("batch");

  /** Position of the token whose activation this is (the query position in attention). */
  public static final Axis POS = new Axis("pos");

  /** Position looked at by attention. */
  public static final Axis KEY_POS = new Axis("key_pos");

  /** Attention head. */
  public static final Axis HEAD = new Axis("head");

  /** Width of the residual stream. */
  public static final Axis D_MODEL = new Axis("d_model");

  /** Width of one head. */
  public static final Axis D_HEAD = new Axis("d_head");

  /** Width of the hidden layer of the MLP. */
  public static final Axis D_MLP = new Axis("d_mlp");

  /** Tokens of the vocabulary. */
  public static final Axis D_VOCAB = new Axis("d_vocab");

  /** Features of a sparse autoencoder. */
  public static final Axis D_SAE = new Axis("d_sae");

  /** Positions a model has embeddings for. */
  public static final Axis N_CTX = new Axis("n_ctx");

  /** Perturbation lengths. */
  public static final Axis LENGTH = new Axis("length");

  /** Rows of a matrix of activations, every leading axis flattened. */
  public static final Axis ROW = new Axis("row");

  /** Input side of a weight matrix. */
  public static final Axis IN = new Axis("in");

  /** Output side of a weight matrix. */
  public static final Axis OUT = new Axis("out");

  /** The axis of a per-row scalar that is kept for broadcasting; its size is 1. */
  public static final Axis ONE = new Axis("one");

  @Override
  public String toString() {
    return name;
  }
}

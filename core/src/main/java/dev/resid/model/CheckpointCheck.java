package dev.resid.model;

import dev.resid.io.TensorFile;
import dev.resid.io.TensorInfo;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether a checkpoint's tensors and its configuration belong together. */
final class CheckpointCheck {
  private static final System.Logger LOG = System.getLogger(Gpt2Checkpoint.class.getName());
  private static final Pattern BLOCK = Pattern.compile("(?:transformer\\.)?h\\.([0-9]{1,9})\\..*");
  private static final int COMPARED = 1 << 16;

  private final Gpt2Checkpoint checkpoint;
  private final Map<String, TensorFile> files;
  private final Gpt2Config config;
  private final Path dir;

  /**
   * Prepares the check.
   *
   * @param checkpoint what is checked
   * @param files the file of every tensor
   */
  CheckpointCheck(Gpt2Checkpoint checkpoint, Map<String, TensorFile> files) {
    this.checkpoint = checkpoint;
    this.files = files;
    this.config = checkpoint.config();
    this.dir = checkpoint.dir();
  }

  /** Refuses a checkpoint whose tensors are not those of its configuration. */
  void require() throws CheckpointException {
    // Before anything is made for every block: a block has more than one tensor.
    if (config.nLayers() > files.size()) {
      throw new CheckpointException(
          dir
              + ": config.json says n_layer is "
              + config.nLayers()
              + ", but the weight files hold"
              + " only "
              + files.size()
              + " tensors; they do not belong together");
    }
    Map<String, TensorInfo> all = checkpoint.tensors();
    TreeMap<String, TensorInfo> unused = new TreeMap<>(all);
    for (Weight weight : Weight.all(config)) {
      boolean optional =
          weight.name() == WeightNames.b_U
              || (weight.name() == WeightNames.W_U && config.embeddings() == Embeddings.TIED);
      TensorInfo info = all.get(checkpoint.key(weight));
      unused.remove(checkpoint.key(weight));
      if (info == null && !optional) {
        throw new CheckpointException(
            dir
                + ": tensor "
                + checkpoint.key(weight)
                + " is missing; the checkpoint is incomplete"
                + (weight.name() == WeightNames.W_U ? " (tie_word_embeddings is false)" : ""));
      }
      if (info != null && !info.fits(checkpoint.fileShape(weight))) {
        throw new CheckpointException(
            dir
                + ": tensor "
                + checkpoint.key(weight)
                + " is "
                + info.shape()
                + ", config.json says "
                + checkpoint.fileShape(weight)
                + "; they do not belong together");
      }
      if (info != null && !info.dtype().isFloat()) {
        throw new CheckpointException(
            dir
                + ": tensor "
                + checkpoint.key(weight)
                + " is stored as "
                + info.dtype()
                + ", supported are F16, BF16, F32 and F64; convert the checkpoint first");
      }
    }
    checkTied();
    requireNoFurtherBlock(unused.keySet());
    unused.keySet().removeIf(CheckpointCheck::isBuffer);
    if (!unused.isEmpty()) {
      LOG.log(
          System.Logger.Level.WARNING,
          "{0}: these tensors belong to no GPT-2 weight and are not used: {1}",
          dir,
          unused.keySet());
    }
  }

  /** A model cut short by its configuration would run, and be another model. */
  private void requireNoFurtherBlock(Set<String> unused) throws CheckpointException {
    for (String name : unused) {
      Matcher block = BLOCK.matcher(name);
      if (block.matches() && Integer.parseInt(block.group(1)) >= config.nLayers()) {
        throw new CheckpointException(
            dir
                + ": tensor "
                + name
                + " is of a block that config.json does not have: n_layer is "
                + config.nLayers()
                + "; they do not belong together");
      }
    }
  }

  private void checkTied() throws CheckpointException {
    String head = checkpoint.key(Weight.of(WeightNames.W_U));
    if (config.embeddings() == Embeddings.UNTIED || !files.containsKey(head)) {
      return;
    }
    try {
      Tensor given = files.get(head).mapped(head, checkpoint.fileShape(Weight.of(WeightNames.W_U)));
      Tensor embedding = checkpoint.mapped(Weight.of(WeightNames.W_E));
      int width = config.dModel();
      int some = Math.max(1, COMPARED / width);
      float[] a = new float[some * width];
      float[] b = new float[some * width];
      for (int v = 0; v < config.dVocab(); v += some) {
        int count = Math.min(some, config.dVocab() - v) * width;
        given.storage().read((long) v * width, a, 0, count);
        embedding.storage().read((long) v * width, b, 0, count);
        int different = Arrays.mismatch(a, 0, count, b, 0, count);
        if (different >= 0) {
          throw new CheckpointException(
              dir
                  + ": lm_head.weight differs from the embedding at token "
                  + (v + different / width)
                  + " although tie_word_embeddings is true; set it to false to use lm_head");
        }
      }
    } catch (CheckpointException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Mask buffers and heads that other tools store beside the weights. */
  private static boolean isBuffer(String name) {
    return name.endsWith(".attn.bias")
        || name.endsWith(".attn.masked_bias")
        || name.contains(".crossattention.")
        || name.startsWith("score.")
        || name.startsWith("multiple_choice_head.")
        || name.startsWith("classifier.");
  }
}

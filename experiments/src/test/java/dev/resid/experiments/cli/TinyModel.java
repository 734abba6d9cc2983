package dev.resid.experiments.cli;

import dev.resid.io.DType;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.BpeTrainer;
import dev.resid.tokenizer.ByteLevelBpe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Small models, saved as folders that a user could have. */
final class TinyModel {
  /** Tokens of {@link #bytes}: 256 bytes and the end of text. */
  static final int TOKENS = 257;

  /** Id of the end of text. */
  static final int END = 256;

  /** Two blocks of two heads and width 8 each, for {@link #bytes}, with 24 positions. */
  static final Gpt2Config CONFIG = config(2, 2, 16, 24, Embeddings.TIED);

  private TinyModel() {}

  private static Gpt2Config config(
      int layers, int heads, int width, int positions, Embeddings embeddings) {
    Gpt2Config usual = Gpt2Config.of(layers, heads, width, TOKENS, positions);
    return new Gpt2Config(
        layers,
        heads,
        width,
        usual.dMlp(),
        TOKENS,
        positions,
        usual.activation(),
        usual.layerNormEpsilon(),
        usual.scores(),
        embeddings,
        OptionalInt.of(END),
        OptionalInt.of(END));
  }

  /** Returns weights of which each one matters: no bias is 0 and no gain is 1. */
  static Gpt2Weights random(Gpt2Config config, long seed) {
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : given(config)) {
      float[] values = new float[Math.toIntExact(weight.name().shape(config).elements())];
      new CounterRandom(seed).fillNormal(tensors.size(), 0, values);
      boolean gain = weight.lensName().endsWith(".w");
      for (int i = 0; i < values.length; i++) {
        values[i] = gain ? 1 + 0.2f * values[i] : 0.3f * values[i];
      }
      tensors.put(weight, Tensor.wrap(weight.name().shape(config), values));
    }
    return Gpt2Weights.of(config, tensors);
  }

  /** Writes a random model without a tokenizer and returns its folder. */
  static Path save(Path dir, long seed) throws IOException {
    Gpt2Checkpoint.save(random(CONFIG, seed), DType.F32, dir);
    return dir;
  }

  /** Writes a random model with {@link #bytes} and returns its folder. */
  static Path saveWithTokenizer(Path dir, long seed) throws IOException {
    return saveWithTokenizer(dir, seed, CONFIG.nCtx());
  }

  /** Writes such a model of so many positions and returns its folder. */
  static Path saveWithTokenizer(Path dir, long seed, int positions) throws IOException {
    Gpt2Config longer = config(2, 2, 16, positions, Embeddings.TIED);
    Gpt2Checkpoint.save(random(longer, seed), DType.F32, dir);
    bytes(dir).save(dir);
    return dir;
  }

  /**
   * Writes a model with {@link #bytes} that has learnt one text by heart, byte after byte, and
   * returns its folder: after the last token it goes on with the first one.
   *
   * @param tokens different from each other
   */
  static Path saveReciter(Path dir, int... tokens) throws IOException {
    Gpt2Config config = config(1, 1, tokens.length, 40, Embeddings.UNTIED);
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : given(config)) {
      Shape shape = weight.name().shape(config);
      float[] values = new float[Math.toIntExact(shape.elements())];
      switch (weight.name()) {
        case lnFinal_gamma -> Arrays.fill(values, 1);
        case W_E, W_U -> {
          // Token i is direction i; direction i asks for token i + 1.
          for (int i = 0; i < tokens.length; i++) {
            int token =
                weight.name() == WeightNames.W_E ? tokens[i] : tokens[(i + 1) % tokens.length];
            values[token * tokens.length + i] = 1;
          }
        }
        default -> {}
      }
      tensors.put(weight, Tensor.wrap(shape, values));
    }
    Gpt2Checkpoint.save(Gpt2Weights.of(config, tensors), DType.F32, dir);
    bytes(dir).save(dir);
    return dir;
  }

  /** Returns the UTF-8 bytes of a text, as ids of {@link #bytes}. */
  static int[] ids(Path model, String text) {
    try {
      return ByteLevelBpe.load(model).encodeToIds(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns a tokenizer without merges. */
  private static ByteLevelBpe bytes(Path dir) throws IOException {
    Path any = Files.write(dir.resolve("any.txt"), "ab".getBytes(StandardCharsets.US_ASCII));
    ByteLevelBpe tokenizer = new BpeTrainer(TOKENS).train(List.of(any));
    Files.delete(any);
    if (tokenizer.vocabularySize() != TOKENS || tokenizer.endOfText().orElse(-1) != END) {
      throw new AssertionError("not the tokenizer that these tests count on: " + tokenizer);
    }
    return tokenizer;
  }

  private static List<Weight> given(Gpt2Config config) {
    return Weight.all(config).stream()
        .filter(weight -> weight.name() != WeightNames.b_U)
        .filter(
            weight -> weight.name() != WeightNames.W_U || config.embeddings() == Embeddings.UNTIED)
        .toList();
  }
}

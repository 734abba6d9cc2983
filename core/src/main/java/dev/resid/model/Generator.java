package dev.resid.model;

import dev.resid.hook.Hook;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntConsumer;

/**
 * Continues text one token at a time. Keys and values of earlier positions are cached, so a new
 * token costs one position; hooks act on every pass, at its true positions (see {@link
 * dev.resid.hook.At}).
 */
public final class Generator {
  private final PackedModel model;
  private final Optional<ByteLevelBpe> tokenizer;
  private final Sampling sampling;

  Generator(PackedModel model, Optional<ByteLevelBpe> tokenizer, Sampling sampling) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.sampling = sampling;
  }

  /**
   * Returns the new tokens.
   *
   * @param prompt at least one id
   * @param maxNew how many tokens to add at most; prompt and new tokens must fit the context
   * @param hooks replacements; captures are refused, since every pass would overwrite them
   * @throws IllegalArgumentException if a token, the length or a hook is out of range
   */
  public int[] generate(int[] prompt, int maxNew, Hook... hooks) {
    return generate(prompt, maxNew, OptionalInt.empty(), id -> {}, hooks);
  }

  /**
   * Returns the text that follows a prompt.
   *
   * @param prompt text of at least one token; special tokens in it count as text
   * @param maxNew how many tokens to add at most
   * @param hooks replacements
   * @throws IllegalStateException if the model has no tokenizer
   * @throws IllegalArgumentException if the prompt is empty or does not fit, or a hook is out of
   *     range
   */
  public String generate(String prompt, int maxNew, Hook... hooks) {
    ByteLevelBpe bpe =
        tokenizer.orElseThrow(
            () ->
                new IllegalStateException(
                    "the model has no tokenizer, so it cannot read text; pass token ids"));
    return bpe.decode(generate(bpe.encodeToIds(prompt, SpecialTokens.AS_TEXT), maxNew, hooks));
  }

  /**
   * Returns the new tokens, telling each as soon as it is chosen.
   *
   * @param prompt at least one id
   * @param maxNew how many tokens to add at most; prompt and new tokens must fit the context
   * @param stop token that ends the text when chosen, and is not returned
   * @param listener told every new token
   * @param hooks replacements
   * @throws IllegalArgumentException if a token, the length or a hook is out of range
   */
  public int[] generate(
      int[] prompt, int maxNew, OptionalInt stop, IntConsumer listener, Hook... hooks) {
    requireRoom(prompt, maxNew);
    HookPlan plan = new HookPlan(model.config(), hooks);
    if (plan.lastCapture().isPresent()) {
      throw new IllegalArgumentException(
          plan.lastCapture().get()
              + " cannot be captured while generating; capture it in a forward pass of the result");
    }
    int[] added = new int[maxNew];
    int count = 0;
    KeyValues cached = new KeyValues(model.backend(), model.config(), 0, 1, prompt.length + maxNew);
    int[] next = prompt;
    int first = 0;
    while (count < maxNew) {
      Tensor logits = lastLogits(next, first, cached, plan);
      first += next.length;
      int token = choose(logits.toArray(), first);
      if (stop.isPresent() && token == stop.getAsInt()) {
        break;
      }
      listener.accept(token);
      added[count++] = token;
      next = new int[] {token};
    }
    return Arrays.copyOf(added, count);
  }

  private void requireRoom(int[] prompt, int maxNew) {
    if (prompt.length == 0) {
      throw new IllegalArgumentException(
          "the prompt is empty; give at least one token, for example the end-of-text token");
    }
    if (maxNew < 0) {
      throw new IllegalArgumentException("maxNew is " + maxNew + ", must be at least 0");
    }
    int nCtx = model.config().nCtx();
    if (prompt.length + (long) maxNew > nCtx) {
      throw new IllegalArgumentException(
          "a prompt of "
              + prompt.length
              + " tokens and "
              + maxNew
              + " new ones do not fit the context of "
              + nCtx
              + "; ask for at most "
              + Math.max(0, nCtx - prompt.length));
    }
    model.config().requireTokens(TokenBatch.of(prompt));
  }

  /** Returns the logits of the last position, [batch=1, pos=1, d_vocab]. */
  private Tensor lastLogits(int[] ids, int first, KeyValues cached, HookPlan plan) {
    Backend backend = model.backend();
    Hooks hooks = new Hooks(plan, backend, new int[] {first + ids.length});
    try (var scope = backend.scope()) {
      Gpt2Forward forward =
          new Gpt2Forward(
              model,
              new PassMemory.Plain(scope),
              hooks,
              new Gpt2Forward.Extent(1, ids.length, first),
              Optional.of(cached));
      Tensor x = forward.blocks(forward.embed(ids), 0, model.config().nLayers());
      Tensor normalized = forward.finish(x);
      Tensor last = scope.take(normalized.shape().with(Axis.POS, 1));
      backend.extract(normalized, Axis.POS, ids.length - 1, last);
      return Unembedding.logits(model, last);
    }
  }

  private int choose(float[] logits, int position) {
    int vocabulary = logits.length;
    int kept = sampling.temperature() == 0 ? 1 : Math.min(sampling.topK(), vocabulary);
    Tensor row =
        Tensor.wrap(dev.resid.tensor.Shape.of(Axis.ROW, 1, Axis.D_VOCAB, vocabulary), logits);
    TopK top = model.backend().topK(row, kept);
    if (kept == 1) {
      return top.indices()[0];
    }
    double[] weights = new double[kept];
    double total = 0;
    for (int i = 0; i < kept; i++) {
      double scaled = ((double) top.values()[i] - top.values()[0]) / sampling.temperature();
      weights[i] = StrictMath.exp(scaled);
      total += weights[i];
    }
    double limit = sampling.topP() * total;
    double reached = 0;
    int candidates = 0;
    while (candidates < kept && (candidates == 0 || reached < limit)) {
      reached += weights[candidates++];
    }
    double draw = new CounterRandom(sampling.seed()).uniform(0, position, 0) * reached;
    for (int i = 0; i < candidates; i++) {
      draw -= weights[i];
      if (draw < 0) {
        return top.indices()[i];
      }
    }
    return top.indices()[candidates - 1];
  }
}

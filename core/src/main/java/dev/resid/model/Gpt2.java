package dev.resid.model;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.Capture;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A GPT-2: weights on a backend. Immutable and free of hooks; what a call looks at or changes are
 * arguments of that call.
 */
public final class Gpt2 {
  private final PackedModel model;
  private final Optional<ByteLevelBpe> tokenizer;
  private final ModelSource source;

  private Gpt2(PackedModel model, Optional<ByteLevelBpe> tokenizer, ModelSource source) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.source = source;
  }

  /**
   * Returns the model of a Hugging Face directory, with the weights as they are in the files.
   *
   * @param dir holds config.json, safetensors and, for text, tokenizer files
   * @param backend where it runs
   * @throws IOException if a file is missing or damaged; the message names file and key
   */
  public static Gpt2 load(Path dir, Backend backend) throws IOException {
    return load(dir, backend, WeightTransforms.none());
  }

  /**
   * Returns the model of a Hugging Face directory with rewritten weights.
   *
   * @param dir holds config.json, safetensors and, for text, tokenizer files
   * @param backend where it runs
   * @param transforms rewritings to apply
   * @throws IOException if a file is missing or damaged; the message names file and key
   */
  public static Gpt2 load(Path dir, Backend backend, WeightTransforms transforms)
      throws IOException {
    try (Gpt2Checkpoint checkpoint = Gpt2Checkpoint.open(dir)) {
      return new Gpt2(
          new PackedModel(transforms.apply(checkpoint.weights()), backend),
          checkpoint.tokenizer(),
          checkpoint.source());
    } catch (NonFiniteWeightException e) {
      throw new CheckpointException(dir + ": " + e.getMessage());
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /**
   * Returns the model that ships with the library: a small GPT-2 trained by it, with its own
   * tokenizer.
   *
   * @param backend where it runs
   * @throws IOException if the resource cannot be read
   */
  public static Gpt2 embedded(Backend backend) throws IOException {
    return embedded(backend, WeightTransforms.none());
  }

  /**
   * Returns the model that ships with the library, with rewritten weights.
   *
   * @param backend where it runs
   * @param transforms rewritings to apply
   * @throws IOException if the resource cannot be read
   */
  public static Gpt2 embedded(Backend backend, WeightTransforms transforms) throws IOException {
    try (Gpt2Checkpoint checkpoint = Gpt2Checkpoint.embedded()) {
      return new Gpt2(
          new PackedModel(transforms.apply(checkpoint.weights()), backend),
          checkpoint.tokenizer(),
          checkpoint.source());
    }
  }

  /**
   * Returns a model of weights in memory, without a tokenizer.
   *
   * @param weights its weights
   * @param backend where it runs
   */
  public static Gpt2 of(Gpt2Weights weights, Backend backend) {
    return new Gpt2(
        new PackedModel(weights, backend), Optional.empty(), new ModelSource.Fixed("memory", ""));
  }

  /**
   * Returns a model of weights in memory.
   *
   * @param weights its weights
   * @param tokenizer its tokenizer
   * @param backend where it runs
   */
  public static Gpt2 of(Gpt2Weights weights, ByteLevelBpe tokenizer, Backend backend) {
    return new Gpt2(
        new PackedModel(weights, backend),
        Optional.of(tokenizer),
        new ModelSource.Fixed("memory", ""));
  }

  /** Returns the architecture. */
  public Gpt2Config config() {
    return model.config();
  }

  /** Returns the backend the weights are on. */
  public Backend backend() {
    return model.backend();
  }

  /** Returns which rewritings the weights have gone through. */
  public WeightsState weightsState() {
    return model.state();
  }

  /** Returns the weights, read back from the backend one at a time. */
  public Gpt2Weights weights() {
    return model.unpack();
  }

  /**
   * Overwrites the weights in place, for training. Runs made before keep their numbers.
   *
   * @param weights new values of the same architecture and state
   * @throws IllegalArgumentException if the architecture or the state differs
   */
  public void update(Gpt2Weights weights) {
    if (!weights.config().equals(config()) || !weights.state().equals(weightsState())) {
      throw new IllegalArgumentException(
          "new weights are of another architecture or state than the model's");
    }
    model.update(weights);
  }

  /**
   * Returns the tokenizer.
   *
   * @throws IllegalStateException if the model came without one
   */
  public ByteLevelBpe tokenizer() {
    return tokenizer.orElseThrow(
        () ->
            new IllegalStateException(
                "the model "
                    + source.name()
                    + " has no tokenizer files; put vocab.json and merges.txt (or tokenizer.json)"
                    + " beside its weights, or pass token ids"));
  }

  /** Returns whether the model has a tokenizer. */
  public boolean hasTokenizer() {
    return tokenizer.isPresent();
  }

  /**
   * Returns the token that begins a text: the one that the configuration names for that, or else
   * the one that ends a text, or else the tokenizer's; empty if none is named.
   */
  public OptionalInt beginOfText() {
    OptionalInt named = config().bosToken().isPresent() ? config().bosToken() : config().eosToken();
    return named.isPresent() || tokenizer.isEmpty() ? named : tokenizer.get().endOfText();
  }

  /** Returns where the model came from, for records: a directory, {@code embedded} or memory. */
  public String source() {
    return source.name();
  }

  /**
   * Returns the SHA-256 of the weight files, hexadecimal, joined by {@code +} for a sharded model;
   * empty for a model made in memory. Reads the files at every call.
   */
  public String sha256() {
    return source.sha256();
  }

  /**
   * Refuses rows that this model cannot be run on, as every run does.
   *
   * @param tokens rows of ids
   * @throws IllegalArgumentException if an id is not below d_vocab or a row is longer than n_ctx;
   *     the message names row and position
   */
  public void requireTokens(TokenBatch tokens) {
    config().requireTokens(tokens);
  }

  /**
   * Returns the logits of every position and what the hooks captured.
   *
   * @param tokens rows of ids below d_vocab, each at most n_ctx long
   * @param hooks captures and replacements; at one point they act in this order
   * @throws IllegalArgumentException if a token or length is out of range, a hook names a layer the
   *     model lacks, or one point is captured twice
   */
  public ForwardResult forward(TokenBatch tokens, Hook... hooks) {
    Hooks plan = hooks(tokens, hooks);
    try (var scope = backend().scope()) {
      Gpt2Forward forward = pass(tokens, new PassMemory.Plain(scope), plan);
      Tensor x = forward.blocks(forward.embed(ids(tokens)), 0, config().nLayers());
      Tensor logits = Unembedding.logits(model, forward.finish(x));
      return new ForwardResult(logits, plan.cache());
    }
  }

  /**
   * Returns what the hooks captured, without logits: blocks after the last capture are not run.
   *
   * @param tokens rows of ids below d_vocab, each at most n_ctx long
   * @param hooks captures and replacements; at one point they act in this order
   * @throws IllegalArgumentException as {@link #forward}
   */
  public ActivationCache capture(TokenBatch tokens, Hook... hooks) {
    Hooks plan = hooks(tokens, hooks);
    Optional<HookPoint> last = plan.plan().lastCapture();
    if (last.isEmpty()) {
      return plan.cache();
    }
    HookPoint point = last.get();
    try (var scope = backend().scope()) {
      Gpt2Forward forward = pass(tokens, new PassMemory.Plain(scope), plan);
      Tensor x = forward.embed(ids(tokens));
      if (point.site().inBlock()) {
        forward.reach(x, point);
      } else if (HookPoint.residPre(0).isBefore(point)) {
        forward.finish(forward.blocks(x, 0, config().nLayers()));
      }
      return plan.cache();
    }
  }

  /**
   * Returns the cross-entropy of every next token, in nats, without keeping logits.
   *
   * @param tokens rows of ids below d_vocab, each at most n_ctx long
   * @param hooks captures and replacements; at one point they act in this order
   * @throws IllegalArgumentException as {@link #forward}
   */
  public PositionValues crossEntropyNats(TokenBatch tokens, Hook... hooks) {
    Hooks plan = hooks(tokens, hooks);
    try (var scope = backend().scope()) {
      Gpt2Forward forward = pass(tokens, new PassMemory.Plain(scope), plan);
      Tensor x = forward.blocks(forward.embed(ids(tokens)), 0, config().nLayers());
      return Unembedding.crossEntropy(model, forward.finish(x), tokens);
    }
  }

  /**
   * Returns a clean run to continue from changed activations at a point.
   *
   * @param tokens rows of ids below d_vocab, each at most n_ctx long
   * @param point a site of the residual stream, attn_out, mlp_out or z
   * @param keep further points whose clean activations are kept, for {@link Continuation#l2At}
   * @throws IllegalArgumentException as {@link #forward}, or if a run cannot be continued there
   */
  public BaseRun baseRun(TokenBatch tokens, HookPoint point, HookPoint... keep) {
    return baseRuns(tokens, List.of(point), keep).get(point);
  }

  /**
   * Returns one clean run, computed once, to continue from each of some points: {@link #baseRun} of
   * each, in their order.
   *
   * @param tokens rows of ids below d_vocab, each at most n_ctx long
   * @param points sites of the residual stream, attn_out, mlp_out or z; all their clean activations
   *     are kept
   * @param keep further points whose clean activations are kept, for {@link Continuation#l2At}
   * @throws IllegalArgumentException as {@link #forward}, or if a run cannot be continued from one
   */
  public Map<HookPoint, BaseRun> baseRuns(
      TokenBatch tokens, List<HookPoint> points, HookPoint... keep) {
    Capture[] captures =
        BaseRun.needed(config(), points, keep).stream()
            .map(HookPoint::capture)
            .toArray(Capture[]::new);
    Hooks plan = hooks(tokens, captures);
    try (var scope = backend().scope()) {
      Gpt2Forward forward = pass(tokens, new PassMemory.Plain(scope), plan);
      Tensor x = forward.blocks(forward.embed(ids(tokens)), 0, config().nLayers());
      Tensor normalized = forward.finish(x);
      Tensor kept = backend().allocate(normalized.shape());
      backend().copy(normalized, kept);
      return BaseRun.of(model, tokens, points, kept, plan.cache());
    }
  }

  /**
   * Returns how many vectors of d_model a position of one clean run keeps in the memory that the
   * backend computes in. A GPU has its normalised end alone: captured activations lie in the memory
   * of this process.
   *
   * @param points as those of {@link #baseRuns}
   * @throws IllegalArgumentException if a run cannot be continued from one of them
   */
  public int cleanVectors(List<HookPoint> points) {
    int captured = BaseRun.needed(config(), points).size();
    return backend().freeBytes().isPresent() ? 1 : captured + 1;
  }

  /**
   * Returns how many vectors of d_model a position takes there besides when a run is continued from
   * a change that leaves its first positions as they are: caches of keys and values and, where they
   * lie in the same memory, those of the clean run.
   *
   * @param points as those of {@link #baseRuns}
   */
  public int keyVectors(List<HookPoint> points) {
    int first = points.stream().mapToInt(HookPoint::layer).min().orElse(0);
    int caches = 2 * (config().nLayers() - first);
    return backend().freeBytes().isPresent() ? caches : 2 * caches;
  }

  /**
   * Returns the logits of vectors in place of the final layer norm's output, [batch, pos, d_vocab].
   *
   * @param normalized [batch, pos, d_model]
   * @throws ShapeMismatchException if it has other axes or another width
   */
  public Tensor unembed(Tensor normalized) {
    Shape shape = normalized.shape();
    boolean fits =
        shape.rank() == 3
            && shape.has(Axis.BATCH)
            && shape.has(Axis.POS)
            && shape.has(Axis.D_MODEL)
            && shape.last() == config().dModel();
    if (!fits) {
      throw new ShapeMismatchException(
          "unembed() needs [batch, pos, d_model=" + config().dModel() + "], got " + shape);
    }
    return Unembedding.logits(model, normalized);
  }

  /**
   * Returns a recorded run to take gradients of.
   *
   * @param tokens rows of ids below d_vocab, each at most n_ctx long
   * @param hooks captures and replacements; what an intervention returns counts as a constant
   * @throws IllegalArgumentException as {@link #forward}
   */
  public Tape record(TokenBatch tokens, Hook... hooks) {
    Hooks plan = hooks(tokens, hooks);
    return Tape.record(model, tokens, ids(tokens), plan);
  }

  /**
   * Returns a generator of text from this model.
   *
   * @param sampling how the next token is chosen
   */
  public Generator generator(Sampling sampling) {
    return new Generator(model, tokenizer, Objects.requireNonNull(sampling, "sampling"));
  }

  private Gpt2Forward pass(TokenBatch tokens, PassMemory memory, Hooks hooks) {
    return new Gpt2Forward(
        model,
        memory,
        hooks,
        new Gpt2Forward.Extent(tokens.rows(), tokens.maxLength(), 0),
        Optional.empty());
  }

  private Hooks hooks(TokenBatch tokens, Hook... hooks) {
    config().requireTokens(tokens);
    return new Hooks(new HookPlan(config(), hooks), backend(), tokens.lengths());
  }

  private static int[] ids(TokenBatch tokens) {
    return tokens.padded(0);
  }
}

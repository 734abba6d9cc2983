package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.NoSuchActivationException;
import dev.resid.hook.Positions;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Calls that make no sense throw before or at the point, and say what, where and what to do. */
class CallErrorsTest extends OnEachCpuBackend {
  private static final int TOKENS = 11;
  private static final int CONTEXT = 6;

  private final ModelCase model = ModelCase.of(3, Gpt2Config.of(2, 2, 8, TOKENS, CONTEXT));
  private final TokenBatch tokens = TokenBatch.of(model.row(4), model.row(2));
  private Gpt2 gpt2;

  @BeforeEach
  void load() {
    gpt2 = model.on(backend());
  }

  private static void refused(
      Class<? extends RuntimeException> type, Executable call, String... named) {
    RuntimeException error = assertThrows(type, call);
    for (String part : named) {
      assertTrue(error.getMessage().contains(part), part + " is not in: " + error.getMessage());
    }
  }

  private static void refused(Executable call, String... named) {
    refused(IllegalArgumentException.class, call, named);
  }

  /** Every call that runs the model on tokens. */
  private List<Executable> calls(TokenBatch batch, Hook... hooks) {
    return List.of(
        () -> gpt2.forward(batch, hooks),
        () -> gpt2.capture(batch, hooks),
        () -> gpt2.crossEntropyNats(batch, hooks),
        () -> gpt2.record(batch, hooks).close());
  }

  @Test
  void aTokenOutsideTheVocabularyIsNamedWithItsPlace() {
    TokenBatch wrong = TokenBatch.of(new int[] {1, 2}, new int[] {3, TOKENS, 4});
    for (Executable call : calls(wrong)) {
      refused(call, "token " + TOKENS, "row 1", "position 1", "vocabulary of " + TOKENS);
    }
    refused(() -> gpt2.baseRun(wrong, HookPoint.residPre(0)), "token " + TOKENS, "row 1");
    refused(
        () -> gpt2.generator(Sampling.greedy()).generate(new int[] {TOKENS}, 1), "token " + TOKENS);
  }

  @Test
  void aNegativeTokenIsRefused() {
    refused(() -> TokenBatch.of(new int[] {1, -1}), "-1");
    refused(() -> gpt2.generator(Sampling.greedy()).generate(new int[] {-1}, 1), "-1");
  }

  @Test
  void aRowLongerThanTheContextIsNamed() {
    TokenBatch wrong = TokenBatch.of(new int[2], new int[CONTEXT + 1]);
    for (Executable call : calls(wrong)) {
      refused(call, "row 1", (CONTEXT + 1) + " tokens", "context is " + CONTEXT, "cut the row");
    }
    refused(() -> gpt2.baseRun(wrong, HookPoint.residPre(0)), "row 1");
    gpt2.forward(TokenBatch.of(new int[CONTEXT]));
  }

  @Test
  void anEmptyBatchOrRowCannotBeMade() {
    refused(() -> TokenBatch.of(new int[0][]), "at least one row");
    refused(() -> TokenBatch.of(new int[] {1}, new int[0]), "row 1");
  }

  @Test
  void aLayerTheModelLacksIsNamedWithThoseItHas() {
    HookPoint point = HookPoint.residPre(2);
    for (Hook hook : List.<Hook>of(point.capture(), point.replace((x, at) -> x))) {
      for (Executable call : calls(tokens, hook)) {
        refused(call, point.name(), "2 blocks", "0 to 1");
      }
    }
    refused(() -> gpt2.baseRun(tokens, point), point.name(), "2 blocks");
    refused(() -> gpt2.baseRun(tokens, HookPoint.residPre(0), point), point.name(), "2 blocks");
    try (BaseRun base = gpt2.baseRun(tokens, HookPoint.residPre(0))) {
      refused(() -> base.continueWith(base.activation(), point), point.name(), "2 blocks");
    }
    refused(
        () ->
            gpt2.generator(Sampling.greedy())
                .generate(new int[] {1}, 1, point.replace((x, at) -> x)),
        point.name());
    refused(
        () -> gpt2.weights().get(Weight.of(WeightNames.W_Q, 2)), "no layer 2", "the model has 2");
  }

  @Test
  void anUnknownHookNameListsTheKnownOnes() {
    refused(() -> HookPoint.parse("blocks.0.hook_residpre"), "hook_residpre", "hook_resid_pre");
  }

  @Test
  void aPointCapturedTwiceIsNamed() {
    HookPoint point = HookPoint.z(1);
    for (Executable call : calls(tokens, point.capture(), point.capture(Positions.of(0)))) {
      refused(call, point.name(), "twice");
    }
  }

  @Test
  void aPositionOutsideThePassIsNamed() {
    for (Executable call : calls(tokens, HookPoint.z(1).capture(Positions.of(0, 4)))) {
      refused(call, "position 4", "4 positions");
    }
  }

  @Test
  void anInterventionThatReturnsAnotherShapeIsNamedWithBothShapes() {
    for (HookPoint point : HookPoint.all(2)) {
      Hook flat = point.replace((x, at) -> x.at(Axis.BATCH, 0));
      Hook cut = point.replace((x, at) -> x.slice(Axis.POS, 0, 2));
      for (Hook hook : List.of(flat, cut)) {
        refused(
            ShapeMismatchException.class,
            () -> gpt2.forward(tokens, hook),
            point.name(),
            "returned [",
            "expected [batch=2",
            "pos=4");
      }
    }
    refused(
        ShapeMismatchException.class,
        () -> gpt2.forward(tokens, HookPoint.residPre(1).replace((x, at) -> renamed(x))),
        "blocks.1.hook_resid_pre",
        "d_mlp=8",
        "d_model=8");
  }

  /** The same sizes under another axis are another shape. */
  private static Tensor renamed(Tensor x) {
    return x.reshape(Shape.of(Axis.BATCH, 2, Axis.POS, 4, Axis.D_MLP, 8));
  }

  @Test
  void anInterventionThatReturnsNothingIsNamed() {
    HookPoint point = HookPoint.mlpOut(0);
    refused(
        ShapeMismatchException.class,
        () -> gpt2.forward(tokens, point.replace((x, at) -> null)),
        point.name(),
        "returned null",
        "[batch=2, pos=4, d_model=8]");
  }

  @Test
  void whatAnInterventionThrowsComesThrough() {
    IllegalStateException own = new IllegalStateException("mine");
    assertEquals(
        own,
        assertThrows(
            IllegalStateException.class,
            () ->
                gpt2.forward(
                    tokens,
                    HookPoint.residPre(0)
                        .replace(
                            (x, at) -> {
                              throw own;
                            }))));
    Tensor before = gpt2.forward(tokens).logits();
    check("logits after a failed run", model.seed())
        .sameBits(before, gpt2.forward(tokens).logits());
  }

  @Test
  void anActivationThatWasNotCapturedListsThoseThatWere() {
    ForwardResult run = gpt2.forward(tokens, HookPoint.residPost(1).capture());
    refused(
        NoSuchActivationException.class,
        () -> run.cache().get(HookPoint.pattern(0)),
        "blocks.0.attn.hook_pattern",
        "captured: blocks.1.hook_resid_post",
        "capture()");
  }

  @Test
  void runsCannotBeContinuedFromEverySite() {
    for (HookPoint point : HookPoint.all(2)) {
      switch (point.site()) {
        case RESID_PRE, RESID_MID, RESID_POST, ATTN_OUT, MLP_OUT, Z ->
            gpt2.baseRun(tokens, point).close();
        default ->
            refused(() -> gpt2.baseRun(tokens, point), point.name(), "continued", "replace()");
      }
    }
  }

  @Test
  void continuingWithAnotherShapeIsNamedWithBothShapes() {
    HookPoint point = HookPoint.residPre(1);
    try (BaseRun base = gpt2.baseRun(tokens, point)) {
      Tensor x = base.activation();
      List<Tensor> wrong =
          List.of(
              x.slice(Axis.POS, 0, 3),
              x.at(Axis.BATCH, 0),
              x.slice(Axis.BATCH, 0, 1),
              renamed(x),
              Tensor.zeros(x.shape().with(Axis.BATCH, 3)),
              Tensor.zeros(x.shape().with(Axis.BATCH, 0)));
      for (Tensor changed : wrong) {
        refused(
            ShapeMismatchException.class,
            () -> base.continueWith(changed),
            point.name(),
            changed.shape().toString(),
            x.shape().toString());
      }
    }
  }

  @Test
  void whatAContinuationDidNotComputeCannotBeAskedFor() {
    HookPoint point = HookPoint.residMid(1);
    HookPoint before = HookPoint.attnOut(1);
    HookPoint after = HookPoint.mlpOut(1);
    try (BaseRun base = gpt2.baseRun(tokens, point, before)) {
      Tensor changed = base.activation().times(2);
      refused(() -> base.continueWith(changed, before), before.name(), "before", point.name());
      Continuation continued = base.continueWith(changed, after);
      refused(
          NoSuchActivationException.class,
          () -> continued.l2At(before),
          before.name() + " was not kept by this continuation",
          "continueWith()");
      refused(
          NoSuchActivationException.class,
          () -> continued.l2At(after),
          after.name() + " was not kept by the base run",
          "baseRun()");
    }
  }

  @Test
  void anAttentionPatternHasNoL2() {
    HookPoint point = HookPoint.pattern(1);
    try (BaseRun base = gpt2.baseRun(tokens, HookPoint.residPre(1), point)) {
      Continuation continued = base.continueWith(base.activation().times(2), point);
      refused(() -> continued.l2At(point), point.name(), "one vector a position");
    }
  }

  @Test
  void valuesPastTheEndOfARowDoNotExist() {
    PositionValues nats = gpt2.crossEntropyNats(tokens);
    assertThrows(IndexOutOfBoundsException.class, () -> nats.get(1, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> nats.get(0, -1));
    assertThrows(IndexOutOfBoundsException.class, () -> nats.get(2, 0));
  }

  @Test
  void generationNeedsAPromptAndRoom() {
    Generator greedy = gpt2.generator(Sampling.greedy());
    refused(() -> greedy.generate(new int[0], 1), "empty", "at least one token");
    refused(() -> greedy.generate(new int[] {1}, -1), "-1");
    refused(() -> greedy.generate(new int[4], 3), "4 tokens", "3 new", "context of 6", "at most 2");
    refused(() -> greedy.generate(new int[7], 0), "at most 0");
    refused(() -> greedy.generate(new int[1], Integer.MAX_VALUE), "context of 6", "at most 5");
    assertEquals(2, greedy.generate(new int[4], 2).length);
  }

  @Test
  void generationRefusesCaptures() {
    refused(
        () ->
            gpt2.generator(Sampling.greedy())
                .generate(new int[] {1}, 1, HookPoint.residPre(0).capture()),
        "blocks.0.hook_resid_pre",
        "captured");
  }

  @Test
  void aModelWithoutATokenizerReadsNoText() {
    refused(
        IllegalStateException.class,
        () -> gpt2.generator(Sampling.greedy()).generate("text", 1),
        "tokenizer",
        "ids");
    refused(IllegalStateException.class, () -> gpt2.tokenizer(), "tokenizer", "vocab.json");
  }

  @Test
  void samplingOutOfRangeIsRefused() {
    for (double temperature : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      refused(() -> Sampling.temperature(temperature, 0), "temperature", "at least 0");
    }
    refused(() -> Sampling.greedy().withTopK(0), "top-k is 0");
    for (double p : new double[] {0, -0.1, 1.1, Double.NaN}) {
      refused(() -> Sampling.greedy().withTopP(p), "top-p");
    }
  }

  @Test
  void weightsOfAnotherArchitectureAreRefused() {
    Map<Weight, Tensor> all = new HashMap<>();
    for (Weight weight : Weight.all(model.config())) {
      all.put(weight, model.weights().get(weight));
    }
    refused(() -> Gpt2Weights.of(model.config(), all), "tied", "W_U");
    all.remove(Weight.of(WeightNames.W_U));
    Weight bias = Weight.of(WeightNames.b_in, 1);
    Tensor right = all.remove(bias);
    refused(() -> Gpt2Weights.of(model.config(), all), bias.toString(), "missing");
    all.put(bias, right.slice(Axis.D_MLP, 0, 3));
    refused(
        ShapeMismatchException.class,
        () -> Gpt2Weights.of(model.config(), all),
        bias.toString(),
        "[d_mlp=3]",
        "[d_mlp=32]");
    all.put(bias, right);
    all.put(Weight.of(WeightNames.b_in, 2), right);
    refused(() -> Gpt2Weights.of(model.config(), all), "another architecture");
    refused(() -> Weight.of(WeightNames.W_Q), "W_Q");
    refused(() -> Weight.of(WeightNames.W_E, 0), "W_E");
  }

  @Test
  void configurationsOutOfRangeAreRefused() {
    refused(() -> Gpt2Config.of(0, 1, 8, 10, 10), "n_layer is 0");
    refused(() -> Gpt2Config.of(1, 3, 8, 10, 10), "n_embd is 8", "n_head 3");
    refused(() -> Gpt2Config.of(1, 1, 8, 0, 10), "vocab_size is 0");
    refused(() -> Gpt2Config.of(1, 1, 8, 10, -1), "n_positions is -1");
  }

  @Test
  void whatWasTakenFromATapeOutlivesIt() {
    HookPoint norm = HookPoint.at(Site.LN_FINAL_NORMALIZED);
    ForwardResult full = gpt2.forward(tokens, norm.capture());
    Tape tape = gpt2.record(tokens, norm.capture());
    Tensor logits = tape.logits();
    Tensor gradient = tape.backward(Wanted.activations(norm), Seed.crossEntropy()).activation(norm);
    float[] values = gradient.toArray();
    tape.close();
    gpt2.record(tokens).close();
    check("logits").sameBits(full.logits(), logits);
    check("logits asked for again").sameBits(full.logits(), tape.logits());
    check("captures").sameBits(full.cache().get(norm), tape.cache().get(norm));
    check("gradients").sameBits(Tensor.of(gradient.shape(), values), gradient);
  }

  @Test
  void aClosedTapeSaysSo() {
    Tape tape = gpt2.record(tokens);
    tape.close();
    tape.close();
    List<Executable> calls =
        List.of(
            tape::logits,
            tape::crossEntropyNats,
            () -> tape.backward(Wanted.weightGradients(), Seed.crossEntropy()));
    for (Executable call : calls) {
      refused(IllegalStateException.class, call, "tape is closed", "before closing");
    }
  }
}

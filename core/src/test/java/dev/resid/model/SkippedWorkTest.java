package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What is not asked for is not computed, told by how often kernels are called: a block calls
 * attention once and the MLP's activation once, and every layer norm its scale once.
 */
class SkippedWorkTest extends OnEachCpuBackend {
  private static final int LAYERS = 5;

  private final ModelCase model = ModelCase.of(31, Gpt2Config.of(LAYERS, 2, 8, 20, 12));
  private final TokenBatch tokens = TokenBatch.of(model.row(9), model.row(4));
  private CountedBackend counted;
  private Gpt2 gpt2;

  @BeforeEach
  void load() {
    counted = new CountedBackend(backend());
    gpt2 = model.on(counted.backend());
    counted.clear();
  }

  private void assertBlocks(int blocks, String what) {
    assertEquals(blocks, counted.calls("attention"), what);
  }

  @Test
  void fullRunComputesEveryBlockOnce() {
    gpt2.forward(tokens);
    assertBlocks(LAYERS, "forward");
    assertEquals(2 * LAYERS + 1, counted.calls("layerNormScale"));
  }

  @Test
  void blocksAfterTheLastCaptureAreNotRun() {
    for (int layer = 0; layer < LAYERS; layer++) {
      counted.clear();
      gpt2.capture(tokens, HookPoint.residPre(0).capture(), HookPoint.mlpOut(layer).capture());
      assertBlocks(layer + 1, "capture in block " + layer);
      assertEquals(0, counted.calls("unembedCrossEntropy"));
    }
    counted.clear();
    gpt2.capture(tokens, HookPoint.embed().capture());
    assertBlocks(0, "capture of the embedding");
    gpt2.capture(tokens, HookPoint.at(Site.LN_FINAL_SCALE).capture());
    assertBlocks(LAYERS, "capture after the last block");
  }

  @Test
  void cleanCrossEntropiesOfARunAreComputedOnce() {
    try (BaseRun base = gpt2.baseRun(tokens, HookPoint.residPre(1))) {
      base.crossEntropyNats();
      base.crossEntropyNats();
      assertEquals(1, counted.calls("unembedCrossEntropy"));
    }
  }

  @Test
  void bothReadoutsOfPredictionsTakeOneUnembedding() {
    try (BaseRun base = gpt2.baseRun(tokens, HookPoint.residPre(1))) {
      base.continueWith(base.activation().times(0.5)).klAndCrossEntropyNats();
      assertEquals(1, counted.calls("unembedKlAndCrossEntropy"));
      assertEquals(0, counted.calls("unembedCrossEntropy"));
      assertEquals(0, counted.calls("unembedKl"));
    }
  }

  @Test
  void capturingNothingRunsNothing() {
    gpt2.capture(tokens);
    assertBlocks(0, "no capture");
    assertEquals(0, counted.calls("gatherRows"));
  }

  @Test
  void continuingRunsTheBlocksAfterThePoint() {
    for (int layer = 0; layer < LAYERS; layer++) {
      try (BaseRun base = gpt2.baseRun(tokens, HookPoint.residPre(layer))) {
        counted.clear();
        base.continueWith(base.activation().times(2));
        assertBlocks(LAYERS - layer, "from resid_pre of block " + layer);
      }
      try (BaseRun base = gpt2.baseRun(tokens, HookPoint.residPost(layer))) {
        counted.clear();
        base.continueWith(base.activation().times(2));
        assertBlocks(LAYERS - layer - 1, "from resid_post of block " + layer);
      }
      try (BaseRun base = gpt2.baseRun(tokens, HookPoint.residMid(layer))) {
        counted.clear();
        base.continueWith(base.activation().times(2));
        assertBlocks(LAYERS - layer - 1, "from resid_mid of block " + layer);
        assertEquals(2 * (LAYERS - layer), counted.calls("layerNormScale"));
      }
    }
  }

  @Test
  void keysAndValuesOfUntouchedPositionsAreComputedOnce() {
    HookPoint point = HookPoint.residPre(2);
    try (BaseRun base = gpt2.baseRun(tokens, point)) {
      Tensor changed =
          base.activation().with(Axis.POS, 6, base.activation().at(Axis.POS, 6).times(3));
      counted.clear();
      assertEquals(6, base.continueWith(changed).firstPosition());
      assertBlocks(2 * (LAYERS - 2), "clean keys and values, then the change");
      counted.clear();
      base.continueWith(changed);
      assertBlocks(LAYERS - 2, "the change alone");
    }
  }

  @Test
  void runsFromSeveralPointsShareTheCleanRunAndItsKeys() {
    List<HookPoint> points = List.of(HookPoint.residPre(3), HookPoint.mlpOut(1));
    counted.clear();
    Map<HookPoint, BaseRun> runs = gpt2.baseRuns(tokens, points);
    assertBlocks(LAYERS, "the clean run");
    assertEquals(points, List.copyOf(runs.keySet()));
    for (HookPoint point : points) {
      try (BaseRun one = gpt2.baseRun(tokens, point)) {
        for (int from : new int[] {0, 6}) {
          float[] expected = one.continueWith(changed(one, from)).logits().toArray();
          float[] actual =
              runs.get(point).continueWith(changed(runs.get(point), from)).logits().toArray();
          assertArrayEquals(expected, actual, point + ", changed from position " + from);
        }
      }
    }
    counted.clear();
    runs.get(points.get(0)).close();
    points.forEach(point -> runs.get(point).continueWith(changed(runs.get(point), 6)));
    assertBlocks(
        2 * (LAYERS - 3) + LAYERS - 2, "closing one run frees its keys and not the other's");
  }

  private static Tensor changed(BaseRun run, int from) {
    Tensor x = run.activation();
    return x.with(Axis.POS, from, x.at(Axis.POS, from).times(3));
  }

  @Test
  void gradientsOfALateActivationDoNotWalkTheBlocksBeforeIt() {
    try (Tape tape = gpt2.record(tokens)) {
      counted.clear();
      tape.backward(Wanted.activations(HookPoint.residPre(3)), Seed.crossEntropy());
      assertEquals(LAYERS - 3, counted.calls("attentionBackward"));
      assertEquals(0, counted.calls("addOuterProducts"), "no weight gradients were asked for");
      counted.clear();
      tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
      assertEquals(LAYERS, counted.calls("attentionBackward"));
    }
  }

  @Test
  void reductionsMakeNoLogits() {
    counted.clear();
    gpt2.crossEntropyNats(tokens);
    // Six products a block; logits would be one more.
    assertEquals(6 * LAYERS, counted.calls("linear"));
    try (BaseRun base = gpt2.baseRun(tokens, HookPoint.residPre(0))) {
      Continuation changed = base.continueWith(base.activation().times(2));
      counted.clear();
      changed.klNats();
      changed.crossEntropyNats();
      changed.l2At(HookPoint.residPost(LAYERS - 1));
      assertEquals(0, counted.calls("linear"));
    }
  }

  @Test
  void aCachedTokenCostsOnePass() {
    int[] prompt = model.row(4);
    counted.clear();
    gpt2.generator(Sampling.greedy()).generate(prompt, 3);
    assertBlocks(3 * LAYERS, "three tokens");
    assertEquals(3, counted.calls("gatherRows"));
  }
}

package dev.resid.sae.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.sae.Architecture;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.sae.train.BloomLoss.DecoderRows;
import dev.resid.sae.train.BloomLoss.ErrorScale;
import dev.resid.sae.train.BloomLoss.GhostGradients;
import dev.resid.sae.train.BloomLoss.L1Weight;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.train.BytesTokenizer;
import dev.resid.train.LearningRate;
import dev.resid.train.TextCorpus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SaeTrainerTest {
  private static final Gpt2Config MODEL = Gpt2Config.of(2, 2, 8, 257, 12);
  private static final HookPoint POINT = HookPoint.residPre(1);
  private static final int ROW = 10;

  @TempDir static Path temp;
  private static TextCorpus corpus;
  private static TextCorpus otherCorpus;

  /** Every objective; dead features appear within a few steps. */
  private enum Kind {
    LOCAL(SaeLoss.local(0.5)),
    END_TO_END(SaeLoss.endToEnd(0.5)),
    ALL_TERMS(new SaeLoss(0.5, 1, 1, List.of(HookPoint.residPost(1)), 0.5)),
    BLOOM(
        new BloomLoss(
            1, ErrorScale.NORM, 0.1, L1Weight.PLAIN, DecoderRows.UNIT, GhostGradients.ON, 20)),
    TOP_K(new TopKLoss(3, TopKScale.DECODER_NORM, 1, 0.1, 20));

    private final SaeObjective objective;

    Kind(SaeObjective objective) {
      this.objective = objective;
    }

    SaeTrainingPlan plan(int steps) {
      return new SaeTrainingPlan(
          POINT,
          20,
          objective,
          new LearningRate(1e-2, 3, steps, 0.1),
          3,
          ROW,
          4,
          0.9,
          0.999,
          1e-8,
          10,
          5);
    }
  }

  @BeforeAll
  static void prepare() throws IOException {
    ByteLevelBpe tokenizer = BytesTokenizer.make(temp.resolve("bpe"));
    corpus = corpus("the cat sat on the mat and the dog sat on the log\n", tokenizer);
    otherCorpus = corpus("a cat and a dog sat on a mat\n", tokenizer);
  }

  private static TextCorpus corpus(String line, ByteLevelBpe tokenizer) throws IOException {
    Path text = Files.createTempFile(temp, "text", ".txt");
    Files.writeString(text, line.repeat(12));
    return TextCorpus.read(List.of(text), tokenizer);
  }

  private static Backend backend(int threads) {
    return Backends.named("vector", new BackendOptions(threads, 0));
  }

  private static Gpt2 model(Backend backend) {
    return Gpt2.of(SmallSaes.model(MODEL, 3), backend);
  }

  private static void assertSame(SaeTrainer expected, SaeTrainer actual) {
    assertEquals(expected.curve(), actual.curve());
    SaeWeights weights = expected.weights();
    for (SaeWeight weight : weights.tensors().keySet()) {
      assertTrue(
          weights.get(weight).sameBits(actual.weights().get(weight)),
          weight + " differs in some bit");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aResumedRunEndsInTheSameBits(Kind kind, @TempDir Path whole, @TempDir Path parts)
      throws IOException {
    try (Backend backend = backend(2)) {
      Gpt2 gpt2 = model(backend);
      SaeTrainer undisturbed = SaeTrainer.startOrResume(kind.plan(9), gpt2, corpus, whole);
      undisturbed.run(whole, 100, Progress.none());

      for (int saved = 1; saved < 9; saved += 3) {
        Path dir = parts.resolve("stopped after " + saved);
        SaeTrainer first = SaeTrainer.startOrResume(kind.plan(9), gpt2, corpus, dir);
        for (int i = 0; i < saved; i++) {
          first.advance();
        }
        first.save(dir);
        first.advance(); // lost: not saved
        SaeTrainer second = SaeTrainer.startOrResume(kind.plan(9), gpt2, corpus, dir);
        assertEquals(saved, second.step());
        second.run(dir, 2, Progress.none());
        assertSame(undisturbed, second);
        SaeTrainer done = SaeTrainer.startOrResume(kind.plan(9), gpt2, corpus, dir);
        assertTrue(done.isDone());
        assertSame(undisturbed, done);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void theNumberOfThreadsChangesNoBit(Kind kind, @TempDir Path none) throws IOException {
    try (Backend one = backend(1);
        Backend three = backend(3)) {
      SaeTrainer a = SaeTrainer.startOrResume(kind.plan(5), model(one), corpus, none);
      SaeTrainer b = SaeTrainer.startOrResume(kind.plan(5), model(three), corpus, none);
      while (!a.isDone()) {
        assertEquals(a.advance(), b.advance());
      }
      assertSame(a, b);
    }
  }

  @ParameterizedTest
  @EnumSource
  void theLossFalls(Kind kind, @TempDir Path none) throws IOException {
    try (Backend backend = backend(2)) {
      SaeTrainer trainer = SaeTrainer.startOrResume(kind.plan(60), model(backend), corpus, none);
      List<Double> losses = new ArrayList<>();
      while (!trainer.isDone()) {
        losses.add(trainer.advance().loss());
      }
      double first = mean(losses.subList(0, 5));
      double last = mean(losses.subList(55, 60));
      assertTrue(last < 0.8 * first, kind + ": from " + first + " to " + last);
      Sae sae = trainer.sae("trained");
      assertEquals(
          kind == Kind.TOP_K ? Architecture.TOP_K : Architecture.RELU, sae.config().architecture());
      assertEquals(POINT, sae.hookPoint());
    }
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  /** The exported SAE computes what training saw: its MSE on the next step's activations. */
  @ParameterizedTest
  @EnumSource
  void theExportedSaeIsTheTrainedOne(Kind kind, @TempDir Path none) throws IOException {
    try (Backend backend = backend(2)) {
      Gpt2 gpt2 = model(backend);
      SaeTrainer trainer = SaeTrainer.startOrResume(kind.plan(6), gpt2, corpus, none);
      for (int i = 0; i < 5; i++) {
        trainer.advance();
      }
      Sae sae = trainer.sae("trained");
      Tensor x =
          kind.objective.isLocal()
              ? ActivationStream.of(gpt2, corpus, kind.plan(6), none).read(5L * 3 * ROW, 3 * ROW)
              : gpt2.capture(corpus.batch(5, 3, ROW, 5), POINT.capture()).get(POINT);
      double squares = backend.sumOfSquares(x.minus(sae.reconstruct(x)));
      SaeTrainingStep seen = trainer.advance();
      double expected = squares / (3 * ROW * 8);
      assertEquals(expected, seen.reconstruction(), 1e-5 * expected);
    }
  }

  @Test
  void bloomRowsHaveUnitNormAndGradientsAcrossThem(@TempDir Path none) throws IOException {
    try (Backend backend = backend(2)) {
      Gpt2 gpt2 = model(backend);
      BloomLoss loss = (BloomLoss) Kind.BLOOM.objective;
      InitialWeights start = new InitialWeights(8, 20, 4);
      BloomLearner learner = new BloomLearner(backend, start.kaiming(new double[8]), loss);
      Tensor x = ActivationStream.of(gpt2, corpus, Kind.BLOOM.plan(5), none).read(0, 30);
      learner.learn(x, new FeatureActivity(20), new StepSums(30));
      learner.finishGradients();
      float[] rows = learner.parameters().get(SaeWeight.W_dec).toArray();
      float[] gradient = learner.parameters().gradient(SaeWeight.W_dec).toArray();
      assertTrue(backend.sumOfSquares(learner.parameters().gradient(SaeWeight.W_dec)) > 0);
      for (int i = 0; i < 20; i++) {
        double along = 0;
        for (int c = 0; c < 8; c++) {
          along += (double) rows[i * 8 + c] * gradient[i * 8 + c];
        }
        assertEquals(
            0, along, 1e-6 * (1 + dev.resid.sae.train.DecoderRows.norm(gradient, i * 8, 8)));
      }
      SaeTrainer trainer = SaeTrainer.startOrResume(Kind.BLOOM.plan(5), gpt2, corpus, none);
      while (!trainer.isDone()) {
        trainer.advance();
        for (double norm :
            dev.resid.sae.train.DecoderRows.norms(
                trainer.weights().get(SaeWeight.W_dec).toArray(), 8)) {
          assertEquals(1, norm, 1e-6);
        }
      }
    }
  }

  /** Adam's first step moves every parameter with a gradient by the learning rate. */
  @Test
  void stepsFollowTheSchedule(@TempDir Path none) throws IOException {
    try (Backend backend = backend(1)) {
      SaeTrainingPlan plan = Kind.LOCAL.plan(9);
      SaeTrainer trainer = SaeTrainer.startOrResume(plan, model(backend), corpus, none);
      float[] before = trainer.weights().get(SaeWeight.W_enc).toArray();
      trainer.advance();
      float[] after = trainer.weights().get(SaeWeight.W_enc).toArray();
      double largest = 0;
      for (int i = 0; i < before.length; i++) {
        largest = Math.max(largest, Math.abs((double) after[i] - before[i]));
      }
      assertEquals(plan.rate().peak() / 3, largest, 1e-4 * plan.rate().peak());
    }
  }

  @Test
  void aCheckpointOfAnotherRunIsRefused(@TempDir Path dir) throws IOException {
    try (Backend backend = backend(1)) {
      Gpt2 gpt2 = model(backend);
      SaeTrainer trainer = SaeTrainer.startOrResume(Kind.LOCAL.plan(4), gpt2, corpus, dir);
      trainer.advance();
      trainer.save(dir);
      assertRefused(
          "training run (totalSteps=5 here and totalSteps=4 there)",
          Kind.LOCAL.plan(5),
          gpt2,
          corpus,
          dir);
      assertRefused("text", Kind.LOCAL.plan(4), gpt2, otherCorpus, dir);
      Gpt2 other = Gpt2.of(SmallSaes.model(Gpt2Config.of(3, 2, 8, 257, 12), 3), backend);
      assertRefused("model", Kind.LOCAL.plan(4), other, corpus, dir);
    }
  }

  private static void assertRefused(
      String what, SaeTrainingPlan plan, Gpt2 gpt2, TextCorpus text, Path dir) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> SaeTrainer.startOrResume(plan, gpt2, text, dir))
            .getMessage();
    assertTrue(message.contains("another " + what), message);
  }

  @Test
  void aModelWithoutThePointIsRefused(@TempDir Path none) {
    try (Backend backend = backend(1)) {
      Gpt2 gpt2 = Gpt2.of(SmallSaes.model(Gpt2Config.of(1, 2, 8, 257, 12), 3), backend);
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> SaeTrainer.startOrResume(Kind.LOCAL.plan(4), gpt2, corpus, none))
              .getMessage();
      assertTrue(message.contains("blocks 0 to 0"), message);
    }
  }

  @Test
  void theStreamHoldsEveryActivationOfABufferOnceInAnotherOrder(@TempDir Path none)
      throws IOException {
    try (Backend backend = backend(1)) {
      Gpt2 gpt2 = model(backend);
      SaeTrainingPlan plan = Kind.LOCAL.plan(4);
      ActivationStream stream = ActivationStream.of(gpt2, corpus, plan, none);
      assertEquals(4L * ROW * 8 * Float.BYTES, stream.bufferBytes());
      int perBuffer = 4 * ROW;
      float[] second = stream.read(perBuffer, perBuffer).toArray();
      float[] inOrder =
          gpt2.capture(corpus.batch(1, 4, ROW, plan.seed()), POINT.capture()).get(POINT).toArray();
      assertNotEquals(rows(inOrder), rows(second));
      assertEquals(
          rows(inOrder).stream().sorted().toList(), rows(second).stream().sorted().toList());
      // Across the end of a buffer, and back.
      float[] across = stream.read(perBuffer - 5, 10).toArray();
      assertEquals(rows(second).subList(0, 5), rows(across).subList(5, 10));
    }
  }

  @Test
  void aBufferOnDiskGivesTheSameStreamAndLeavesNothing(@TempDir Path dir) throws IOException {
    Path spill = dir.resolve("spill");
    try (Backend backend = backend(1)) {
      Gpt2 gpt2 = model(backend);
      SaeTrainingPlan plan = Kind.LOCAL.plan(4);
      try (ActivationStream memory = ActivationStream.of(gpt2, corpus, plan, spill);
          ActivationStream disk = ActivationStream.of(gpt2, corpus, plan, spill, 10)) {
        assertTrue(Files.isDirectory(spill), "the stream of the second one is on disk");
        for (long first : new long[] {0, 35, 200}) {
          assertTrue(memory.read(first, 50).sameBits(disk.read(first, 50)), "from " + first);
        }
      }
    }
    try (Stream<Path> left = Files.list(spill)) {
      assertEquals(List.of(), left.toList());
    }
  }

  private static List<String> rows(float[] values) {
    List<String> rows = new ArrayList<>();
    for (int from = 0; from < values.length; from += 8) {
      rows.add(java.util.Arrays.toString(java.util.Arrays.copyOfRange(values, from, from + 8)));
    }
    return rows;
  }

  @Test
  void theGeometricMedianResistsAnOutlier() {
    // Three corners of a triangle with an angle of 120° or more: the median is that corner.
    float[] flat = {0, 0, 10, 1, -10, 1};
    double[] corner = GeometricMedian.of(flat, 2);
    assertEquals(0, corner[0], 1e-4);
    assertEquals(0, corner[1], 1e-3);
    // Equilateral: the centre, which is also the mean.
    float root = (float) Math.sqrt(3);
    double[] centre = GeometricMedian.of(new float[] {-1, 0, 1, 0, 0, root}, 2);
    assertEquals(0, centre[0], 1e-6);
    assertEquals(root / 3, centre[1], 1e-6);
    // Four points on a line and a far one: the mean moves, the median stays between the inner.
    double[] median = GeometricMedian.of(new float[] {0, 1, 2, 3, 1000}, 1);
    assertEquals(2, median[0], 1e-3);
  }
}

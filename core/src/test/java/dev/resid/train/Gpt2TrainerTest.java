package dev.resid.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.PositionValues;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Gpt2TrainerTest {
  private static final String TEXT =
      "the cat sat on the mat and the dog sat on the log\n".repeat(12)
          + "<|endoftext|>\n"
          + "a cat and a dog sat on a mat\n".repeat(12);

  @TempDir static Path temp;
  private static ByteLevelBpe tokenizer;
  private static Path text;
  private static Backend backend;

  @BeforeAll
  static void prepare() throws IOException {
    text = temp.resolve("text.txt");
    Files.writeString(text, TEXT);
    tokenizer = BytesTokenizer.make(temp.resolve("bpe"));
    backend = Backends.named("vector", new BackendOptions(2, 0));
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  private static TrainingPlan plan(int steps) {
    return TrainingPlan.of(
        Gpt2Config.of(2, 2, 16, tokenizer.vocabularySize(), 24),
        new LearningRate(1e-2, 3, steps, 0.1),
        3,
        24,
        5);
  }

  private static Gpt2Trainer trainer(TrainingPlan plan, Backend on, Path dir) throws IOException {
    return Gpt2Trainer.startOrResume(plan, TextCorpus.read(List.of(text), tokenizer), on, dir);
  }

  private static void assertSameBits(Gpt2Weights expected, Gpt2Weights actual) {
    for (Weight weight : Weight.all(expected.config())) {
      assertTrue(
          expected.get(weight).sameBits(actual.get(weight)), weight + " differs in some bit");
    }
  }

  @Test
  void learnsASmallText(@TempDir Path dir) throws IOException {
    Gpt2Trainer trainer = trainer(plan(60), backend, dir);
    trainer.run(dir, 1000, Progress.none());
    double first = trainer.lossesNats().getFirst();
    double last = trainer.lossesNats().getLast();
    // A uniform guess over 257 tokens costs ln 257 = 5.55 nats; the text repeats two lines.
    assertEquals(Math.log(257), first, 0.2);
    assertTrue(last < 2.5, "loss after 60 steps is " + last);
  }

  @Test
  void aResumedRunEndsInTheSameBits(@TempDir Path whole, @TempDir Path parts) throws IOException {
    Gpt2Trainer undisturbed = trainer(plan(14), backend, whole);
    undisturbed.run(whole, 100, Progress.none());

    Gpt2Trainer first = trainer(plan(14), backend, parts);
    for (int i = 0; i < 5; i++) {
      first.advance();
    }
    first.save(parts);
    first.advance(); // lost: not saved
    Gpt2Trainer second = trainer(plan(14), backend, parts);
    assertEquals(5, second.step());
    second.run(parts, 4, Progress.none());

    assertSameBits(undisturbed.weights(), second.weights());
    assertEquals(undisturbed.lossesNats(), second.lossesNats());
  }

  @Test
  void theNumberOfThreadsChangesNoBit(@TempDir Path one, @TempDir Path three) throws IOException {
    try (Backend single = Backends.named("vector", new BackendOptions(1, 0));
        Backend triple = Backends.named("vector", new BackendOptions(3, 0))) {
      Gpt2Trainer a = trainer(plan(6), single, one);
      Gpt2Trainer b = trainer(plan(6), triple, three);
      a.run(one, 100, Progress.none());
      b.run(three, 100, Progress.none());
      assertSameBits(a.weights(), b.weights());
    }
  }

  @Test
  void aCheckpointOfAnotherPlanIsRefused(@TempDir Path dir) throws IOException {
    Gpt2Trainer trainer = trainer(plan(4), backend, dir);
    trainer.advance();
    trainer.save(dir);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> trainer(plan(5), backend, dir));
    assertTrue(e.getMessage().contains("another training run"), e.getMessage());
  }

  @Test
  void aCheckpointOfOtherTextIsRefused(@TempDir Path dir) throws IOException {
    trainer(plan(4), backend, dir).save(dir);
    Path other = Files.writeString(dir.resolve("other.txt"), TEXT.replace("mat", "rug"));
    TextCorpus corpus = TextCorpus.read(List.of(other), tokenizer);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Gpt2Trainer.startOrResume(plan(4), corpus, backend, dir));
    assertTrue(e.getMessage().contains("another text"), e.getMessage());
  }

  @Test
  void textThatIsNotUtf8IsNamed(@TempDir Path dir) throws IOException {
    Path latin = Files.write(dir.resolve("latin.txt"), new byte[] {'a', (byte) 0xe9, 'b'});
    IOException e =
        assertThrows(IOException.class, () -> TextCorpus.read(List.of(latin), tokenizer));
    assertEquals(latin + ": is not UTF-8 text at byte 1; convert it first", e.getMessage());
  }

  @Test
  void aRowThatDoesNotFitIsCalledByItsOwnNumber(@TempDir Path dir) throws IOException {
    Gpt2 gpt2 = trainer(plan(4), backend, dir).model();
    int[][] rows = new int[20][2];
    rows[17] = new int[] {1, 100_000};
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> TextLoss.of(gpt2, TokenBatch.of(rows), Progress.none()));
    assertTrue(e.getMessage().contains("token 100000 at row 17, position 1"), e.getMessage());
  }

  @Test
  void aDamagedCheckpointIsRefused(@TempDir Path dir) throws IOException {
    Gpt2Trainer trainer = trainer(plan(4), backend, dir);
    trainer.save(dir);
    Path state = dir.resolve("state.safetensors");
    byte[] bytes = Files.readAllBytes(state);
    Files.write(state, Arrays.copyOf(bytes, bytes.length / 2));
    IOException e = assertThrows(IOException.class, () -> trainer(plan(4), backend, dir));
    assertTrue(e.getMessage().contains("state.safetensors"), e.getMessage());
  }

  @Test
  void theModelSeesTheUpdatedWeights(@TempDir Path dir) throws IOException {
    Gpt2Trainer trainer = trainer(plan(4), backend, dir);
    TokenBatch tokens = tokenizer.encode("the cat sat");
    double before = trainer.model().crossEntropyNats(tokens).mean();
    trainer.advance();
    double after = trainer.model().crossEntropyNats(tokens).mean();
    assertFalse(before == after);
    double fresh = Gpt2.of(trainer.weights(), backend).crossEntropyNats(tokens).mean();
    assertEquals(fresh, after);
  }

  @Test
  void gainsAndBiasesDoNotDecay(@TempDir Path dir) throws IOException {
    // With no gradient signal left but decay, matrices shrink and gains stay: one step from the
    // same state with decay 0.1 and with decay 0 differs in matrices only.
    TrainingPlan with = plan(4);
    TrainingPlan without =
        new TrainingPlan(
            with.model(),
            with.rate(),
            with.batchRows(),
            with.rowLength(),
            0.9,
            0.98,
            1e-8,
            0,
            1,
            with.seed());
    Gpt2Trainer a = trainer(with, backend, dir.resolve("a"));
    Gpt2Trainer b = trainer(without, backend, dir.resolve("b"));
    a.advance();
    b.advance();
    Weight gain = Weight.of(WeightNames.ln1_gamma, 0);
    Weight matrix = Weight.of(WeightNames.W_in, 0);
    assertTrue(a.weights().get(gain).sameBits(b.weights().get(gain)));
    assertFalse(a.weights().get(matrix).sameBits(b.weights().get(matrix)));
  }

  @Test
  void everyRowOfAnEpochIsUsedOnce() throws IOException {
    StringBuilder numbers = new StringBuilder();
    for (int i = 1000; i < 1300; i++) {
      numbers.append(i).append(' ');
    }
    Path file = temp.resolve("numbers.txt");
    Files.writeString(file, numbers);
    TextCorpus corpus = TextCorpus.read(List.of(file), tokenizer);
    int rows = corpus.rows(16);
    TokenBatch epoch = corpus.batch(0, rows, 16, 3);
    Set<List<Integer>> seen = new HashSet<>();
    for (int r = 0; r < rows; r++) {
      assertEquals(tokenizer.endOfText().getAsInt(), epoch.id(r, 0));
      seen.add(ids(epoch, r));
    }
    assertEquals(rows, seen.size());
    TokenBatch third = corpus.batch(2, 3, 16, 3);
    for (int r = 0; r < 3; r++) {
      assertEquals(ids(epoch, 6 + r), ids(third, r), "a step's rows depend on the step only");
    }
    TokenBatch next = corpus.batch(1, rows, 16, 3);
    assertFalse(epoch.equals(next), "the second epoch has another order");
  }

  private static List<Integer> ids(TokenBatch tokens, int row) {
    return Arrays.stream(tokens.row(row)).boxed().toList();
  }

  @Test
  void textLossCountsEveryTokenOnce(@TempDir Path dir) throws IOException {
    Gpt2Trainer trainer = trainer(plan(4), backend, dir);
    Gpt2 gpt2 = Gpt2.of(trainer.weights(), tokenizer, backend);
    List<String> documents = List.of("the cat sat on the mat, or so they say", "é");
    TextLoss loss = TextLoss.of(gpt2, documents, 10, Progress.none());
    assertEquals(38 + 2, loss.predicted()); // one token a byte
    assertEquals(38 + 2, loss.utf8Bytes());
    assertEquals(5 + 1, loss.rows());
    assertEquals(loss.natsPerToken() / Math.log(2), loss.bitsPerByte(), 1e-12);
    int end = tokenizer.endOfText().getAsInt();
    int[] ids = tokenizer.encodeToIds("é");
    PositionValues last = gpt2.crossEntropyNats(TokenBatch.of(new int[] {end, ids[0], ids[1]}));
    TextLoss alone = TextLoss.of(gpt2, List.of("é"), 10, Progress.none());
    assertEquals(last.mean(), alone.natsPerToken(), 1e-12);
  }
}

package dev.resid.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTrainerTest {
  @TempDir Path dir;

  private int files;

  private Path file(String text) throws IOException {
    return Files.writeString(dir.resolve("text" + files++ + ".txt"), text);
  }

  /** Returns the merges as merges.txt has them. */
  private List<String> merges(ByteLevelBpe bpe) throws IOException {
    Path saved = dir.resolve("saved" + files++);
    bpe.save(saved);
    List<String> lines = Files.readAllLines(saved.resolve("merges.txt"));
    return lines.subList(1, lines.size());
  }

  /**
   * The definition, word for word: count every pair in every word anew, take the best, replace it,
   * and begin again. Divides the text with the JDK's regular expressions.
   */
  private static List<String> naiveMerges(List<String> documents, int tokens, long minimum) {
    List<String> vocabulary = new ArrayList<>();
    for (int c = 0; c < 0x150; c++) {
      if (ByteAlphabet.byteOf((char) c) >= 0) {
        vocabulary.add(String.valueOf((char) c));
      }
    }
    List<List<Integer>> words = new ArrayList<>();
    for (String document : documents) {
      for (String word : PreTokenizerTest.byPattern(document)) {
        List<Integer> ids = new ArrayList<>();
        for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
          ids.add(vocabulary.indexOf(String.valueOf(ByteAlphabet.charOf(b & 0xFF))));
        }
        words.add(ids);
      }
    }
    List<String> merges = new ArrayList<>();
    while (vocabulary.size() < tokens - 1) {
      Map<List<Integer>, Long> counts = new TreeMap<>(BpeTrainerTest::compareByIds);
      for (List<Integer> word : words) {
        for (int i = 0; i + 1 < word.size(); i++) {
          counts.merge(List.of(word.get(i), word.get(i + 1)), 1L, Long::sum);
        }
      }
      List<Integer> best = null;
      for (Map.Entry<List<Integer>, Long> entry : counts.entrySet()) { // in order of ids
        if (best == null || entry.getValue() > counts.get(best)) {
          best = entry.getKey();
        }
      }
      if (best == null || counts.get(best) < minimum) {
        break;
      }
      String left = vocabulary.get(best.get(0));
      String right = vocabulary.get(best.get(1));
      merges.add(left + " " + right);
      int product = vocabulary.size();
      assertTrue(!vocabulary.contains(left + right), "MergeLearner's comment says never");
      vocabulary.add(left + right);
      for (List<Integer> word : words) {
        for (int i = 0; i + 1 < word.size(); i++) {
          if (word.get(i).equals(best.get(0)) && word.get(i + 1).equals(best.get(1))) {
            word.set(i, product);
            word.remove(i + 1);
          }
        }
      }
    }
    return merges;
  }

  private static int compareByIds(List<Integer> a, List<Integer> b) {
    int left = Integer.compare(a.get(0), b.get(0));
    return left != 0 ? left : Integer.compare(a.get(1), b.get(1));
  }

  private static String randomText(long seed) {
    Random random = new Random(seed);
    if (seed % 3 == 0) {
      return UnicodeTexts.text(random, 150).replace(Vocabulary.END_OF_TEXT, "");
    }
    // Few letters: many equal counts, and overlapping pairs.
    String alphabet = seed % 3 == 1 ? "aab" : "abcd";
    StringBuilder text = new StringBuilder();
    for (int n = 20 + random.nextInt(60); n > 0; n--) {
      for (int length = 1 + random.nextInt(12); length > 0; length--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      text.append(random.nextInt(6) == 0 ? "\n" : " ");
    }
    return text.toString();
  }

  @Test
  void mergesAreThoseOfTheDefinition() throws IOException {
    for (long seed = 0; seed < 60; seed++) {
      String text = randomText(seed);
      long minimum = 1 + seed % 4;
      int tokens = 257 + (int) (seed * 7 % 120);
      List<String> expected = naiveMerges(List.of(text), tokens, minimum);
      List<String> actual =
          merges(new BpeTrainer(tokens).withMinimumFrequency(minimum).train(List.of(file(text))));
      assertEquals(expected, actual, "seed " + seed);
    }
  }

  @Test
  void idsAreBytesThenMergesThenTheEndOfText() throws IOException {
    ByteLevelBpe bpe = new BpeTrainer(259).train(List.of(file("low low low lower newest")));
    assertEquals(259, bpe.vocabularySize());
    assertEquals("!", bpe.printable(0));
    assertEquals("Ā", bpe.printable(188));
    assertEquals("ow", bpe.printable(257).substring(bpe.printable(257).length() - 2));
    assertEquals(258, bpe.endOfText().getAsInt());
    assertTrue(bpe.isSpecial(258));
  }

  @Test
  void ofEquallyFrequentPairsTheSmallerIdsWin() throws IOException {
    // Four pairs occur twice each; "bd" has the smallest ids after "ac" by left id, then right.
    List<String> merges =
        merges(new BpeTrainer(261).train(List.of(file("bd\nbd\nbc\nbc\nac\nac\nda\nda\n"))));
    assertEquals(List.of("a c", "b c", "b d", "d a"), merges);
  }

  @Test
  void pairsBelowTheMinimumFrequencyAreNotMerged() throws IOException {
    Path text = file("xy\nxy\nxy\nzw\nzw\n");
    assertEquals(
        1, merges(new BpeTrainer(400).withMinimumFrequency(3).train(List.of(text))).size());
    assertEquals(2, merges(new BpeTrainer(400).train(List.of(text))).size());
    assertEquals(
        258, new BpeTrainer(400).withMinimumFrequency(3).train(List.of(text)).vocabularySize());
  }

  @Test
  void theOrderOfTheFilesDoesNotMatter() throws IOException {
    List<Path> paths = new ArrayList<>();
    for (long seed = 100; seed < 105; seed++) {
      paths.add(file(randomText(seed)));
    }
    BpeTrainer trainer = new BpeTrainer(330);
    assertEquals(merges(trainer.train(paths)), merges(trainer.train(paths.reversed())));
  }

  @Test
  void wordsDoNotReachAcrossDocuments() throws IOException {
    // In one document the whitespace before the separator and after it would be one word.
    String text = "a\n\n\n<|endoftext|>\n\n\nb\n<|endoftext|>\nc<|endoftext|>c";
    List<String> documents = List.of("a\n\n\n", "\n\nb\n", "c<|endoftext|>c");
    List<String> expected = naiveMerges(documents, 300, 1);
    List<String> actual =
        merges(new BpeTrainer(300).withMinimumFrequency(1).train(List.of(file(text))));
    assertEquals(expected, actual);
  }

  @Test
  void smallBuffersGiveTheSameWordsAsOneThatHoldsAll() throws IOException {
    for (long seed = 0; seed < 40; seed++) {
      StringBuilder text = new StringBuilder();
      Random random = new Random(seed);
      for (int n = 0; n < 40; n++) {
        text.append(UnicodeTexts.text(random, random.nextInt(12)).replace('\r', '\n'));
        text.append(random.nextInt(5) == 0 ? "\n<|endoftext|>\n" : "\n".repeat(random.nextInt(4)));
      }
      Path path = file(text.toString());
      BpeTrainer trainer = new BpeTrainer(500).withMinimumFrequency(1);
      List<String> whole = merges(trainer.train(List.of(path), 1 << 20));
      for (int bytes : new int[] {16, 64, 257}) {
        assertEquals(whole, merges(trainer.train(List.of(path), bytes)), "seed " + seed);
      }
    }
  }

  @Test
  void aTrainedTokenizerSavesLoadsAndEncodesEverything() throws IOException {
    ByteLevelBpe bpe = new BpeTrainer(400).train(List.of(file(randomText(3) + randomText(6))));
    bpe.save(dir.resolve("trained"));
    ByteLevelBpe loaded = ByteLevelBpe.load(dir.resolve("trained"));
    assertEquals(bpe.vocabularySize(), loaded.vocabularySize());
    for (long seed = 0; seed < 100; seed++) {
      String text = UnicodeTexts.text(new Random(seed), 40);
      int[] ids = bpe.encodeToIds(text, SpecialTokens.ALLOW);
      assertArrayEquals(ids, loaded.encodeToIds(text, SpecialTokens.ALLOW), "seed " + seed);
      assertEquals(text, loaded.decode(ids), "seed " + seed);
    }
  }

  @Test
  void anEmptyTextGivesTheBytes() throws IOException {
    ByteLevelBpe bpe = new BpeTrainer(1000).train(List.of(file("")));
    assertEquals(257, bpe.vocabularySize());
    assertEquals("é", bpe.decode(bpe.encodeToIds("é")));
  }

  @Test
  void theListenerHearsOfFilesAndMerges() throws IOException {
    List<String> heard = new ArrayList<>();
    BpeTrainingListener listener =
        new BpeTrainingListener() {
          @Override
          public void fileCounted(Path file, long bytes, int distinctWords) {
            heard.add(bytes + " bytes, " + distinctWords + " words");
          }

          @Override
          public void merged(int merges, int tokens, long frequency) {
            heard.add(merges + " merges, " + tokens + " tokens, " + frequency + " times");
          }
        };
    new BpeTrainer(258).withListener(listener).train(List.of(file("xy\nxy\n"), file("xy zw")));
    assertEquals(
        List.of("6 bytes, 2 words", "11 bytes, 3 words", "1 merges, 257 tokens, 3 times"), heard);
  }

  @Test
  void textThatIsNotUtf8IsRefusedWithItsPlace() throws IOException {
    byte[] bytes = ("a fine line\n".repeat(20) + "bad: ?\n").getBytes(StandardCharsets.UTF_8);
    bytes[12 * 20 + 5] = (byte) 0xE9;
    Path path = Files.write(dir.resolve("latin1.txt"), bytes);
    for (int buffer : new int[] {32, 1 << 20}) {
      String message =
          assertThrows(
                  TokenizerFormatException.class,
                  () -> new BpeTrainer(300).train(List.of(path), buffer))
              .getMessage();
      assertTrue(message.startsWith(path + ", byte 245: "), message);
    }
  }

  @Test
  void wrongSettingsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new BpeTrainer(256));
    assertThrows(IllegalArgumentException.class, () -> new BpeTrainer(300).withMinimumFrequency(0));
  }
}

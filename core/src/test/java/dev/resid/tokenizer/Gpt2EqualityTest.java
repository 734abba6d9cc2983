package dev.resid.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.EncodingType;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Ids are those of another implementation, on text that a seed makes. */
class Gpt2EqualityTest {
  private static ByteLevelBpe ours;
  private static com.knuddels.jtokkit.api.Encoding theirs;

  @BeforeAll
  static void load() {
    ours = Gpt2FromRanks.tokenizer();
    theirs = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
  }

  private static void check(String text, long seed) {
    int[] expected = theirs.encodeOrdinary(text).toArray();
    int[] actual = ours.encodeToIds(text, SpecialTokens.AS_TEXT);
    assertArrayEquals(expected, actual, () -> "seed " + seed + ": " + text);
    assertEquals(text, ours.decode(actual), () -> "seed " + seed);
  }

  @Test
  void theVocabularyIsGpt2s() {
    assertEquals(50257, ours.vocabularySize());
    assertEquals(50256, ours.endOfText().getAsInt());
    assertArrayEquals(new int[] {15496, 995}, ours.encodeToIds("Hello world"));
    assertEquals("Ġthe", ours.printable(262));
    assertEquals(" the", ours.text(262));
  }

  @Test
  void textOfManyScriptsEncodesEqually() {
    for (long seed = 0; seed < 4000; seed++) {
      check(UnicodeTexts.text(new Random(seed), 1 + (int) (seed % 60)), seed);
    }
  }

  @Test
  void longWordsEncodeEqually() {
    String[] alphabets = {
      "a", "ab", "etaoin shrdlu".replace(" ", ""), "абвгд", "日月火水木", "=-", "01"
    };
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      String alphabet = alphabets[random.nextInt(alphabets.length)];
      StringBuilder word = new StringBuilder();
      for (int n = 10 + random.nextInt(1000); n > 0; n--) {
        word.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      check(word.toString(), seed);
    }
  }

  @Test
  void moreWordsThanTheCacheHoldsEncodeEquallyTwice() {
    // The cache ends at 32,768 words; these are about 80,000, of 1 to 40 bytes.
    Random random = new Random(7);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 80_000; i++) {
      text.append(' ');
      for (int n = random.nextInt(random.nextInt(4) == 0 ? 40 : 7); n >= 0; n--) {
        text.append((char) ('a' + random.nextInt(26)));
      }
    }
    check(text.toString(), 7);
    check(text.toString(), 7);
  }

  @Test
  void threadsDoNotDisturbEachOther() throws Exception {
    List<String> texts = new ArrayList<>();
    List<int[]> expected = new ArrayList<>();
    for (long seed = 0; seed < 400; seed++) {
      texts.add(UnicodeTexts.text(new Random(seed), 50));
      expected.add(theirs.encodeOrdinary(texts.getLast()).toArray());
    }
    Callable<List<int[]>> encodeAll =
        () -> texts.stream().map(t -> ours.encodeToIds(t, SpecialTokens.AS_TEXT)).toList();
    try (ExecutorService pool = Executors.newFixedThreadPool(8)) {
      for (Future<List<int[]>> result :
          pool.invokeAll(
              List.of(
                  encodeAll, encodeAll, encodeAll, encodeAll, encodeAll, encodeAll, encodeAll,
                  encodeAll))) {
        List<int[]> actual = result.get();
        for (int i = 0; i < expected.size(); i++) {
          assertArrayEquals(expected.get(i), actual.get(i));
        }
      }
    }
  }
}

package dev.resid.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WordCacheTest {
  /** Words that differ in one place only, so that a comparison which leaves it out is found out. */
  @ParameterizedTest
  @ValueSource(ints = {0, 5, 8, 13, 16, 22, 24, 29})
  void wordsAreToldApartByEveryByte(int place) {
    WordCache cache = new WordCache();
    for (int length : IntStream.of(place + 3, WordCache.MAX_BYTES).distinct().toArray()) {
      byte[] word = new byte[length + Utf8Buffer.PADDING];
      for (int i = 0; i < 3000; i++) {
        word[place] = (byte) i;
        word[place + 1] = (byte) (i >> 8);
        word[place + 2] = (byte) (i >> 16);
        Arrays.fill(word, length, word.length, (byte) i); // what stands after the word
        int[] tokens = tokens(i, length);
        int slot = cache.find(word, 0, length);
        assertEquals(-1, slot, "word " + i + " was never put");
        cache.put(word, 0, length, tokens, tokens.length);
        slot = cache.find(word, 0, length);
        assertTrue(slot >= 0, "word " + i + " was just put");
        int[] found = new int[WordCache.MAX_TOKENS];
        assertEquals(tokens.length, cache.copyTokens(slot, found, 0));
        assertArrayEquals(tokens, Arrays.copyOf(found, tokens.length));
      }
    }
  }

  private static int[] tokens(int word, int length) {
    int[] tokens = new int[1 + word % WordCache.MAX_TOKENS];
    Arrays.setAll(tokens, i -> word * 1000 + length * 10 + i);
    return tokens;
  }

  @Test
  void frequentWordsStayWhileTheCacheGrows() {
    // 20,000 words seen in turn; the cache has grown to hold most of them in the second round.
    WordCache cache = new WordCache();
    int found = 0;
    for (int round = 0; round < 6; round++) {
      for (int i = 0; i < 20_000; i++) {
        byte[] word = new byte[4 + Utf8Buffer.PADDING];
        word[0] = (byte) i;
        word[1] = (byte) (i >> 8);
        if (cache.find(word, 0, 4) < 0) {
          cache.put(word, 0, 4, new int[] {i}, 1);
        } else if (round == 5) {
          found++;
        }
      }
    }
    assertTrue(found > 10_000, "found " + found);
  }

  @Test
  void longWordsAndWordsOfManyTokensAreNotKept() {
    WordCache cache = new WordCache();
    byte[] text = new byte[64 + Utf8Buffer.PADDING];
    cache.put(text, 0, WordCache.MAX_BYTES + 1, new int[] {1}, 1);
    cache.put(text, 0, 20, new int[WordCache.MAX_TOKENS + 1], WordCache.MAX_TOKENS + 1);
    assertEquals(-1, cache.find(text, 0, 20));
    assertEquals(-1, cache.find(text, 0, WordCache.MAX_BYTES));
  }
}

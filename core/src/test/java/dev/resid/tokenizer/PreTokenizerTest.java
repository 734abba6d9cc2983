package dev.resid.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PreTokenizerTest {
  /** GPT-2's pattern for the JDK's regular expressions, whose white space is then White_Space. */
  static final Pattern GPT2 =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  static List<String> byPattern(String text) {
    List<String> words = new ArrayList<>();
    Matcher matcher = GPT2.matcher(text);
    while (matcher.find()) {
      words.add(matcher.group());
    }
    return words;
  }

  private static List<String> byScanner(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    List<String> words = new ArrayList<>();
    for (int at = 0; at < utf8.length; ) {
      int end = PreTokenizer.next(utf8, at, utf8.length);
      words.add(new String(utf8, at, end - at, StandardCharsets.UTF_8));
      at = end;
    }
    return words;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Hello world", "  two", " \n x", "x \n", "a  ", "\n\n a", "don't 'S we'll", "'", " '",
            "!'s",
        "''s", "abc123 456def", " 1", "1.5", "...a", "'r", "'re", "'rex", "\t\ta", "\u3000\u3000a",
        "a\u00A0b", " \u00A0b", "日本 語", "e\u0301e", "𝟘𝟙 𠀀"
      })
  void wordsAreThoseOfThePattern(String text) {
    assertEquals(byPattern(text), byScanner(text));
  }

  @Test
  void everyCodePointFallsIntoTheClassOfThePattern() {
    for (int cp = 0; cp <= Character.MAX_CODE_POINT; cp++) {
      if (cp >= Character.MIN_SURROGATE && cp <= Character.MAX_SURROGATE) {
        continue;
      }
      // Beside a letter, a digit and two spaces, each of the four classes divides differently.
      String text = "a" + Character.toString(cp) + "1" + Character.toString(cp) + "  x";
      if (!byPattern(text).equals(byScanner(text))) {
        assertEquals(byPattern(text), byScanner(text), "U+" + Integer.toHexString(cp));
      }
    }
  }

  @Test
  void generatedTextsDivideAsByThePattern() {
    for (long seed = 0; seed < 3000; seed++) {
      String text = UnicodeTexts.text(new Random(seed), 1 + (int) (seed % 40));
      assertEquals(byPattern(text), byScanner(text), "seed " + seed);
    }
  }
}

package dev.resid.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ByteLevelBpeTest {
  private static final int END = 50256;

  private static ByteLevelBpe gpt2() {
    return Gpt2FromRanks.tokenizer();
  }

  @Test
  void anEmptyTextHasNoTokens() {
    assertEquals(0, gpt2().encodeToIds("").length);
    assertEquals("", gpt2().decode());
    assertEquals(0, gpt2().encodeWithOffsets("", SpecialTokens.ALLOW).size());
  }

  @Test
  void textsBecomeRows() {
    TokenBatch batch = gpt2().encode("Hello world", " the");
    assertEquals(TokenBatch.of(new int[] {15496, 995}, new int[] {262}), batch);
    assertEquals(List.of("Hello world", " the"), gpt2().decode(batch));
    assertThrows(IllegalArgumentException.class, () -> gpt2().encode("a", ""));
  }

  // special tokens

  @Test
  void specialTextIsATokenWhereItIsAllowed() {
    String text = "a<|endoftext|><|endoftext|> b<|endoftext|";
    int[] ids = gpt2().encodeToIds(text, SpecialTokens.ALLOW);
    assertEquals(2, Arrays.stream(ids).filter(id -> id == END).count());
    assertEquals(64, ids[0]);
    assertEquals(END, ids[1]);
    assertEquals(END, ids[2]);
    assertEquals(text, gpt2().decode(ids));
  }

  @Test
  void specialTextIsTextWhereItIsToBeText() {
    int[] ids = gpt2().encodeToIds("a<|endoftext|>", SpecialTokens.AS_TEXT);
    assertTrue(Arrays.stream(ids).noneMatch(id -> id == END));
    assertEquals("a<|endoftext|>", gpt2().decode(ids));
  }

  @Test
  void specialTextIsAnErrorWhereItIsForbidden() {
    ForbiddenSpecialTokenException e =
        assertThrows(
            ForbiddenSpecialTokenException.class, () -> gpt2().encodeToIds("a 👍<|endoftext|>"));
    assertEquals("<|endoftext|>", e.token());
    assertEquals(4, e.position());
    assertTrue(e.getMessage().contains("at character 4"), e.getMessage());
    assertThrows(
        ForbiddenSpecialTokenException.class, () -> gpt2().encode("fine", "<|endoftext|>"));
  }

  @Test
  void whatStandsBesideASpecialTokenIsEncodedAsIfAlone() {
    // The spaces before the special token end their part of the text, so they are one word.
    int[] ids = gpt2().encodeToIds("a   <|endoftext|>b", SpecialTokens.ALLOW);
    int[] before = gpt2().encodeToIds("a   ");
    assertArrayEquals(before, Arrays.copyOf(ids, before.length));
    assertArrayEquals(new int[] {END, 65}, Arrays.copyOfRange(ids, before.length, ids.length));
  }

  @Test
  void onlyTheEndOfTextIsSpecial() {
    assertTrue(gpt2().isSpecial(END));
    assertFalse(gpt2().isSpecial(262));
  }

  // surrogates

  @ParameterizedTest
  @ValueSource(strings = {"\uD800", "a\uDC00b", "\uDC00\uD800", "x \uD83D", "\uD83D\uD83D\uDE00"})
  void aLoneSurrogateIsEncodedAsTheReplacementCharacter(String text) {
    String replaced = text.replace("\uD83D\uDE00", "!").replaceAll("[\uD800-\uDFFF]", "\uFFFD");
    replaced = replaced.replace("!", "\uD83D\uDE00");
    Encoding encoding = gpt2().encodeWithOffsets(text, SpecialTokens.FORBID);
    assertArrayEquals(gpt2().encodeToIds(replaced), encoding.ids());
    assertEquals(replaced, gpt2().decode(encoding.ids()));
    assertEquals(text.length(), encoding.end(encoding.size() - 1));
  }

  @Test
  void pairsOfSurrogatesThatMeetABlockOfTheConversionStayPairs() {
    // The conversion to UTF-8 takes blocks of 4096 chars.
    for (int before = 4090; before < 4100; before++) {
      String text = "a".repeat(before) + "👍\uD83D" + "b".repeat(4095) + "👍";
      String expected = text.replace("👍\uD83Db", "👍\uFFFDb");
      assertEquals(expected, gpt2().decode(gpt2().encodeToIds(text)), "after " + before);
    }
  }

  // offsets

  @Test
  void offsetsAreTheCharsThatTheBytesOfATokenBelongTo() {
    for (long seed = 0; seed < 2000; seed++) {
      String text = UnicodeTexts.text(new Random(seed), 1 + (int) (seed % 40));
      Encoding encoding = gpt2().encodeWithOffsets(text, SpecialTokens.ALLOW);
      int[] firstChar = new int[4 * text.length()];
      int[] charAfter = new int[4 * text.length()];
      int bytes = 0;
      for (int at = 0; at < text.length(); ) {
        int end = at + Character.charCount(text.codePointAt(at));
        int more = text.substring(at, end).getBytes(StandardCharsets.UTF_8).length;
        Arrays.fill(firstChar, bytes, bytes + more, at);
        Arrays.fill(charAfter, bytes, bytes + more, end);
        bytes += more;
        at = end;
      }
      int at = 0;
      for (int pos = 0; pos < encoding.size(); pos++) {
        int length = gpt2().bytes(encoding.id(pos)).length;
        assertEquals(firstChar[at], encoding.start(pos), "seed " + seed + " token " + pos);
        assertEquals(charAfter[at + length - 1], encoding.end(pos), "seed " + seed + " " + pos);
        at += length;
      }
      assertEquals(bytes, at, "seed " + seed);
    }
  }

  @Test
  void tokensThatSplitACharacterShareItsRange() {
    Encoding encoding = gpt2().encodeWithOffsets("a 👍 b", SpecialTokens.FORBID);
    assertEquals("[a,  👍, 👍,  b]", pieces(encoding));
    assertArrayEquals(new int[] {0, 1, 2, 4}, encoding.starts());
    assertArrayEquals(new int[] {1, 4, 4, 6}, encoding.ends());
  }

  private static String pieces(Encoding encoding) {
    return IntStream.range(0, encoding.size()).mapToObj(encoding::textOf).toList().toString();
  }

  @Test
  void anEncodingCannotBeChangedThroughItsArrays() {
    Encoding encoding = gpt2().encodeWithOffsets("Hello world", SpecialTokens.FORBID);
    encoding.ids()[0] = 1;
    encoding.starts()[0] = 1;
    encoding.ends()[0] = 1;
    assertEquals(gpt2().encodeWithOffsets("Hello world", SpecialTokens.FORBID), encoding);
    assertEquals("Encoding[15496 'Hello', 995 ' world']", encoding.toString());
  }

  // decoding

  @Test
  void everyTokenDecodesToItsBytes() {
    for (int id = 0; id < gpt2().vocabularySize(); id++) {
      assertArrayEquals(gpt2().bytes(id), gpt2().decodeToBytes(id));
      assertEquals(id, gpt2().idOf(gpt2().printable(id)).getAsInt());
    }
    assertTrue(gpt2().idOf("no such token").isEmpty());
  }

  @Test
  void tokensAreShownOneByOne() {
    assertEquals(List.of("Hello", " world"), gpt2().texts(15496, 995));
    assertEquals(List.of(), gpt2().texts());
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> gpt2().texts(15496, 999_999));
    assertTrue(error.getMessage().contains("at position 1"), error.getMessage());
  }

  @Test
  void aTextThatIsOneTokenIsThatToken() {
    assertEquals(995, gpt2().singleToken(" world"));
    assertEquals(
        "\"Hello world\" is 2 tokens, \"Hello\", \" world\"; choose a text that is one",
        assertThrows(IllegalArgumentException.class, () -> gpt2().singleToken("Hello world"))
            .getMessage());
    assertEquals(
        "\"\" is no token; choose a text that is one",
        assertThrows(IllegalArgumentException.class, () -> gpt2().singleToken("")).getMessage());
  }

  @Test
  void partsOfCharactersDecodeToReplacements() {
    int[] ids = gpt2().encodeToIds("👍");
    assertEquals(2, ids.length);
    assertEquals("👍", gpt2().decode(ids));
    assertTrue(gpt2().decode(ids[0]).contains("\uFFFD"));
    assertEquals(gpt2().decode(ids[1]), gpt2().text(ids[1]));
  }

  @Test
  void streamingDecodingAddsUpToDecoding() {
    for (long seed = 0; seed < 3000; seed++) {
      Random random = new Random(seed);
      // Half of them real text, half random ids, whose bytes are often not UTF-8.
      int[] ids =
          seed % 2 == 0
              ? gpt2().encodeToIds(UnicodeTexts.text(random, 30), SpecialTokens.ALLOW)
              : random.ints(30, 0, random.nextBoolean() ? 256 : 50257).toArray();
      StreamingDecoder decoder = gpt2().streamingDecoder();
      StringBuilder out = new StringBuilder();
      for (int id : ids) {
        out.append(decoder.append(id));
      }
      out.append(decoder.finish());
      assertEquals(gpt2().decode(ids), out.toString(), "seed " + seed);
      assertEquals("", decoder.finish());
    }
  }

  @Test
  void streamingDecodingWaitsForTheWholeCharacter() {
    int[] ids = gpt2().encodeToIds("👍");
    StreamingDecoder decoder = gpt2().streamingDecoder();
    assertEquals("", decoder.append(ids[0]));
    assertEquals("👍", decoder.append(ids[1]));
    assertEquals("", decoder.append(ids[0]));
    assertEquals("\uFFFD", decoder.finish());
    assertEquals(" the", decoder.append(262));
  }

  @Test
  void idsOutsideTheVocabularyAreRefusedWithTheirPlace() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> gpt2().decode(1, 50257)).getMessage();
    assertTrue(message.contains("token 50257 at position 1"), message);
    assertTrue(message.contains("0 to 50256"), message);
    assertThrows(IllegalArgumentException.class, () -> gpt2().printable(-1));
    assertThrows(IllegalArgumentException.class, () -> gpt2().bytes(50257));
    assertThrows(IllegalArgumentException.class, () -> gpt2().isSpecial(50257));
  }

  // time

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a",
        "ab",
        " ",
        "\n",
        "\t ",
        "^",
        "0",
        "'s",
        "'",
        "' ",
        "é",
        "日",
        "👍",
        "\u0301",
        "\u3000",
        "<|endoftext|>",
        "<|endoftext|",
        "e ",
        "\uD800",
        "qzxj",
        "=-"
      })
  void repeatedTextTakesNoQuadraticTime(String unit) {
    // A million chars take under a second on one slow core. If time grew with the square of a
    // word's length, a million steps each over a million places would take more than ten minutes.
    String text = unit.repeat(1_000_000 / unit.length());
    int[] ids =
        assertTimeoutPreemptively(
            Duration.ofMinutes(5), () -> gpt2().encodeWithOffsets(text, SpecialTokens.ALLOW).ids());
    assertEquals(text.replace('\uD800', '\uFFFD'), gpt2().decode(ids));
  }
}

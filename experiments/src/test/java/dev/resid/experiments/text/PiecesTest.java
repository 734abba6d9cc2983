package dev.resid.experiments.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.TokenBatch;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PiecesTest {
  private static final String FIRST = "The captain looked at the sea and said nothing at all.";
  private static final String SECOND = "It rained.";

  private static ByteLevelBpe tokenizer;

  @BeforeAll
  static void load() throws IOException {
    try (Backend backend = Backends.named("scalar")) {
      tokenizer = Gpt2.embedded(backend).tokenizer();
    }
  }

  @Test
  void piecesFollowEachOtherAndEndWithTheDocument() throws IOException {
    int[] first = tokenizer.encodeToIds(FIRST, SpecialTokens.ALLOW);
    int[] second = tokenizer.encodeToIds(SECOND, SpecialTokens.ALLOW);
    for (int length = 1; length <= second.length; length++) {
      TokenBatch pieces = Pieces.cut(documents(), tokenizer, length, 100);
      int ofFirst = first.length / length;
      for (int row = 0; row < ofFirst; row++) {
        assertArrayEquals(
            Arrays.copyOfRange(first, length * row, length * (row + 1)), pieces.row(row));
      }
      assertArrayEquals(Arrays.copyOf(second, length), pieces.row(ofFirst));
      assertEquals(ofFirst + second.length / length, pieces.rows());
    }
    assertEquals(2, Pieces.cut(documents(), tokenizer, 3, 2).rows());
  }

  @Test
  void aTextWithoutOnePieceIsRefused() {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> Pieces.cut(documents(), tokenizer, 100, 5))
            .getMessage();
    assertTrue(message.equals("two has no document of 100 tokens; use more text"), message);
  }

  private static Documents documents() {
    String text = FIRST + "\n<|endoftext|>\n" + SECOND;
    return Documents.of(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "two");
  }
}

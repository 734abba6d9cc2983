package dev.resid.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenBatchTest {
  private static final TokenBatch RAGGED =
      TokenBatch.of(new int[] {5, 6, 7}, new int[] {8}, new int[] {9, 10});

  @Test
  void rowsKeepTheirIdsAndLengths() {
    assertEquals(3, RAGGED.rows());
    assertArrayEquals(new int[] {3, 1, 2}, RAGGED.lengths());
    assertEquals(1, RAGGED.length(1));
    assertEquals(3, RAGGED.maxLength());
    assertEquals(6, RAGGED.tokenCount());
    assertArrayEquals(new int[] {9, 10}, RAGGED.row(2));
    assertEquals(10, RAGGED.id(2, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> RAGGED.id(1, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> RAGGED.row(3));
  }

  @Test
  void raggedMeansThatLengthsDiffer() {
    assertTrue(RAGGED.isRagged());
    assertFalse(TokenBatch.of(new int[] {1, 2}, new int[] {3, 4}).isRagged());
    assertFalse(RAGGED.slice(1, 2).isRagged());
  }

  @Test
  void paddingGoesToTheEndOfShortRows() {
    assertArrayEquals(new int[] {5, 6, 7, 8, -1, -1, 9, 10, -1}, RAGGED.padded(-1));
  }

  @Test
  void aSliceIsABatchOfItsRows() {
    assertEquals(TokenBatch.of(new int[] {8}, new int[] {9, 10}), RAGGED.slice(1, 3));
    assertEquals(RAGGED, RAGGED.slice(0, 3));
    assertThrows(IllegalArgumentException.class, () -> RAGGED.slice(1, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> RAGGED.slice(1, 4));
  }

  @Test
  void changingTheArraysOfTheCallerChangesNothing() {
    int[] row = {1, 2};
    TokenBatch batch = TokenBatch.of(row);
    row[0] = 99;
    batch.row(0)[1] = 99;
    batch.padded(0)[1] = 99;
    assertArrayEquals(new int[] {1, 2}, batch.row(0));
  }

  @Test
  void emptyRowsNegativeIdsAndNoRowsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> TokenBatch.of());
    assertThrows(IllegalArgumentException.class, () -> TokenBatch.of(List.of()));
    String empty =
        assertThrows(IllegalArgumentException.class, () -> TokenBatch.of(new int[] {1}, new int[0]))
            .getMessage();
    assertTrue(empty.contains("row 1 is empty"), empty);
    String negative =
        assertThrows(
                IllegalArgumentException.class,
                () -> TokenBatch.of(new int[] {1}, new int[] {2, -3}))
            .getMessage();
    assertTrue(negative.contains("row 1 column 1 holds -3"), negative);
  }

  @Test
  void equalityIsByRows() {
    TokenBatch one = TokenBatch.of(new int[] {1, 2, 3});
    TokenBatch two = TokenBatch.of(new int[] {1, 2}, new int[] {3});
    assertFalse(one.equals(two));
    assertEquals(two, TokenBatch.of(List.of(new int[] {1, 2}, new int[] {3})));
    assertEquals(
        two.hashCode(), TokenBatch.of(List.of(new int[] {1, 2}, new int[] {3})).hashCode());
  }

  @Test
  void aWrittenFileReadsBackEqual(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("tokens.json");
    RAGGED.writeJson(file);
    assertEquals("[[5, 6, 7],\n [8],\n [9, 10]]\n", Files.readString(file));
    assertEquals(RAGGED, TokenBatch.readJson(file));
    RAGGED.slice(0, 1).writeJson(file);
    assertEquals(RAGGED.slice(0, 1), TokenBatch.readJson(file));
    try (var files = Files.list(dir)) {
      assertEquals(List.of(file), files.toList(), "no temporary file is left");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{}|the file, line 1 column 1|found an object",
        "``|the file|found the end of the file",
        "[]|the file|there is no row",
        "[[]]|row 0|the row is empty",
        "[[1],[]]|row 1|the row is empty",
        "[1, 2]|row 0|found the number 1",
        "[[1], null]|row 1|found null",
        "[[1, -2]]|row 0 column 1|found -2",
        "[[1], [2, 3.0]]|row 1 column 1|found the number 3.0",
        "[[1e3]]|row 0 column 0|found the number 1e3",
        "[[\"1\"]]|row 0 column 0|found a string",
        "[[[1]]]|row 0 column 0|found an array",
        "[[true]]|row 0 column 0|found true",
        "[[2147483648]]|row 0 column 0|found 2147483648",
        "[[99999999999999999999999]]|row 0 column 0|found 99999999999999999999999",
        "[[1]] [[2]]|after the last row|found an array",
        "[[1], [2|line 1|not well-formed JSON",
        "[[1],]|line 1|not well-formed JSON",
        "[[1 2]]|line 1|not well-formed JSON",
      })
  void damagedFilesAreRefusedWithThePlace(String json, String where, String problem) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    String message =
        assertThrows(
                TokenizerFormatException.class,
                () -> TokenBatch.readJson(new ByteArrayInputStream(bytes), "tokens.json"))
            .getMessage();
    assertTrue(message.startsWith("tokens.json, "), message);
    assertTrue(message.contains(where), message);
    assertTrue(message.contains(problem), message);
  }

  /** Zero bytes at the beginning make the parser take the file for UTF-32 in an odd order. */
  @Test
  void otherEncodingsAreRefusedWithTheNameOfTheFile() {
    byte[] bytes = {0, 0, 1, 0, 0, 0, 0, ']'};
    String message =
        assertThrows(
                TokenizerFormatException.class,
                () -> TokenBatch.readJson(new ByteArrayInputStream(bytes), "tokens.json"))
            .getMessage();
    assertTrue(message.startsWith("tokens.json, "), message);
  }

  @Test
  void deepNestingIsRefusedWithoutAStackOverflow() {
    byte[] bytes = "[".repeat(1_000_000).getBytes(StandardCharsets.UTF_8);
    assertThrows(
        TokenizerFormatException.class,
        () -> TokenBatch.readJson(new ByteArrayInputStream(bytes), "tokens.json"));
  }
}

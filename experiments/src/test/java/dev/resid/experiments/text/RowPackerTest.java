package dev.resid.experiments.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tokenizer.TokenBatch;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RowPackerTest {
  private static final int BOS = 99;

  @Test
  void aCutDocumentGoesOnAfterAFreshBeginOfText() {
    RowPacker packer = new RowPacker(BOS, 5, 100);
    packer.add(1, 2, 3, 4, 5, 6);
    assertEquals(TokenBatch.of(new int[] {BOS, 1, 2, 3, 4}), packer.batch());
    packer.add(7, 8);
    assertEquals(
        TokenBatch.of(new int[] {BOS, 1, 2, 3, 4}, new int[] {BOS, 5, 6, BOS, 7}), packer.batch());
    packer.add(10, 11, 12);
    assertEquals(
        TokenBatch.of(
            new int[] {BOS, 1, 2, 3, 4},
            new int[] {BOS, 5, 6, BOS, 7},
            new int[] {BOS, 8, BOS, 10, 11}),
        packer.batch());
  }

  @Test
  void aDocumentThatEndsWithARowIsNotContinued() {
    RowPacker packer = new RowPacker(BOS, 3, 100);
    packer.add(1, 2);
    packer.add(3, 4);
    assertEquals(TokenBatch.of(new int[] {BOS, 1, 2}, new int[] {BOS, 3, 4}), packer.batch());
  }

  @Test
  void aDocumentThatBeginsInTheLastPlaceOfARowBeginsAgainInTheNext() {
    RowPacker packer = new RowPacker(BOS, 3, 100);
    packer.add(1);
    packer.add(2, 3);
    assertEquals(TokenBatch.of(new int[] {BOS, 1, BOS}, new int[] {BOS, 2, 3}), packer.batch());
  }

  @Test
  void noMoreRowsThanAskedFor() {
    RowPacker packer = new RowPacker(BOS, 3, 2);
    packer.add(1, 2, 3, 4, 5, 6, 7, 8);
    assertTrue(packer.full());
    assertEquals(2, packer.batch().rows());
  }

  @Test
  void separatorLinesStandBetweenDocuments() throws IOException {
    assertEquals(
        List.of("one\n\nstill one", "two", " three"),
        documents(
            "one\n\nstill one\n<|endoftext|>\ntwo\r\n<|endoftext|>\r\n\n<|endoftext|>\n three\n"));
    assertEquals(List.of("no end"), documents("no end"));
    assertEquals(List.of("ends"), documents("ends\n<|endoftext|>"));
    assertEquals(List.of(), documents(""));
  }

  @Test
  void textThatIsNotUtf8IsRefusedWithItsOffset() {
    byte[] bytes = "ab\n<|endoftext|>\ncd\u00e9".getBytes(StandardCharsets.ISO_8859_1);
    Documents documents = Documents.of(new ByteArrayInputStream(bytes), "x.txt");
    String message =
        assertThrows(
                IOException.class,
                () -> {
                  documents.next();
                  documents.next();
                })
            .getMessage();
    assertTrue(message.startsWith("x.txt: is not UTF-8 text at byte 19"), message);
  }

  @Test
  void theEmbeddedTextHasItsPassages() throws IOException {
    try (Documents documents = Documents.embedded()) {
      int n = 0;
      for (Optional<String> text = documents.next(); text.isPresent(); text = documents.next()) {
        assertTrue(text.get().length() > 1000, text.get());
        n++;
      }
      assertEquals(66, n);
    }
  }

  private static List<String> documents(String text) throws IOException {
    List<String> found = new ArrayList<>();
    try (Documents documents =
        Documents.of(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "test")) {
      for (Optional<String> t = documents.next(); t.isPresent(); t = documents.next()) {
        found.add(t.get().replace("\r", ""));
      }
    }
    return found;
  }
}

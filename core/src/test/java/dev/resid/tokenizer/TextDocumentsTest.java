package dev.resid.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextDocumentsTest {
  @TempDir Path folder;

  private List<String> documents(String text) throws IOException {
    return TextDocuments.all(Files.writeString(folder.resolve("x.txt"), text));
  }

  @Test
  void documentsAreSplitAtLinesThatHoldOnlyTheSeparator() throws IOException {
    assertEquals(
        List.of("a\n", "b <|endoftext|> c\n", "d"),
        documents("a\n<|endoftext|>\nb <|endoftext|> c\n<|endoftext|>\nd"));
    assertEquals(List.of(), documents(" \n"));
    assertEquals(List.of(), documents(""));
    assertEquals(List.of("x\n"), documents("<|endoftext|>\nx\n<|endoftext|>"));
  }

  @Test
  void lineEndsOfWindowsAroundTheSeparatorAreAllowed() throws IOException {
    assertEquals(List.of("a\r\n", "b\r\n"), documents("a\r\n<|endoftext|>\r\nb\r\n"));
  }

  @Test
  void textThatIsNotUtf8IsRefusedWithItsOffset() throws IOException {
    Path file = folder.resolve("latin.txt");
    Files.writeString(file, "ab\n<|endoftext|>\ncd\u00e9", StandardCharsets.ISO_8859_1);
    IOException e = assertThrows(IOException.class, () -> TextDocuments.all(file));
    assertTrue(e.getMessage().startsWith(file + ": is not UTF-8 text at byte 19"), e.getMessage());
  }
}

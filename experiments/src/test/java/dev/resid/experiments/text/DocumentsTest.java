package dev.resid.experiments.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DocumentsTest {
  @Test
  void whatIsLeftComesWithoutLastLineEnds() throws IOException {
    byte[] text = "one\n<|endoftext|>\ntwo\n<|endoftext|>\nthree".getBytes(StandardCharsets.UTF_8);
    try (Documents documents = Documents.of(new ByteArrayInputStream(text), "three words")) {
      assertEquals(Optional.of("one"), documents.next());
      assertEquals(List.of("two", "three"), documents.remaining());
      assertEquals(List.of(), documents.remaining());
    }
  }
}

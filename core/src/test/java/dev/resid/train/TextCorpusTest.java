package dev.resid.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.tokenizer.ByteLevelBpe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextCorpusTest {
  @Test
  void textsInMemoryAreTheTextsOfAFile(@TempDir Path folder) throws IOException {
    ByteLevelBpe tokenizer = BytesTokenizer.make(folder.resolve("tokenizer"));
    Path file = folder.resolve("text.txt");
    Files.writeString(file, "one\n<|endoftext|>\ntwo\n");
    TextCorpus read = TextCorpus.read(List.of(file), tokenizer);
    TextCorpus given = TextCorpus.of(List.of("one\n", "two\n"), tokenizer);
    assertEquals(10, given.tokens(), "the bytes, and an end after each text");
    assertEquals(read.sha256(), given.sha256());
    assertEquals(read.batch(0, 2, 4, 1), given.batch(0, 2, 4, 1));
  }
}

package dev.resid.train;

import dev.resid.tokenizer.ByteLevelBpe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A tokenizer without merges: 256 bytes and the end-of-text token. */
public final class BytesTokenizer {
  private BytesTokenizer() {}

  /**
   * Writes the tokenizer to a folder and returns it.
   *
   * @param dir created if missing
   */
  public static ByteLevelBpe make(Path dir) throws IOException {
    Files.createDirectories(dir);
    StringBuilder vocab = new StringBuilder("{");
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      int shown = printable ? b : next++;
      String character = shown == '"' || shown == '\\' ? "\\" + (char) shown : "" + (char) shown;
      vocab.append('"').append(character).append("\": ").append(b).append(", ");
    }
    vocab.append("\"<|endoftext|>\": 256}");
    Files.writeString(dir.resolve("vocab.json"), vocab);
    Files.writeString(dir.resolve("merges.txt"), "#version: 0.2\n");
    return ByteLevelBpe.load(dir);
  }
}

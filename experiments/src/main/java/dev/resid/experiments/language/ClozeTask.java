package dev.resid.experiments.language;

import dev.resid.io.ReadFailure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** A test of predicting one word. */
public enum ClozeTask {
  /**
   * The last word of a passage that cannot be guessed without the whole of it.
   *
   * @source Paperno et al. 2016, "The LAMBADA dataset"
   */
  LAMBADA("LAMBADA", "lambada.txt"),
  /**
   * A word left out of the sentence after twenty others of a children's book.
   *
   * @source Hill et al. 2015, "The Goldilocks Principle"
   */
  CBT("Children's Book Test", "cbt.txt");

  private final String title;
  private final String resource;

  ClozeTask(String title, String resource) {
    this.title = title;
    this.resource = resource;
  }

  /** Returns its name in titles. */
  public String title() {
    return title;
  }

  /** Returns its name on the command line. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns the task of a name on the command line. */
  static ClozeTask of(String word) {
    return valueOf(word.toUpperCase(Locale.ROOT));
  }

  /**
   * Returns the items of a file.
   *
   * @throws IOException if it cannot be read or is not in a format of this task; the message names
   *     the line and what was expected there
   */
  public List<ClozeItem> read(Path file) throws IOException {
    return parse(ReadFailure.bytes(file), file.toString());
  }

  /**
   * Returns the items that ship with the library, written for it.
   *
   * @throws IOException if the resource cannot be read
   */
  public List<ClozeItem> builtIn() throws IOException {
    try (InputStream in = ClozeTask.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("the resource " + resource + " is missing; rebuild Resid");
      }
      return parse(in.readAllBytes(), resource);
    }
  }

  /** Returns the items of a file's bytes; messages begin with the name. */
  List<ClozeItem> parse(byte[] bytes, String name) throws IOException {
    String text = decode(bytes, name);
    return switch (this) {
      case LAMBADA -> LambadaFormat.parse(text, name);
      case CBT -> CbtFormat.parse(text, name);
    };
  }

  private static String decode(byte[] bytes, String name) throws IOException {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes))
          .toString();
    } catch (CharacterCodingException e) {
      throw new IOException(name + " is no UTF-8 text", e);
    }
  }
}

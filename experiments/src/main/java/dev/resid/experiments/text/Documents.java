package dev.resid.experiments.text;

import dev.resid.tokenizer.TextDocuments;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Documents of a UTF-8 text as experiments read them: divided as {@link TextDocuments} does, each
 * without its last line end.
 */
public final class Documents implements AutoCloseable {
  private static final String EMBEDDED = "passages.txt";

  private final TextDocuments source;

  private Documents(TextDocuments source) {
    this.source = source;
  }

  /**
   * Opens a text file.
   *
   * @throws IOException if it cannot be opened
   */
  public static Documents open(Path file) throws IOException {
    return new Documents(TextDocuments.open(file));
  }

  /** Opens the passages that ship with the library. */
  public static Documents embedded() {
    InputStream in = Documents.class.getResourceAsStream(EMBEDDED);
    if (in == null) {
      throw new IllegalStateException("the resource " + EMBEDDED + " is missing; rebuild Resid");
    }
    return of(in, "embedded " + EMBEDDED);
  }

  /**
   * Returns documents of a text.
   *
   * @param in its UTF-8 bytes
   * @param name what errors call it
   */
  public static Documents of(InputStream in, String name) {
    return new Documents(TextDocuments.of(in, name));
  }

  /** Returns the file, or what else the documents come from. */
  public String name() {
    return source.name();
  }

  /**
   * Returns the next document, or nothing after the last.
   *
   * @throws IOException if it cannot be read or is not UTF-8; the message names file and byte
   *     offset
   */
  public Optional<String> next() throws IOException {
    return source
        .next()
        .map(text -> text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
  }

  /**
   * Returns the documents that are left, all of them in memory.
   *
   * @throws IOException as {@link #next}
   */
  public List<String> remaining() throws IOException {
    List<String> texts = new ArrayList<>();
    for (Optional<String> text = next(); text.isPresent(); text = next()) {
      texts.add(text.get());
    }
    return texts;
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}

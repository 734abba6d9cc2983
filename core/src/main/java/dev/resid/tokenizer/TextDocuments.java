package dev.resid.tokenizer;

import dev.resid.io.ReadFailure;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Documents of a UTF-8 text, one at a time. A line that holds only {@code <|endoftext|>} stands
 * between two documents; a text without such a line is one document. Documents without any visible
 * text are left out.
 */
public final class TextDocuments implements AutoCloseable {
  private static final byte[] SEPARATOR =
      Vocabulary.END_OF_TEXT.getBytes(StandardCharsets.US_ASCII);

  private final InputStream in;
  private final String name;
  private long offset;
  private boolean ended;

  private TextDocuments(InputStream in, String name) {
    this.in = new BufferedInputStream(in, 1 << 16);
    this.name = name;
  }

  /**
   * Opens a text file.
   *
   * @throws IOException if it cannot be opened
   */
  public static TextDocuments open(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a folder; name a file in it.");
    }
    return new TextDocuments(ReadFailure.open(file), file.toString());
  }

  /**
   * Returns documents of a text.
   *
   * @param in its UTF-8 bytes, closed with the documents
   * @param name what errors call it
   */
  public static TextDocuments of(InputStream in, String name) {
    return new TextDocuments(in, name);
  }

  /**
   * Returns all documents of a file, each as {@link #next} does.
   *
   * @throws IOException if it cannot be read or is not UTF-8
   */
  public static List<String> all(Path file) throws IOException {
    List<String> documents = new ArrayList<>();
    try (TextDocuments source = open(file)) {
      for (Optional<String> text = source.next(); text.isPresent(); text = source.next()) {
        documents.add(text.get());
      }
    }
    return documents;
  }

  /** Returns the file, or what else the documents come from. */
  public String name() {
    return name;
  }

  /**
   * Returns the next document with all its line ends, the one before the separator too, or nothing
   * after the last.
   *
   * @throws IOException if it cannot be read or is not UTF-8; the message names file and byte
   *     offset
   */
  public Optional<String> next() throws IOException {
    while (!ended) {
      long start = offset;
      String text = decode(nextBytes(), start);
      if (!text.isBlank()) {
        return Optional.of(text);
      }
    }
    return Optional.empty();
  }

  /** Reads up to a separator line and over it. */
  private byte[] nextBytes() throws IOException {
    ByteArrayOutputStream document = new ByteArrayOutputStream();
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      int b = in.read();
      if (b >= 0) {
        offset++;
        if (b != '\n') {
          line.write(b);
          continue;
        }
      }
      ended = b < 0;
      if (isSeparator(line.toByteArray())) {
        return document.toByteArray();
      }
      line.writeTo(document);
      line.reset();
      if (ended) {
        return document.toByteArray();
      }
      document.write(b);
    }
  }

  private static boolean isSeparator(byte[] line) {
    int length = line.length > 0 && line[line.length - 1] == '\r' ? line.length - 1 : line.length;
    return Arrays.equals(line, 0, length, SEPARATOR, 0, SEPARATOR.length);
  }

  private String decode(byte[] bytes, long start) throws IOException {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer from = ByteBuffer.wrap(bytes);
    try {
      return decoder.decode(from).toString();
    } catch (CharacterCodingException e) {
      throw new IOException(
          name + ": is not UTF-8 text at byte " + (start + from.position()) + "; convert it first",
          e);
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}

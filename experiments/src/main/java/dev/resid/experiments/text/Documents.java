package dev.resid.experiments.text;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Documents of a UTF-8 text, one at a time. A line that holds only {@code <|endoftext|>} stands
 * between two documents; a text without such a line is one document. Documents without any text are
 * left out.
 */
public final class Documents implements AutoCloseable {
  private static final byte[] SEPARATOR = "<|endoftext|>".getBytes(StandardCharsets.UTF_8);
  private static final String EMBEDDED = "passages.txt";

  private final InputStream in;
  private final String name;
  private long offset;
  private boolean ended;

  private Documents(InputStream in, String name) {
    this.in = new BufferedInputStream(in, 1 << 16);
    this.name = name;
  }

  /**
   * Opens a text file.
   *
   * @throws IOException if it cannot be opened
   */
  public static Documents open(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a folder; name a file in it.");
    }
    return new Documents(Files.newInputStream(file), file.toString());
  }

  /** Opens the passages that ship with the library. */
  public static Documents embedded() {
    InputStream in = Documents.class.getResourceAsStream(EMBEDDED);
    if (in == null) {
      throw new IllegalStateException("the resource " + EMBEDDED + " is missing; rebuild Resid");
    }
    return new Documents(in, "embedded " + EMBEDDED);
  }

  /**
   * Returns documents of a text.
   *
   * @param in its UTF-8 bytes
   * @param name what errors call it
   */
  public static Documents of(InputStream in, String name) {
    return new Documents(in, name);
  }

  /** Returns the file, or what else the documents come from. */
  public String name() {
    return name;
  }

  /**
   * Returns the next document, or nothing after the last.
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

  /** Reads up to a separator line, which is left out like the line end before it. */
  private byte[] nextBytes() throws IOException {
    ByteArrayOutputStream document = new ByteArrayOutputStream();
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    boolean first = true;
    while (true) {
      int b = in.read();
      if (b >= 0) {
        offset++;
      }
      if (b >= 0 && b != '\n') {
        line.write(b);
        continue;
      }
      if (isSeparator(line.toByteArray())) {
        ended = b < 0;
        return document.toByteArray();
      }
      if (b < 0) {
        ended = true;
        if (line.size() > 0 || first) {
          append(document, line, first);
        }
        return document.toByteArray();
      }
      append(document, line, first);
      first = false;
      line.reset();
    }
  }

  private static void append(
      ByteArrayOutputStream document, ByteArrayOutputStream line, boolean first)
      throws IOException {
    if (!first) {
      document.write('\n');
    }
    line.writeTo(document);
  }

  private static boolean isSeparator(byte[] line) {
    int length = line.length > 0 && line[line.length - 1] == '\r' ? line.length - 1 : line.length;
    return java.util.Arrays.equals(line, 0, length, SEPARATOR, 0, SEPARATOR.length);
  }

  private String decode(byte[] bytes, long start) throws IOException {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer from = ByteBuffer.wrap(bytes);
    CharBuffer to = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(from, to, true);
    if (result.isError()) {
      throw new IOException(
          name + ": is not UTF-8 text at byte " + (start + from.position()) + "; convert it first");
    }
    return to.flip().toString();
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}

package dev.resid.tokenizer;

import dev.resid.io.ReadFailure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads a text file in pieces that divide into words as the whole documents would. A document ends
 * before a line that holds only {@code <|endoftext|>}. Long documents are cut before a line end
 * that follows a visible ASCII character, where a word ends in any case, so memory does not grow
 * with them.
 */
final class TrainingText {
  private static final byte[] SEPARATOR =
      Vocabulary.END_OF_TEXT.getBytes(StandardCharsets.US_ASCII);

  /** Takes a piece: well-formed UTF-8, valid during the call. */
  interface Sink {
    /** Takes the bytes {@code from} to {@code to - 1}. */
    void accept(byte[] utf8, int from, int to);
  }

  private final Path file;
  private final Sink sink;
  private final CharsetDecoder checker = StandardCharsets.UTF_8.newDecoder();
  private final CharBuffer discarded = CharBuffer.allocate(1 << 13);

  private byte[] buffer;
  private int filled;

  /** Bytes of the file before the buffer's first. */
  private long offset;

  private TrainingText(Path file, int bufferBytes, Sink sink) {
    this.file = file;
    this.sink = sink;
    this.buffer = new byte[bufferBytes];
  }

  /**
   * Reads a file and returns the number of its bytes.
   *
   * @param bufferBytes pieces are not longer, unless a single line is
   * @throws TokenizerFormatException if the file is not UTF-8
   */
  static long read(Path file, int bufferBytes, Sink sink) throws IOException {
    try (InputStream in = ReadFailure.open(file)) {
      return new TrainingText(file, bufferBytes, sink).read(in);
    }
  }

  private long read(InputStream in) throws IOException {
    int pieceStart = 0;
    int lineStart = 0;
    int cut = 0; // the last place in the piece where it may be cut
    int at = 0;
    while (true) {
      for (; at < filled; at++) {
        if (buffer[at] != '\n') {
          continue;
        }
        if (isSeparator(lineStart, at)) {
          emit(pieceStart, lineStart);
          pieceStart = at + 1;
          cut = pieceStart;
        } else if (at > pieceStart && buffer[at - 1] > ' ' && buffer[at - 1] < 0x7F) {
          cut = at;
        }
        lineStart = at + 1;
      }
      if (filled == buffer.length) {
        if (cut > pieceStart) {
          emit(pieceStart, cut);
          pieceStart = cut;
        }
        if (pieceStart > 0) {
          System.arraycopy(buffer, pieceStart, buffer, 0, filled - pieceStart);
          offset += pieceStart;
          filled -= pieceStart;
          at -= pieceStart;
          lineStart -= pieceStart;
          cut = 0;
          pieceStart = 0;
        } else {
          grow();
        }
      }
      int count = in.read(buffer, filled, buffer.length - filled);
      if (count < 0) {
        emit(pieceStart, isSeparator(lineStart, filled) ? lineStart : filled);
        return offset + filled;
      }
      filled += count;
    }
  }

  private boolean isSeparator(int from, int to) {
    return Arrays.equals(buffer, from, to, SEPARATOR, 0, SEPARATOR.length);
  }

  private void emit(int from, int to) throws TokenizerFormatException {
    if (from == to) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.wrap(buffer, from, to - from);
    checker.reset();
    CoderResult result;
    do {
      result = checker.decode(bytes, discarded.clear(), true);
    } while (result.isOverflow());
    if (result.isError()) {
      throw new TokenizerFormatException(
          file.toString(),
          "byte " + (offset + bytes.position()),
          "the text is not UTF-8",
          "Convert the file to UTF-8");
    }
    sink.accept(buffer, from, to);
  }

  private void grow() throws TokenizerFormatException {
    if (buffer.length > Integer.MAX_VALUE / 2 - 8) {
      throw new TokenizerFormatException(
          file.toString(),
          "byte " + offset,
          "over a gigabyte of text without a line end after a visible ASCII character",
          "Break the text into lines");
    }
    buffer = Arrays.copyOf(buffer, buffer.length * 2);
  }
}

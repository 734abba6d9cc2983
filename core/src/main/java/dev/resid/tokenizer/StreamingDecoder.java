package dev.resid.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Decodes tokens one at a time into text that consists of complete characters: bytes of a character
 * that is not complete yet wait for the next token. All texts it returns, one after the other, are
 * {@link ByteLevelBpe#decode} of all tokens. Not safe for several threads; get another one from
 * {@link ByteLevelBpe#streamingDecoder()}.
 */
public final class StreamingDecoder {
  private final ByteLevelBpe tokenizer;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);

  /** The first bytes of a character whose last ones are to come; at most three. */
  private final byte[] waiting = new byte[4];

  private int waitingCount;

  StreamingDecoder(ByteLevelBpe tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Returns the characters that a token completes; empty if it completes none. Bytes that can not
   * become UTF-8 any more come out as U+FFFD.
   *
   * @param id a token of the vocabulary
   * @throws IllegalArgumentException if there is no such token
   */
  public String append(int id) {
    byte[] bytes = tokenizer.bytes(id);
    ByteBuffer in = ByteBuffer.allocate(waitingCount + bytes.length);
    in.put(waiting, 0, waitingCount).put(bytes).flip();
    CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
    decoder.decode(in, out, false);
    waitingCount = in.remaining();
    in.get(waiting, 0, waitingCount);
    return out.flip().toString();
  }

  /**
   * Returns U+FFFD if bytes of an incomplete character are left, else an empty text. The decoder is
   * then as new.
   */
  public String finish() {
    ByteBuffer in = ByteBuffer.wrap(waiting, 0, waitingCount);
    CharBuffer out = CharBuffer.allocate(waitingCount + 1);
    decoder.decode(in, out, true);
    decoder.flush(out);
    decoder.reset();
    waitingCount = 0;
    return out.flip().toString();
  }
}

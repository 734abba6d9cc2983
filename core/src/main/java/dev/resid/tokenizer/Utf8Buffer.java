package dev.resid.tokenizer;

import java.util.Arrays;

/**
 * Text as UTF-8, in an array that is kept from text to text. A surrogate without its partner, which
 * a Java string can hold and UTF-8 cannot, becomes U+FFFD.
 */
final class Utf8Buffer {
  /** Bytes past the end that may be read, and hold anything: words are compared by eights. */
  static final int PADDING = 8;

  /** An array longer than this is let go after use. */
  private static final int KEPT_BYTES = 1 << 20;

  private static final int BLOCK_CHARS = 4096;

  private final char[] block = new char[BLOCK_CHARS];
  private byte[] bytes = new byte[1 << 10];
  private int size;

  /** Returns the array; the text is its first {@link #size()} bytes. */
  byte[] bytes() {
    return bytes;
  }

  /** Returns the number of bytes of the text. */
  int size() {
    return size;
  }

  /** Lets go of an array that is too large to keep. */
  void release() {
    if (bytes.length > KEPT_BYTES) {
      bytes = new byte[1 << 10];
    }
  }

  /** Fills the buffer with the chars {@code from} to {@code to - 1} of a text. */
  void fill(String text, int from, int to) {
    size = 0;
    int at = from;
    while (at < to) {
      int end = Math.min(to, at + BLOCK_CHARS);
      if (end < to && Character.isHighSurrogate(text.charAt(end - 1))) {
        end--; // its partner may be the first char of the next block
      }
      text.getChars(at, end, block, 0);
      ensure(3 * (end - at));
      append(end - at);
      at = end;
    }
  }

  private void append(int chars) {
    byte[] out = bytes;
    int at = size;
    for (int i = 0; i < chars; i++) {
      char c = block[i];
      if (c < 0x80) {
        out[at++] = (byte) c;
      } else if (c < 0x800) {
        out[at++] = (byte) (0xC0 | c >> 6);
        out[at++] = (byte) (0x80 | c & 0x3F);
      } else if (Character.isHighSurrogate(c)
          && i + 1 < chars
          && Character.isLowSurrogate(block[i + 1])) {
        int cp = Character.toCodePoint(c, block[++i]);
        out[at++] = (byte) (0xF0 | cp >> 18);
        out[at++] = (byte) (0x80 | cp >> 12 & 0x3F);
        out[at++] = (byte) (0x80 | cp >> 6 & 0x3F);
        out[at++] = (byte) (0x80 | cp & 0x3F);
      } else {
        int cp = Character.isSurrogate(c) ? 0xFFFD : c;
        out[at++] = (byte) (0xE0 | cp >> 12);
        out[at++] = (byte) (0x80 | cp >> 6 & 0x3F);
        out[at++] = (byte) (0x80 | cp & 0x3F);
      }
    }
    size = at;
  }

  private void ensure(int more) {
    long needed = (long) size + more + PADDING;
    if (needed <= bytes.length) {
      return;
    }
    int most = Integer.MAX_VALUE - 16;
    if (needed > most) {
      throw new IllegalArgumentException(
          "the text is longer than 2 GiB in UTF-8; encode it in parts");
    }
    bytes = Arrays.copyOf(bytes, (int) Math.min(most, Math.max(needed, bytes.length * 3L / 2)));
  }
}

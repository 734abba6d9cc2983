package dev.resid.tokenizer;

import java.util.Arrays;

/**
 * The characters that stand for bytes in vocabulary and merge files. The 188 bytes that are visible
 * in Latin-1 stand for themselves; the other 68 are U+0100, U+0101 … in the order of the bytes, so
 * that a blank is written {@code Ġ} (U+0120).
 */
final class ByteAlphabet {
  private static final char[] CHAR_OF_BYTE = new char[256];
  private static final int[] BYTE_OF_CHAR = new int[256 + 68];

  static {
    Arrays.fill(BYTE_OF_CHAR, -1);
    char next = 256;
    for (int b = 0; b < 256; b++) {
      boolean visible = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b != 0xAD);
      CHAR_OF_BYTE[b] = visible ? (char) b : next++;
      BYTE_OF_CHAR[CHAR_OF_BYTE[b]] = b;
    }
  }

  private ByteAlphabet() {}

  /** Returns the character that stands for a byte. */
  static char charOf(int unsignedByte) {
    return CHAR_OF_BYTE[unsignedByte];
  }

  /** Returns the byte, 0 to 255, that a character stands for, or -1 if it stands for none. */
  static int byteOf(char c) {
    return c < BYTE_OF_CHAR.length ? BYTE_OF_CHAR[c] : -1;
  }

  /** Returns the bytes that a token stands for, or null if a character stands for none. */
  static byte[] bytesOf(String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      int b = byteOf(token.charAt(i));
      if (b < 0) {
        return null;
      }
      bytes[i] = (byte) b;
    }
    return bytes;
  }

  /** Returns bytes in the alphabet. */
  static String write(byte[] bytes) {
    char[] chars = new char[bytes.length];
    for (int i = 0; i < chars.length; i++) {
      chars[i] = CHAR_OF_BYTE[bytes[i] & 0xFF];
    }
    return new String(chars);
  }
}

package dev.resid.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Checks bytes in place, so that a damaged text costs no allocation. */
final class Utf8 {
  private Utf8() {}

  /**
   * Returns the offset of the first byte that is not part of a shortest-form UTF-8 sequence of a
   * Unicode scalar value (no surrogates, nothing above U+10FFFF), or -1 if there is none.
   */
  static long firstInvalid(MemorySegment bytes) {
    long size = bytes.byteSize();
    long i = 0;
    while (i < size) {
      int lead = at(bytes, i);
      int length;
      int low = 0x80;
      int high = 0xBF;
      if (lead < 0x80) {
        i++;
        continue;
      } else if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
      } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        low = lead == 0xE0 ? 0xA0 : 0x80;
        high = lead == 0xED ? 0x9F : 0xBF;
      } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        low = lead == 0xF0 ? 0x90 : 0x80;
        high = lead == 0xF4 ? 0x8F : 0xBF;
      } else {
        return i;
      }
      if (i + length > size || at(bytes, i + 1) < low || at(bytes, i + 1) > high) {
        return i;
      }
      for (int k = 2; k < length; k++) {
        if (at(bytes, i + k) < 0x80 || at(bytes, i + k) > 0xBF) {
          return i;
        }
      }
      i += length;
    }
    return -1;
  }

  /** Returns whether every surrogate in a Java string has its partner. */
  static boolean isWellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        return false;
      }
    }
    return true;
  }

  private static int at(MemorySegment bytes, long i) {
    return bytes.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
  }
}

package dev.resid.tokenizer;

// Splits text into the pieces inside which BPE merges, exactly as the first match, again and again,
// of GPT-2's pattern
//
//   's | 't | 're | 've | 'm | 'll | 'd | ?L+ | ?N+ | ?O+ | S+(?!nonspace) | S+
//
// where L are letters (general categories Lu Ll Lt Lm Lo), N numbers (Nd Nl No), S the 25 code
// points of White_Space, O everything else, and " ?" an optional U+0020. It scans UTF-8 so that the
// bytes need no second look when they are merged. The last two alternatives mean: a run of
// whitespace that ends the text is one piece; of another, longer than one, all but its last code
// point is a piece, and the last is tried again as the " ?" of what follows.
//
// Letters and numbers are those of the JDK (25: Unicode 16).
/** GPT-2's division of text into words. */
final class PreTokenizer {
  private static final byte OTHER = 0;
  private static final byte LETTER = 1;
  private static final byte NUMBER = 2;
  private static final byte SPACE = 3;

  /** Marks the bytes that no code point below U+0080 has. */
  private static final byte MULTI = 4;

  /** Class of every code point of the basic plane. */
  private static final byte[] BASIC_PLANE = new byte[0x10000];

  /** Class of every byte: of its ASCII character, else {@link #MULTI}. */
  private static final byte[] BYTES = new byte[256];

  static {
    for (int cp = 0; cp < BASIC_PLANE.length; cp++) {
      BASIC_PLANE[cp] = isWhiteSpace(cp) ? SPACE : categoryClass(cp);
    }
    for (int b = 0; b < 256; b++) {
      BYTES[b] = b < 0x80 ? BASIC_PLANE[b] : MULTI;
    }
  }

  private PreTokenizer() {}

  /**
   * Returns where the piece that begins at a position ends.
   *
   * @param utf8 well-formed UTF-8
   * @param from first byte of a code point, before {@code limit}
   * @param limit end of the text
   */
  static int next(byte[] utf8, int from, int limit) {
    byte first = utf8[from];
    if (first == ' ') {
      if (from + 1 == limit) {
        return limit;
      }
      byte kind = classAt(utf8, from + 1);
      return kind == SPACE ? endOfSpaces(utf8, from, limit) : endOfRun(utf8, from + 1, limit, kind);
    }
    if (first == '\'') {
      int end = endOfContraction(utf8, from, limit);
      if (end > 0) {
        return end;
      }
    }
    byte kind = classAt(utf8, from);
    return kind == SPACE ? endOfSpaces(utf8, from, limit) : endOfRun(utf8, from, limit, kind);
  }

  private static int endOfRun(byte[] utf8, int from, int limit, byte kind) {
    int at = from;
    while (at < limit) {
      byte here = BYTES[utf8[at] & 0xFF];
      if (here == kind) {
        at++;
      } else if (here == MULTI && multiByteClass(utf8, at) == kind) {
        at += sequenceLength(utf8[at]);
      } else {
        break;
      }
    }
    return at;
  }

  private static int endOfSpaces(byte[] utf8, int from, int limit) {
    int at = from;
    int last = from;
    while (at < limit && classAt(utf8, at) == SPACE) {
      last = at;
      at += sequenceLength(utf8[at]);
    }
    return at == limit || last == from ? at : last;
  }

  private static int endOfContraction(byte[] utf8, int from, int limit) {
    if (from + 1 == limit) {
      return -1;
    }
    byte a = utf8[from + 1];
    if (a == 's' || a == 't' || a == 'm' || a == 'd') {
      return from + 2;
    }
    if (from + 2 == limit) {
      return -1;
    }
    byte b = utf8[from + 2];
    boolean two = (a == 'r' || a == 'v') && b == 'e' || a == 'l' && b == 'l';
    return two ? from + 3 : -1;
  }

  private static byte classAt(byte[] utf8, int at) {
    byte kind = BYTES[utf8[at] & 0xFF];
    return kind == MULTI ? multiByteClass(utf8, at) : kind;
  }

  private static byte multiByteClass(byte[] utf8, int at) {
    int lead = utf8[at] & 0xFF;
    if (lead < 0xE0) {
      return BASIC_PLANE[(lead & 0x1F) << 6 | utf8[at + 1] & 0x3F];
    }
    if (lead < 0xF0) {
      return BASIC_PLANE[(lead & 0x0F) << 12 | (utf8[at + 1] & 0x3F) << 6 | utf8[at + 2] & 0x3F];
    }
    return categoryClass(
        (lead & 0x07) << 18
            | (utf8[at + 1] & 0x3F) << 12
            | (utf8[at + 2] & 0x3F) << 6
            | utf8[at + 3] & 0x3F);
  }

  /** Returns the number of bytes of the code point whose first byte is given. */
  static int sequenceLength(byte lead) {
    int b = lead & 0xFF;
    return b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
  }

  private static boolean isWhiteSpace(int cp) {
    return cp >= 0x09 && cp <= 0x0D
        || cp == 0x20
        || cp == 0x85
        || cp == 0xA0
        || cp == 0x1680
        || cp >= 0x2000 && cp <= 0x200A
        || cp == 0x2028
        || cp == 0x2029
        || cp == 0x202F
        || cp == 0x205F
        || cp == 0x3000;
  }

  private static byte categoryClass(int cp) {
    return switch (Character.getType(cp)) {
      case Character.UPPERCASE_LETTER,
          Character.LOWERCASE_LETTER,
          Character.TITLECASE_LETTER,
          Character.MODIFIER_LETTER,
          Character.OTHER_LETTER ->
          LETTER;
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER ->
          NUMBER;
      default -> OTHER;
    };
  }
}

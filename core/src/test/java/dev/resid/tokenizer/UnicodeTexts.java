package dev.resid.tokenizer;

import java.util.Random;

/** Texts of everything that tokenizers get wrong, from a seed. No lone surrogates. */
final class UnicodeTexts {
  private static final String[] FRAGMENTS = {
    "'s",
    "'t",
    "'re",
    "'ve",
    "'m",
    "'ll",
    "'d",
    "'S",
    "'RE",
    "'LL",
    "'l",
    "'r",
    "'v",
    "'",
    "''",
    " 's",
    "'sure",
    "don't",
    "we'll've",
    "I'd",
    "’s",
    "the",
    " the",
    "The",
    " of",
    "ing",
    " was",
    "tokenizer",
    " residual",
    "0",
    "12",
    " 2026",
    "3.14",
    "½",
    "²",
    "Ⅻ",
    "٣٤",
    "१२",
    "𝟘𝟙",
    "①",
    "Straße",
    " naïve",
    "Ελληνικά",
    " русский",
    "עברית",
    "العربية",
    "हिन्दी",
    "ไทย",
    "한국어",
    "日本語",
    "中文",
    "𠀀𠀁",
    "ꦗꦮ",
    "Ⴄ",
    "ᚠᚢ",
    "e\u0301",
    "a\u0308\u0323",
    "\u0301",
    "ZA\u0335LGO",
    "👍",
    "👩\u200D👩\u200D👧",
    "🏳\uFE0F\u200D🌈",
    "🇫🇷",
    "☃\uFE0F",
    "1\uFE0F\u20E3",
    ".",
    ",",
    "...",
    "!!",
    " - ",
    "--",
    "(",
    ")\"",
    "@#$%",
    "\\",
    "\u0000",
    "\u001C",
    "\u001F",
    "\u007F",
    "\u200B",
    "\u180E",
    "\uFEFF",
    "\u2060",
    "\uFFFD",
    "\uFFFF",
    "\uE000",
    "<|endoftext|>",
    "<|",
    "|>"
  };

  private static final String WHITE_SPACE =
      "\t\n\u000B\f\r \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
          + "\u2009\u200A\u2028\u2029\u202F\u205F\u3000";

  private UnicodeTexts() {}

  /** Returns a text of the given number of parts. */
  static String text(Random random, int parts) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < parts; i++) {
      switch (random.nextInt(10)) {
        case 0, 1, 2, 3 -> out.append(FRAGMENTS[random.nextInt(FRAGMENTS.length)]);
        case 4 -> out.append(' ');
        case 5 -> {
          for (int n = 1 + random.nextInt(4); n > 0; n--) {
            out.append(WHITE_SPACE.charAt(random.nextInt(WHITE_SPACE.length())));
          }
        }
        case 6 -> {
          for (int n = 1 + random.nextInt(8); n > 0; n--) {
            out.append((char) ('a' + random.nextInt(26)));
          }
        }
        case 7 -> out.appendCodePoint(codePoint(random, 0x3000));
        case 8 -> out.appendCodePoint(codePoint(random, 0x20000));
        default -> out.appendCodePoint(codePoint(random, 0x110000));
      }
    }
    return out.toString();
  }

  private static int codePoint(Random random, int limit) {
    while (true) {
      int cp = random.nextInt(limit);
      if (cp < Character.MIN_SURROGATE || cp > Character.MAX_SURROGATE) {
        return cp;
      }
    }
  }
}

package dev.resid.tokenizer;

import java.util.Arrays;

/** The mutable side of encoding: one thread's buffers and its cache of words. */
final class TextEncoder {
  /** An array longer than this is let go after use. */
  private static final int KEPT_TOKENS = 1 << 18;

  private final Utf8Buffer text = new Utf8Buffer();
  private final WordMerger merger;
  private final WordCache cache = new WordCache();
  private int[] ids = new int[1 << 8];
  private int size;

  TextEncoder(Vocabulary vocabulary) {
    merger = new WordMerger(vocabulary);
  }

  /** Appends the tokens of a part of a text, which is taken as if it were the whole text. */
  void append(String string, int from, int to) {
    text.fill(string, from, to);
    byte[] utf8 = text.bytes();
    int limit = text.size();
    int at = 0;
    while (at < limit) {
      int end = PreTokenizer.next(utf8, at, limit);
      appendWord(utf8, at, end);
      at = end;
    }
  }

  private void appendWord(byte[] utf8, int from, int to) {
    int length = to - from;
    if (length <= WordCache.MAX_BYTES) {
      int slot = cache.find(utf8, from, length);
      if (slot >= 0) {
        ensure(WordCache.MAX_TOKENS);
        size = cache.copyTokens(slot, ids, size);
        return;
      }
    }
    int count = merger.merge(utf8, from, to);
    cache.put(utf8, from, length, merger.tokens(), count);
    ensure(count);
    System.arraycopy(merger.tokens(), 0, ids, size, count);
    size += count;
  }

  /** Appends one token. */
  void append(int id) {
    ensure(1);
    ids[size++] = id;
  }

  /** Returns what was appended since the last call, and lets go of large buffers. */
  int[] take() {
    int[] taken = Arrays.copyOf(ids, size);
    clear();
    return taken;
  }

  /** Forgets what was appended, and lets go of large buffers. */
  void clear() {
    size = 0;
    if (ids.length > KEPT_TOKENS) {
      ids = new int[1 << 8];
    }
    text.release();
    merger.release();
  }

  private void ensure(int more) {
    if (more > ids.length - size) {
      long needed = (long) size + more;
      int most = Integer.MAX_VALUE - 16;
      if (needed > most) {
        throw new IllegalArgumentException("the text has over 2^31 tokens; encode it in parts");
      }
      ids = Arrays.copyOf(ids, (int) Math.min(most, Math.max(needed, ids.length * 2L)));
    }
  }
}

package dev.resid.tokenizer;

import it.unimi.dsi.fastutil.longs.LongHeapPriorityQueue;

// Byte-pair encoding of one word: begin with one token a byte; while two neighbours have a merge,
// apply the one of the lowest rank, of equal ranks the leftmost one. Short words keep their tokens
// in an array and search it each time, O(n^2) with a small constant. Long ones keep a linked list
// in arrays and a heap of (rank, position), O(n log n); an entry is stale, and dropped, when the
// pair at its position is no longer of its rank.
//
// Source: Sennrich, Haddow, Birch 2016, Neural Machine Translation of Rare Words with Subword
// Units, section 3.2 (algorithm); Radford et al. 2019, Language Models are Unsupervised Multitask
// Learners, section 2.2 (on bytes).
/** Merges the bytes of one word into tokens. Keeps its working arrays, so one thread at a time. */
final class WordMerger {
  /** Where searching an array stops being faster; 20 to 80 make no difference that was seen. */
  private static final int SHORT_BYTES = 48;

  /** Arrays longer than this are let go after use. */
  private static final int KEPT_BYTES = 1 << 16;

  private final Vocabulary vocabulary;
  private int[] tokens = new int[SHORT_BYTES];
  private long[] merges = new long[SHORT_BYTES];
  private int[] previous = new int[0];
  private int[] next = new int[0];

  WordMerger(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  /** Returns the array whose first entries are the tokens of the word merged last. */
  int[] tokens() {
    return tokens;
  }

  /** Lets go of arrays that are too large to keep. */
  void release() {
    if (tokens.length > KEPT_BYTES) {
      tokens = new int[SHORT_BYTES];
      merges = new long[SHORT_BYTES];
      previous = new int[0];
      next = new int[0];
    }
  }

  /**
   * Merges a word and returns the number of its tokens, which are then in {@link #tokens()}.
   *
   * @throws IllegalArgumentException if the vocabulary has no token for a byte of the word
   */
  int merge(byte[] utf8, int from, int to) {
    int n = to - from;
    if (n > tokens.length) {
      int capacity = (int) Math.min(Integer.MAX_VALUE - 16, Math.max(n, tokens.length * 2L));
      tokens = new int[capacity];
      merges = new long[capacity];
    }
    for (int i = 0; i < n; i++) {
      int id = vocabulary.idOfByte(utf8[from + i] & 0xFF);
      if (id < 0) {
        throw noToken(utf8[from + i] & 0xFF);
      }
      tokens[i] = id;
    }
    for (int i = 0; i + 1 < n; i++) {
      merges[i] = vocabulary.merge(tokens[i], tokens[i + 1]);
    }
    return n <= SHORT_BYTES ? mergeShort(n) : mergeLong(n);
  }

  private int mergeShort(int bytes) {
    int n = bytes;
    while (true) {
      long best = Vocabulary.NO_MERGE;
      int at = -1;
      for (int i = 0; i + 1 < n; i++) {
        if (merges[i] < best) {
          best = merges[i];
          at = i;
        }
      }
      if (at < 0) {
        return n;
      }
      n--;
      tokens[at] = (int) best;
      for (int i = at + 1; i < n; i++) {
        tokens[i] = tokens[i + 1];
        merges[i - 1] = merges[i];
      }
      if (at > 0) {
        merges[at - 1] = vocabulary.merge(tokens[at - 1], tokens[at]);
      }
      if (at + 1 < n) {
        merges[at] = vocabulary.merge(tokens[at], tokens[at + 1]);
      }
    }
  }

  private int mergeLong(int n) {
    if (previous.length < n) {
      previous = new int[tokens.length];
      next = new int[tokens.length];
    }
    long[] entries = new long[n];
    int entryCount = 0;
    for (int i = 0; i < n; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
      if (i + 1 < n && merges[i] != Vocabulary.NO_MERGE) {
        entries[entryCount++] = rankAt(i);
      }
    }
    merges[n - 1] = Vocabulary.NO_MERGE;
    LongHeapPriorityQueue heap = new LongHeapPriorityQueue(entries, entryCount);
    while (!heap.isEmpty()) {
      long entry = heap.dequeueLong();
      int at = (int) entry;
      if (merges[at] == Vocabulary.NO_MERGE || rankAt(at) != entry) {
        continue;
      }
      tokens[at] = (int) merges[at];
      int gone = next[at];
      merges[gone] = Vocabulary.NO_MERGE;
      next[at] = next[gone];
      if (next[at] < n) {
        previous[next[at]] = at;
      }
      update(heap, previous[at], at, n);
      update(heap, at, next[at], n);
    }
    int kept = 0;
    for (int i = 0; i < n; i = next[i]) {
      tokens[kept++] = tokens[i];
    }
    return kept;
  }

  private void update(LongHeapPriorityQueue heap, int left, int right, int n) {
    if (left < 0) {
      return;
    }
    merges[left] = right < n ? vocabulary.merge(tokens[left], tokens[right]) : Vocabulary.NO_MERGE;
    if (merges[left] != Vocabulary.NO_MERGE) {
      heap.enqueue(rankAt(left));
    }
  }

  private long rankAt(int position) {
    return merges[position] & 0xFFFFFFFF00000000L | position;
  }

  private IllegalArgumentException noToken(int unsignedByte) {
    return new IllegalArgumentException(
        "this vocabulary has no token for the byte 0x"
            + Integer.toHexString(unsignedByte)
            + " (written "
            + ByteAlphabet.charOf(unsignedByte)
            + " in its files), so it cannot encode the text; use a vocabulary with all 256 bytes");
  }
}

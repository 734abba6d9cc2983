package dev.resid.tokenizer;

import java.util.Arrays;

/** How often each word occurs: a hash table with linear probing over words in one array. */
final class WordCounts {
  /** Words one after the other; word w is bytes[starts[w]] to bytes[starts[w + 1] - 1]. */
  private byte[] bytes = new byte[1 << 16];

  private int[] starts = new int[1 << 12];
  private long[] counts = new long[1 << 12];
  private int[] hashes = new int[1 << 12];
  private int size;

  /** Word and 1; 0 where there is none. */
  private int[] table = new int[1 << 14];

  /** Counts one occurrence of a word. */
  void add(byte[] utf8, int from, int to) {
    int hash = 0;
    for (int i = from; i < to; i++) {
      hash = hash * 31 + utf8[i];
    }
    hash *= 0x9E3779B9;
    hash ^= hash >>> 15;
    int slot = hash & table.length - 1;
    while (table[slot] != 0) {
      int word = table[slot] - 1;
      if (hashes[word] == hash
          && Arrays.equals(bytes, starts[word], starts[word + 1], utf8, from, to)) {
        counts[word]++;
        return;
      }
      slot = slot + 1 & table.length - 1;
    }
    table[slot] = insert(utf8, from, to, hash) + 1;
    if (size * 2 > table.length) {
      enlargeTable();
    }
  }

  /** Returns the number of distinct words. */
  int size() {
    return size;
  }

  /** Returns how often a word, from 0 in order of first occurrence, was counted. */
  long count(int word) {
    return counts[word];
  }

  /** Returns the number of bytes of a word. */
  int length(int word) {
    return starts[word + 1] - starts[word];
  }

  /** Returns a byte of a word, 0 to 255. */
  int byteAt(int word, int i) {
    return bytes[starts[word] + i] & 0xFF;
  }

  /** Returns the number of bytes of all distinct words together. */
  int totalLength() {
    return starts[size];
  }

  private int insert(byte[] utf8, int from, int to, int hash) {
    int start = starts[size];
    long end = (long) start + (to - from);
    if (end > Integer.MAX_VALUE / 4) {
      throw new IllegalArgumentException(
          "the distinct words of the training text are over 512 MiB; train on less text");
    }
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, (int) Math.max(end, bytes.length * 2L));
    }
    if (size + 2 > starts.length) {
      starts = Arrays.copyOf(starts, starts.length * 2);
      counts = Arrays.copyOf(counts, counts.length * 2);
      hashes = Arrays.copyOf(hashes, hashes.length * 2);
    }
    System.arraycopy(utf8, from, bytes, start, to - from);
    starts[size + 1] = (int) end;
    counts[size] = 1;
    hashes[size] = hash;
    return size++;
  }

  private void enlargeTable() {
    int[] larger = new int[table.length * 2];
    for (int word = 0; word < size; word++) {
      int slot = hashes[word] & larger.length - 1;
      while (larger[slot] != 0) {
        slot = slot + 1 & larger.length - 1;
      }
      larger[slot] = word + 1;
    }
    table = larger;
  }
}

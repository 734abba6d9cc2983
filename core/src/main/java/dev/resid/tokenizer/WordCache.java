package dev.resid.tokenizer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

// Words that were merged before. Text repeats its words so often that this decides the speed.
//
// A slot is eight longs, one or two cache lines: four hold the word's bytes (little endian, filled
// with zeros), one the number of bytes and of tokens, three up to six tokens. A word hashes to two
// neighbouring slots; a new one pushes the first to the second place and overwrites what was there,
// so the cache never has to be cleared. It doubles until MAX_SLOTS while much is overwritten.
/** Tokens of short words, found by comparing at most four longs and without allocating. */
final class WordCache {
  /** Longer words are not kept. */
  static final int MAX_BYTES = 32;

  /** Words of more tokens are not kept. */
  static final int MAX_TOKENS = 6;

  private static final int SLOT = 8;
  private static final int MIN_SLOTS = 1 << 9;
  private static final int MAX_SLOTS = 1 << 15;

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private long[] slots = new long[MIN_SLOTS * SLOT];
  private int mask = MIN_SLOTS / 2 - 1;
  private int overwritten;

  /**
   * Returns where the word is kept, or -1.
   *
   * @param utf8 an array with {@link Utf8Buffer#PADDING} bytes after the text
   * @param from first byte of the word
   * @param length number of its bytes, 1 to {@link #MAX_BYTES}
   */
  int find(byte[] utf8, int from, int length) {
    long k0 = word(utf8, from, length);
    if (length <= 8) {
      int slot = slotOf(hash(k0, 0, 0, 0));
      if (slots[slot] == k0 && (slots[slot + 4] & 0xFF) == length) {
        return slot;
      }
      slot += SLOT;
      return slots[slot] == k0 && (slots[slot + 4] & 0xFF) == length ? slot : -1;
    }
    long k1 = word(utf8, from + 8, length - 8);
    long k2 = length > 16 ? word(utf8, from + 16, length - 16) : 0;
    long k3 = length > 24 ? word(utf8, from + 24, length - 24) : 0;
    int slot = slotOf(hash(k0, k1, k2, k3));
    if (holds(slot, k0, k1, k2, k3, length)) {
      return slot;
    }
    slot += SLOT;
    return holds(slot, k0, k1, k2, k3, length) ? slot : -1;
  }

  /** Copies the tokens of a found word and returns where they end. */
  int copyTokens(int slot, int[] to, int at) {
    int count = (int) (slots[slot + 4] >>> 8);
    long pair = slots[slot + 5];
    to[at] = (int) pair;
    if (count > 1) {
      to[at + 1] = (int) (pair >>> 32);
      for (int i = 2; i < count; i++) {
        to[at + i] = (int) (slots[slot + 5 + (i >> 1)] >>> ((i & 1) << 5));
      }
    }
    return at + count;
  }

  /** Keeps a word that {@link #find} did not find, unless it is too long. */
  void put(byte[] utf8, int from, int length, int[] tokens, int count) {
    if (length > MAX_BYTES || count > MAX_TOKENS) {
      return;
    }
    long k0 = word(utf8, from, length);
    long k1 = length > 8 ? word(utf8, from + 8, length - 8) : 0;
    long k2 = length > 16 ? word(utf8, from + 16, length - 16) : 0;
    long k3 = length > 24 ? word(utf8, from + 24, length - 24) : 0;
    int slot = slotOf(hash(k0, k1, k2, k3));
    makeRoom(slot);
    slots[slot] = k0;
    slots[slot + 1] = k1;
    slots[slot + 2] = k2;
    slots[slot + 3] = k3;
    slots[slot + 4] = length | (long) count << 8;
    for (int i = 0; i < count; i += 2) {
      long second = i + 1 < count ? (long) tokens[i + 1] << 32 : 0;
      slots[slot + 5 + (i >> 1)] = second | tokens[i];
    }
    if (overwritten > slots.length / SLOT / 4 && slots.length < MAX_SLOTS * SLOT) {
      grow();
    }
  }

  private void makeRoom(int slot) {
    if (slots[slot + 4] != 0) {
      overwritten += slots[slot + SLOT + 4] == 0 ? 0 : 1;
      System.arraycopy(slots, slot, slots, slot + SLOT, SLOT);
    }
  }

  private void grow() {
    long[] old = slots;
    slots = new long[old.length * 2];
    mask = mask * 2 + 1;
    overwritten = 0;
    for (int from = 0; from < old.length; from += SLOT) {
      if (old[from + 4] != 0) {
        int slot = slotOf(hash(old[from], old[from + 1], old[from + 2], old[from + 3]));
        makeRoom(slot);
        System.arraycopy(old, from, slots, slot, SLOT);
      }
    }
  }

  private boolean holds(int slot, long k0, long k1, long k2, long k3, int length) {
    return slots[slot] == k0
        && slots[slot + 1] == k1
        && slots[slot + 2] == k2
        && slots[slot + 3] == k3
        && (slots[slot + 4] & 0xFF) == length;
  }

  /** Returns up to eight bytes; what stands after the word is cut off. */
  private static long word(byte[] utf8, int from, int length) {
    long bytes = (long) LONGS.get(utf8, from);
    return length >= 8 ? bytes : bytes & ~(-1L << (length << 3));
  }

  private static long hash(long k0, long k1, long k2, long k3) {
    long h = k0 + 0x9E3779B97F4A7C15L * (k1 + 0x9E3779B97F4A7C15L * (k2 + 31 * k3));
    h *= 0xD6E8FEB86659FD93L;
    return h ^ h >>> 32;
  }

  private int slotOf(long hash) {
    return ((int) (hash >>> 12) & mask) * 2 * SLOT;
  }
}

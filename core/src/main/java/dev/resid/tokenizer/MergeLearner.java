package dev.resid.tokenizer;

import it.unimi.dsi.fastutil.ints.IntArrayList;
import it.unimi.dsi.fastutil.longs.Long2IntOpenHashMap;
import java.util.Arrays;
import java.util.PriorityQueue;

// The words are kept as tokens. For every pair of neighbouring tokens there is its frequency, and
// the words in which it has occurred. Applying a merge visits only those words, and changes only
// the
// pairs around each occurrence.
//
// A stretch of bytes that ends up as one token goes through the same steps wherever it stands,
// since
// no merge ever reached across its ends. Hence no two merges make the same bytes, a token is made
// in
// one round only, and a pair becomes more frequent only in the round that makes one of its parts.
// So each pair is pushed onto the heap once, after that round. A frequency that has shrunk since is
// found out when it is popped, and pushed again as it is then: the top entry that is up to date is
// the most frequent pair.
/** Words as tokens, and the most frequent pair of neighbours in them. */
final class MergeLearner {
  private record Candidate(long frequency, long pair, int slot) implements Comparable<Candidate> {
    /** Most frequent first; of equally frequent ones the smaller left id, then right id. */
    @Override
    public int compareTo(Candidate other) {
      int byFrequency = Long.compare(other.frequency, frequency);
      return byFrequency != 0 ? byFrequency : Long.compare(pair, other.pair);
    }
  }

  /** Word w is tokens[starts[w]] to tokens[starts[w] + lengths[w] - 1]. */
  private final int[] tokens;

  private final int[] starts;
  private final int[] lengths;
  private final long[] wordCounts;

  private final Long2IntOpenHashMap slotOfPair = new Long2IntOpenHashMap();
  private long[] frequencies = new long[1 << 12];
  private IntArrayList[] words = new IntArrayList[1 << 12];

  private long[] pairs = new long[1 << 12];
  private int slots;

  /** Slots before this one are on the heap, or were. */
  private int pushed;

  private final PriorityQueue<Candidate> heap = new PriorityQueue<>();
  private Candidate best;

  /**
   * Begins with one token a byte.
   *
   * @param counts words and how often they occur
   * @param idOfByte the token of each byte
   */
  MergeLearner(WordCounts counts, int[] idOfByte) {
    int n = counts.size();
    tokens = new int[counts.totalLength()];
    starts = new int[n];
    lengths = new int[n];
    wordCounts = new long[n];
    slotOfPair.defaultReturnValue(-1);
    int at = 0;
    for (int word = 0; word < n; word++) {
      starts[word] = at;
      lengths[word] = counts.length(word);
      wordCounts[word] = counts.count(word);
      for (int i = 0; i < lengths[word]; i++) {
        tokens[at++] = idOfByte[counts.byteAt(word, i)];
      }
      for (int i = starts[word]; i + 1 < at; i++) {
        grow(tokens[i], tokens[i + 1], word);
      }
    }
  }

  /**
   * Goes to the most frequent pair; returns false if none occurs at least as often as asked for.
   */
  boolean next(long minimumFrequency) {
    for (; pushed < slots; pushed++) {
      heap.add(new Candidate(frequencies[pushed], pairs[pushed], pushed));
    }
    while (!heap.isEmpty()) {
      best = heap.poll();
      long now = frequencies[best.slot];
      if (best.frequency < minimumFrequency) {
        return false;
      }
      if (now == best.frequency) {
        return true;
      }
      if (now >= minimumFrequency) {
        heap.add(new Candidate(now, best.pair, best.slot));
      }
    }
    return false;
  }

  /** Returns the left token of the pair. */
  int left() {
    return (int) (best.pair >>> 32);
  }

  /** Returns the right token of the pair. */
  int right() {
    return (int) best.pair;
  }

  /** Returns how often the pair occurs. */
  long frequency() {
    return best.frequency;
  }

  /** Replaces the pair by a token, in every word from left to right. */
  void merge(int product) {
    IntArrayList affected = words[best.slot];
    words[best.slot] = null;
    for (int i = 0; i < affected.size(); i++) {
      mergeIn(affected.getInt(i), left(), right(), product);
    }
  }

  private void mergeIn(int word, int left, int right, int product) {
    long count = wordCounts[word];
    int start = starts[word];
    int end = start + lengths[word];
    int out = start;
    int in = start;
    while (in < end) {
      if (in + 1 == end || tokens[in] != left || tokens[in + 1] != right) {
        tokens[out++] = tokens[in++];
        continue;
      }
      if (out > start) {
        shrink(tokens[out - 1], left, count);
        grow(tokens[out - 1], product, word);
      }
      if (in + 2 < end) {
        shrink(right, tokens[in + 2], count);
        grow(product, tokens[in + 2], word);
      }
      shrink(left, right, count);
      tokens[out++] = product;
      in += 2;
    }
    lengths[word] = out - start;
  }

  private void shrink(int left, int right, long count) {
    frequencies[slotOfPair.get(Vocabulary.pair(left, right))] -= count;
  }

  private void grow(int left, int right, int word) {
    long pair = Vocabulary.pair(left, right);
    int slot = slotOfPair.get(pair);
    if (slot < 0) {
      slot = newSlot(pair);
    }
    frequencies[slot] += wordCounts[word];
    IntArrayList list = words[slot];
    if (list.isEmpty() || list.getInt(list.size() - 1) != word) {
      list.add(word);
    }
  }

  private int newSlot(long pair) {
    if (slots == frequencies.length) {
      frequencies = Arrays.copyOf(frequencies, slots * 2);
      words = Arrays.copyOf(words, slots * 2);
      pairs = Arrays.copyOf(pairs, slots * 2);
    }
    words[slots] = new IntArrayList(2);
    pairs[slots] = pair;
    slotOfPair.put(pair, slots);
    return slots++;
  }
}

package dev.resid.tokenizer;

import it.unimi.dsi.fastutil.longs.Long2LongOpenHashMap;
import it.unimi.dsi.fastutil.objects.Object2IntOpenHashMap;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What tokenizer files say, checked: tokens with the bytes they stand for, merges in order, added
 * tokens. Immutable.
 */
final class Vocabulary {
  /** What {@link #merge} returns for two tokens that never merge; above every merge. */
  static final long NO_MERGE = Long.MAX_VALUE;

  /** GPT-2's only special token. */
  static final String END_OF_TEXT = "<|endoftext|>";

  /**
   * A token that is found in the text before anything else is.
   *
   * @param id its id
   * @param content its text
   * @param special false for a token that belongs to the ordinary vocabulary and is only matched
   *     first
   */
  record AddedToken(int id, String content, boolean special) {}

  /** A token in the notation of the files; for an added token, its content. */
  private final String[] tokens;

  /** Bytes of token id are bytes[starts[id]] to bytes[starts[id + 1] - 1]. */
  private final byte[] bytes;

  private final int[] starts;
  private final int[] idOfByte = new int[256];
  private final Object2IntOpenHashMap<String> idOfToken;
  private final int[] mergeLeft;
  private final int[] mergeRight;

  /** left, right to rank, product; each pair 32 bits and 32 bits. */
  private final Long2LongOpenHashMap merges;

  private final List<AddedToken> added;

  /**
   * Takes over checked parts.
   *
   * @param tokens by id, none null
   * @param mergeLeft left part of each merge, in order of rank
   * @param mergeRight right part of each merge
   * @param mergeProduct what each merge makes
   * @param added tokens whose string is text, not the notation of the byte alphabet
   */
  Vocabulary(
      String[] tokens,
      int[] mergeLeft,
      int[] mergeRight,
      int[] mergeProduct,
      List<AddedToken> added) {
    this.tokens = tokens;
    this.mergeLeft = mergeLeft;
    this.mergeRight = mergeRight;
    this.added = List.copyOf(added);
    this.starts = new int[tokens.length + 1];
    byte[][] parts = new byte[tokens.length][];
    for (AddedToken token : added) {
      parts[token.id()] = token.content().getBytes(StandardCharsets.UTF_8);
    }
    idOfToken = new Object2IntOpenHashMap<>(tokens.length);
    idOfToken.defaultReturnValue(-1);
    for (int id = 0; id < tokens.length; id++) {
      if (parts[id] == null) {
        parts[id] = ByteAlphabet.bytesOf(tokens[id]);
      }
      starts[id + 1] = Math.addExact(starts[id], parts[id].length);
      idOfToken.put(tokens[id], id);
    }
    bytes = new byte[starts[tokens.length]];
    for (int id = 0; id < tokens.length; id++) {
      System.arraycopy(parts[id], 0, bytes, starts[id], parts[id].length);
    }
    for (int b = 0; b < 256; b++) {
      idOfByte[b] = idOfToken.getInt(String.valueOf(ByteAlphabet.charOf(b)));
    }
    merges = new Long2LongOpenHashMap(mergeLeft.length, 0.5f);
    merges.defaultReturnValue(NO_MERGE);
    for (int rank = 0; rank < mergeLeft.length; rank++) {
      merges.put(pair(mergeLeft[rank], mergeRight[rank]), pair(rank, mergeProduct[rank]));
    }
  }

  /** Returns two non-negative ints as one long that sorts by the first. */
  static long pair(int high, int low) {
    return (long) high << 32 | low;
  }

  /** Returns the number of tokens; ids are 0 to this less one. */
  int size() {
    return tokens.length;
  }

  /** Returns rank (upper half) and product (lower half) of a merge, or {@link #NO_MERGE}. */
  long merge(int left, int right) {
    return merges.get(pair(left, right));
  }

  /** Returns the token that is one byte, 0 to 255, or -1 if there is none. */
  int idOfByte(int unsignedByte) {
    return idOfByte[unsignedByte];
  }

  /** Returns the id of a token in the notation of the files, or -1. */
  int idOf(String token) {
    return idOfToken.getInt(token);
  }

  /** Returns a token in the notation of the files. */
  String token(int id) {
    return tokens[id];
  }

  /** Returns the number of bytes of a token. */
  int byteLength(int id) {
    return starts[id + 1] - starts[id];
  }

  /** Copies the bytes of a token and returns where they end. */
  int copyBytes(int id, byte[] to, int at) {
    int length = starts[id + 1] - starts[id];
    System.arraycopy(bytes, starts[id], to, at, length);
    return at + length;
  }

  /** Returns the number of merges. */
  int mergeCount() {
    return mergeLeft.length;
  }

  /** Returns the left part of a merge. */
  int mergeLeft(int rank) {
    return mergeLeft[rank];
  }

  /** Returns the right part of a merge. */
  int mergeRight(int rank) {
    return mergeRight[rank];
  }

  /** Returns the tokens that are found before anything else is. */
  List<AddedToken> added() {
    return added;
  }
}

package dev.resid.testing;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Makes damaged and hostile files out of sound ones: bits, bytes, fields that hold lengths, numbers
 * written as text, pieces that are removed, doubled, nested or taken from another file, and words
 * of the format put where they do not belong.
 */
public final class Mutator {
  /** Longer inputs show nothing new and take the time of many short ones. */
  private static final int MOST_BYTES = 16 << 10;

  private static final int MOST_POOL = 400;

  private static final long[] LENGTHS = {
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    1 << 24,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    0xFFFF_FFFFL,
    1L << 40,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private static final List<String> NUMBERS =
      List.of(
          "0",
          "1",
          "-1",
          "00",
          "-0",
          "1.5",
          "1e3",
          "1e400",
          "-1e-400",
          "2147483647",
          "2147483648",
          "-2147483648",
          "4294967296",
          "9223372036854775807",
          "9223372036854775808",
          "99999999999999999999999999",
          "NaN",
          "Infinity",
          "");

  private static final String OPENING = "{[(\"'";
  private static final String CLOSING = "}])\"'";

  private final List<byte[]> pool;
  private final int sound;
  private final List<byte[]> words;

  /**
   * Creates a source of mutations.
   *
   * @param sound files that a reader accepts
   * @param words what the format gives a meaning; each character is a byte
   */
  public Mutator(List<byte[]> sound, List<String> words) {
    this.pool = new ArrayList<>(sound);
    this.sound = sound.size();
    this.words = words.stream().map(word -> word.getBytes(StandardCharsets.ISO_8859_1)).toList();
  }

  /**
   * Takes an input up among those that are mutated further, because a reader did something new with
   * it.
   */
  public void keep(byte[] input, SplittableRandom random) {
    if (pool.size() < MOST_POOL) {
      pool.add(input);
    } else {
      pool.set(sound + random.nextInt(MOST_POOL - sound), input);
    }
  }

  /** Returns one of the files with one to six changes. */
  public byte[] next(SplittableRandom random) {
    // Every second time a sound file: far from them most inputs end at their first rule.
    int from = random.nextBoolean() ? random.nextInt(sound) : random.nextInt(pool.size());
    byte[] result = pool.get(from);
    for (int edits = 1 + random.nextInt(random.nextInt(1, 7)); edits > 0; edits--) {
      result = result.length == 0 ? words.getFirst() : edit(result, random);
    }
    return result.length > MOST_BYTES ? Arrays.copyOf(result, MOST_BYTES) : result;
  }

  private byte[] edit(byte[] in, SplittableRandom random) {
    int at = random.nextInt(in.length);
    int few = Math.min(1 + random.nextInt(8), in.length - at);
    return switch (random.nextInt(14)) {
      case 0 -> replaced(in, at, at + 1, new byte[] {(byte) (in[at] ^ 1 << random.nextInt(8))});
      case 1 -> replaced(in, at, at + 1, new byte[] {(byte) random.nextInt(256)});
      case 2 -> {
        byte[] extremes = {0, 1, -1, 0x7F, (byte) 0x80, '9', '-', '"', '\n', ' '};
        byte[] fill = new byte[few];
        Arrays.fill(fill, extremes[random.nextInt(extremes.length)]);
        yield replaced(in, at, at + few, fill);
      }
      case 3 -> replaced(in, at, at + few, new byte[0]);
      case 4 -> replaced(in, at, at, Arrays.copyOfRange(in, at, at + few));
      case 5 -> replaced(in, at, at, Arrays.copyOfRange(in, at, any(in, at, random)));
      case 6 -> replaced(in, at, any(in, at, random), new byte[0]);
      case 7 -> Arrays.copyOf(in, at);
      case 8 -> splice(in, at, random);
      case 9 -> length(in, at, random);
      case 10 -> number(in, at, random);
      case 11 -> word(in, at, at, random);
      case 12 -> word(in, at, at + few, random);
      default -> bracketed(in, at, random);
    };
  }

  private static int any(byte[] in, int from, SplittableRandom random) {
    return random.nextInt(from, in.length) + 1;
  }

  private static byte[] replaced(byte[] in, int from, int to, byte[] by) {
    byte[] out = new byte[in.length - (to - from) + by.length];
    System.arraycopy(in, 0, out, 0, from);
    System.arraycopy(by, 0, out, from, by.length);
    System.arraycopy(in, to, out, from + by.length, in.length - to);
    return out;
  }

  /** The beginning of this file and the end of another. */
  private byte[] splice(byte[] in, int at, SplittableRandom random) {
    byte[] other = pool.get(random.nextInt(pool.size()));
    return other.length == 0
        ? in
        : replaced(
            in,
            at,
            in.length,
            Arrays.copyOfRange(other, random.nextInt(other.length), other.length));
  }

  /** A binary number of two, four or eight bytes, as lengths, counts and offsets are. */
  private static byte[] length(byte[] in, int at, SplittableRandom random) {
    int bytes = 2 << random.nextInt(3);
    if (in.length - at < bytes) {
      return in;
    }
    ByteBuffer field = ByteBuffer.allocate(8);
    field.order(random.nextInt(4) > 0 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    field.put(in, at, bytes);
    long value =
        switch (random.nextInt(4)) {
          case 0 -> field.getLong(0) + random.nextInt(-3, 4);
          case 1 -> in.length + random.nextInt(-30, 10);
          case 2 -> random.nextInt(in.length);
          default -> LENGTHS[random.nextInt(LENGTHS.length)];
        };
    field.putLong(0, value);
    int start = field.order() == ByteOrder.LITTLE_ENDIAN ? 0 : 8 - bytes;
    return replaced(in, at, at + bytes, Arrays.copyOfRange(field.array(), start, start + bytes));
  }

  /** The next number that is written as text. */
  private static byte[] number(byte[] in, int at, SplittableRandom random) {
    int from = at;
    while (from < in.length && (in[from] < '0' || in[from] > '9')) {
      from++;
    }
    int to = from;
    while (to < in.length && in[to] >= '0' && in[to] <= '9') {
      to++;
    }
    String number = NUMBERS.get(random.nextInt(NUMBERS.size()));
    return replaced(in, from, to, number.getBytes(StandardCharsets.US_ASCII));
  }

  private byte[] word(byte[] in, int from, int to, SplittableRandom random) {
    byte[] word = words.get(random.nextInt(words.size()));
    if (random.nextInt(20) == 0) {
      byte[] many = new byte[word.length * random.nextInt(1, 300)];
      for (int i = 0; i < many.length; i++) {
        many[i] = word[i % word.length];
      }
      word = many;
    }
    return replaced(in, from, to, word);
  }

  /** The next piece in brackets or quotes: removed, doubled, put into itself, or elsewhere. */
  private static byte[] bracketed(byte[] in, int at, SplittableRandom random) {
    int from = at;
    while (from < in.length && OPENING.indexOf(in[from]) < 0) {
      from++;
    }
    if (from == in.length) {
      return in;
    }
    byte close = (byte) CLOSING.charAt(OPENING.indexOf(in[from]));
    int to = from + 1;
    for (int depth = 1; to < in.length && depth > 0; to++) {
      depth += in[to] == close ? -1 : in[to] == in[from] ? 1 : 0;
    }
    byte[] piece = Arrays.copyOfRange(in, from, to);
    return switch (random.nextInt(4)) {
      case 0 -> replaced(in, from, to, new byte[0]);
      case 1 ->
          replaced(
              in,
              from,
              from,
              replaced(piece, piece.length, piece.length, ",".getBytes(StandardCharsets.US_ASCII)));
      case 2 -> replaced(in, from + 1, from + 1, piece);
      default -> {
        int other = random.nextInt(in.length);
        yield replaced(in, other, other, piece);
      }
    };
  }
}

package dev.resid.io;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Damages files and checks that a reader answers with a result or with its own exception. */
final class Mutations {
  private static final Path NAME = Path.of("damaged.bin");

  private final Reader reader;
  private int refused;
  private int read;

  /** Opens a file that lies in memory. */
  @FunctionalInterface
  interface Reader {
    TensorFile open(MappedFile file) throws IOException;
  }

  Mutations(Reader reader) {
    this.reader = reader;
  }

  /** Reads every value of every tensor in a file. */
  static void readAll(TensorFile file) throws IOException {
    for (TensorInfo info : file.entries()) {
      if (info.dtype().isFloat()) {
        file.doubles(info.name());
        file.mapped(info.name()).toArray();
      } else if (info.dtype().isInteger()) {
        file.longs(info.name());
      }
    }
  }

  int refused() {
    return refused;
  }

  int read() {
    return read;
  }

  /** Cuts the file at every length, from nothing to all but its last byte. */
  Mutations everyPrefix(byte[] file) {
    for (int length = 0; length < file.length; length++) {
      attempt(Arrays.copyOf(file, length), "the first " + length + " bytes");
    }
    return this;
  }

  /** Flips every bit of a range, one at a time. */
  Mutations everyBit(byte[] file, int from, int to) {
    byte[] damaged = file.clone();
    for (int i = from; i < to; i++) {
      for (int bit = 0; bit < 8; bit++) {
        damaged[i] ^= (byte) (1 << bit);
        attempt(damaged, "bit " + bit + " of byte " + i + " flipped");
        damaged[i] = file[i];
      }
    }
    return this;
  }

  /** Overwrites, removes, doubles or inserts a few bytes at random places, many times. */
  Mutations random(byte[] file, int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < count; i++) {
      byte[] damaged = file.clone();
      int edits = 1 + random.nextInt(4);
      for (int e = 0; e < edits && damaged.length > 0; e++) {
        damaged = edit(damaged, random);
      }
      attempt(damaged, "mutation " + i + " of seed " + seed);
    }
    return this;
  }

  private static byte[] edit(byte[] file, SplittableRandom random) {
    int at = random.nextInt(file.length);
    int length = Math.min(1 + random.nextInt(8), file.length - at);
    byte[] result;
    switch (random.nextInt(5)) {
      case 0 -> {
        result = file.clone();
        result[at] = (byte) random.nextInt(256);
      }
      case 1 -> {
        result = file.clone();
        byte[] extremes = {0, 1, -1, 0x7F, (byte) 0x80, '9', '-', '"'};
        Arrays.fill(result, at, at + length, extremes[random.nextInt(extremes.length)]);
      }
      case 2 -> {
        result = new byte[file.length - length];
        System.arraycopy(file, 0, result, 0, at);
        System.arraycopy(file, at + length, result, at, file.length - at - length);
      }
      case 3 -> {
        result = new byte[file.length + length];
        System.arraycopy(file, 0, result, 0, at + length);
        System.arraycopy(file, at, result, at + length, file.length - at);
      }
      default -> {
        int other = random.nextInt(file.length);
        int n = Math.min(length, file.length - other);
        result = file.clone();
        System.arraycopy(file, other, result, at, n);
      }
    }
    return result;
  }

  private void attempt(byte[] bytes, String what) {
    try (TensorFile file = reader.open(MappedFile.of(NAME, bytes))) {
      readAll(file);
      read++;
    } catch (TensorFileException e) {
      if (!e.getMessage().startsWith(NAME + ": ") || e.getMessage().lines().count() != 1) {
        fail(what + ": not one line that begins with the file: " + e.getMessage());
      }
      refused++;
    } catch (IOException | RuntimeException | Error e) {
      fail(what + ": expected a result or a TensorFileException, got " + e, e);
    }
  }
}

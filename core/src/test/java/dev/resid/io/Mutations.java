package dev.resid.io;

import static org.junit.jupiter.api.Assertions.fail;

import dev.resid.testing.Mutator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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

  /** Damages the file at random, and as its format invites, many times. */
  Mutations random(byte[] file, int count, long seed) {
    Mutator mutator = new Mutator(List.of(file), List.of("PK", "{", "\"", "("));
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < count; i++) {
      attempt(mutator.next(random), "mutation " + i + " of seed " + seed);
    }
    return this;
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

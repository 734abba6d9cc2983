package dev.resid.experiments.activations;

import dev.resid.experiments.direction.ActivationPool;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.io.ReadFailure;
import dev.resid.random.CounterRandom;
import dev.resid.tokenizer.TokenBatch;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The activations that a walk keeps: which they are, and the file they lie in, one vector after the
 * other in the order of rows and positions.
 */
final class PoolFile {
  private final Path path;
  private final int width;

  /** Row and position of each vector, ascending. */
  private final int[] rows;

  private final int[] positions;

  /** What was forced to disk. */
  private final List<PoolPart> parts = new ArrayList<>();

  /**
   * Draws which activations belong to the pool.
   *
   * @param path the file
   * @param width of an activation
   * @param tokens whose activations they are, those at position 0 left out
   * @param size at most so many
   * @param random draws them
   */
  PoolFile(Path path, int width, TokenBatch tokens, int size, CounterRandom random) {
    this.path = path;
    this.width = width;
    int all = tokens.tokenCount() - tokens.rows();
    int[] order = random.permutation(all, DrawKeys.POOL.stream(0), 0);
    int[] chosen = Arrays.copyOf(order, Math.min(size, all));
    Arrays.sort(chosen);
    this.rows = new int[chosen.length];
    this.positions = new int[chosen.length];
    int candidate = 0;
    int next = 0;
    for (int row = 0; row < tokens.rows() && next < chosen.length; row++) {
      for (int pos = 1; pos < tokens.length(row) && next < chosen.length; pos++) {
        if (candidate == chosen[next]) {
          rows[next] = row;
          positions[next] = pos;
          next++;
        }
        candidate++;
      }
    }
  }

  /** Returns the bytes of the whole file. */
  long bytes() {
    return rows.length * vectorBytes();
  }

  /** Returns what was forced to disk, in order. */
  List<PoolPart> parts() {
    return parts;
  }

  /** Takes up what an earlier process forced to disk. */
  void takeUp(List<PoolPart> saved) {
    parts.addAll(saved);
  }

  /** Forgets what was written. */
  void restart() {
    parts.clear();
  }

  /** Returns whether the file is as long as the vectors of the rows before this one need. */
  boolean reaches(int row) throws IOException {
    return Files.exists(path) && Files.size(path) >= before(row) * vectorBytes();
  }

  /** Returns whether the file still begins with what was forced to disk. */
  boolean isSound() throws IOException {
    return PoolPart.all(parts, path);
  }

  /** Returns whether all of it is there, which it is not after {@link #delete}. */
  boolean isWhole() throws IOException {
    return Files.exists(path) && Files.size(path) >= bytes();
  }

  void delete() throws IOException {
    Files.deleteIfExists(path);
  }

  /**
   * Returns the pool on its mapped file.
   *
   * @param arena keeps the file mapped
   */
  ActivationPool map(Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return ActivationPool.of(
          channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes(), arena), width, rows, positions);
    } catch (IOException e) {
      throw ReadFailure.of(path, e);
    }
  }

  /** Returns what writes the vectors from a row on; those that lie there are cut off. */
  Writer from(int row) throws IOException {
    return new Writer(row);
  }

  private long vectorBytes() {
    return (long) width * Float.BYTES;
  }

  /** Returns how many vectors come from rows before this one. */
  private int before(int row) {
    int found = Arrays.binarySearch(rows, row);
    if (found < 0) {
      return -found - 1;
    }
    while (found > 0 && rows[found - 1] == row) {
      found--;
    }
    return found;
  }

  /** Appends to the file. */
  final class Writer implements Closeable {
    private final FileChannel channel;
    private final CRC32C crc = new CRC32C();
    private long begin;

    private Writer(int row) throws IOException {
      channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      begin = before(row) * vectorBytes();
      try {
        channel.truncate(begin);
        channel.position(channel.size());
      } catch (IOException e) {
        channel.close();
        throw notWritten(e);
      }
    }

    // The system's own message is "Input/output error" and nothing else.
    private IOException notWritten(IOException e) {
      return new IOException(path + ": could not be written: " + e.getMessage(), e);
    }

    /**
     * Appends those vectors of a row that belong to the pool.
     *
     * @param row its number
     * @param values activations, [..., d_model]
     * @param offset where the row begins in them
     */
    void add(int row, float[] values, int offset) throws IOException {
      for (int i = before(row); i < before(row + 1); i++) {
        ByteBuffer bytes = ByteBuffer.allocate((int) vectorBytes()).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values, offset + positions[i] * width, width);
        crc.update(bytes.array());
        write(bytes);
      }
    }

    private void write(ByteBuffer bytes) throws IOException {
      try {
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      } catch (IOException e) {
        throw notWritten(e);
      }
    }

    /** Forces what was appended since the last call to disk. */
    void force() throws IOException {
      long end;
      try {
        channel.force(false);
        end = channel.position();
      } catch (IOException e) {
        throw notWritten(e);
      }
      parts.add(new PoolPart(end - begin, (int) crc.getValue()));
      begin = end;
      crc.reset();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}

package dev.resid.sae.train;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Many numbers, in memory or, where they are too many, in a temporary file. */
sealed interface ActivationBuffer extends Closeable {
  /** Numbers that are kept in memory: 1 GiB. */
  long MEMORY_NUMBERS = 1L << 28;

  /**
   * Returns a buffer.
   *
   * @param numbers how many it can hold
   * @param memoryNumbers how many at most to hold in memory
   * @param dir where the file would be; made if needed
   * @throws IOException if the file cannot be made
   */
  static ActivationBuffer of(long numbers, long memoryNumbers, Path dir) throws IOException {
    return numbers <= memoryNumbers && numbers <= Integer.MAX_VALUE - 8
        ? new InMemory(new float[(int) numbers])
        : OnDisk.in(dir);
  }

  /** Writes numbers from {@code at} on. */
  void write(long at, float[] values) throws IOException;

  /** Reads {@code count} numbers from {@code at} on to {@code out} from {@code to} on. */
  void read(long at, float[] out, int to, int count) throws IOException;

  /**
   * On the heap.
   *
   * @param numbers all of them
   */
  record InMemory(float[] numbers) implements ActivationBuffer {
    @Override
    public void write(long at, float[] values) {
      System.arraycopy(values, 0, numbers, Math.toIntExact(at), values.length);
    }

    @Override
    public void read(long at, float[] out, int to, int count) {
      System.arraycopy(numbers, Math.toIntExact(at), out, to, count);
    }

    @Override
    public void close() {}
  }

  /**
   * In a file that is gone when the buffer is closed or the process ends.
   *
   * @param file open for reading and writing
   */
  record OnDisk(FileChannel file) implements ActivationBuffer {
    private static final int NUMBERS_PER_WRITE = 1 << 16;

    static OnDisk in(Path dir) throws IOException {
      Files.createDirectories(dir);
      Path path = Files.createTempFile(dir, "activations", ".tmp");
      return new OnDisk(
          FileChannel.open(
              path,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE));
    }

    @Override
    public void write(long at, float[] values) throws IOException {
      for (int from = 0; from < values.length; from += NUMBERS_PER_WRITE) {
        int count = Math.min(NUMBERS_PER_WRITE, values.length - from);
        ByteBuffer bytes = bytes(count);
        bytes.asFloatBuffer().put(values, from, count);
        long position = (at + from) * Float.BYTES;
        while (bytes.hasRemaining()) {
          position += file.write(bytes, position);
        }
      }
    }

    @Override
    public void read(long at, float[] out, int to, int count) throws IOException {
      ByteBuffer bytes = bytes(count);
      long position = at * Float.BYTES;
      while (bytes.hasRemaining()) {
        int got = file.read(bytes, position);
        if (got < 0) {
          throw new IOException("the temporary file of activations ends at " + position);
        }
        position += got;
      }
      bytes.flip().asFloatBuffer().get(out, to, count);
    }

    private static ByteBuffer bytes(int numbers) {
      return ByteBuffer.allocate(numbers * Float.BYTES).order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}

package dev.resid.experiments.sweep;

import dev.resid.io.ReadFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.zip.CRC32C;

/**
 * The finished blocks of a sweep in a file that only grows. A block is one record with its checksum
 * that is forced to disk; whatever a killed process left behind half-written is cut off when the
 * file is opened again.
 *
 * <p>Little-endian. Header: 8 bytes {@code RESIDBLK}, int format version, int rows, int rows per
 * block, int values per row, 32 bytes SHA-256 of the settings, int CRC-32C of all before. Record:
 * int block, int rows, long nanoseconds it took, rows × values doubles, int CRC-32C of the record.
 */
public final class BlockLog implements AutoCloseable {
  private static final byte[] MAGIC = "RESIDBLK".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int HEADER_BYTES = 8 + 4 * Integer.BYTES + 32 + Integer.BYTES;
  private static final int RECORD_EXTRA_BYTES = 2 * Integer.BYTES + Long.BYTES + Integer.BYTES;

  private final Path file;
  private final SweepPlan plan;
  private final FileChannel channel;
  private final RowValues values;
  private final BitSet done = new BitSet();
  private final long[] nanos;

  private BlockLog(Path file, SweepPlan plan, FileChannel channel) {
    this.file = file;
    this.plan = plan;
    this.channel = channel;
    this.values = new RowValues(plan.rows(), plan.valuesPerRow());
    this.nanos = new long[plan.blocks()];
  }

  /**
   * Opens a log to go on with, or begins one.
   *
   * @param file created if it does not exist
   * @param plan the plan of the run; blocks of other shards are kept and counted too
   * @throws IOException if the file cannot be read or written, or is the log of another plan
   */
  public static BlockLog open(Path file, SweepPlan plan) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      BlockLog log = new BlockLog(file, plan, channel);
      log.readOrBegin();
      return log;
    } catch (IOException e) {
      channel.close();
      throw ReadFailure.of(file, e);
    } catch (RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Opens a log to read what is in it. Nothing is written, also not to repair its end.
   *
   * @param file a log
   * @param plan the plan of the run
   * @throws IOException if the file cannot be read, or is the log of another plan
   */
  public static BlockLog read(Path file, SweepPlan plan) throws IOException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    try {
      BlockLog log = new BlockLog(file, plan, channel);
      log.readAll();
      return log;
    } catch (IOException e) {
      channel.close();
      throw ReadFailure.of(file, e);
    } catch (RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Returns the plan of the whole run that a log belongs to.
   *
   * @param file a log
   * @param settings of the run, as the plan had them
   * @throws IOException if the file cannot be read or its header is damaged; whether it is of a run
   *     with these settings shows when it is opened
   */
  public static SweepPlan wholePlan(Path file, String settings) throws IOException {
    ByteBuffer header = buffer(HEADER_BYTES);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (header.hasRemaining() && channel.read(header) >= 0) {
        // a short read goes on
      }
    } catch (IOException e) {
      throw ReadFailure.of(file, e);
    }
    int crcAt = HEADER_BYTES - Integer.BYTES;
    if (header.hasRemaining() || header.getInt(crcAt) != crc(header.array(), crcAt)) {
      throw new IOException(
          file
              + ": damaged, or cut off, in its first "
              + HEADER_BYTES
              + " bytes; run its part again");
    }
    int sizes = MAGIC.length + Integer.BYTES;
    return new SweepPlan(
        header.getInt(sizes),
        header.getInt(sizes + Integer.BYTES),
        header.getInt(sizes + 2 * Integer.BYTES),
        Shard.WHOLE,
        settings);
  }

  private void readOrBegin() throws IOException {
    if (channel.size() < HEADER_BYTES) {
      channel.truncate(0); // killed while the very first bytes were written
      writeAll(header());
      channel.force(true);
      return;
    }
    long end = readAll();
    if (end < channel.size()) {
      channel.truncate(end);
      channel.force(true);
    }
    channel.position(end);
  }

  /** Reads the header and all whole records, and returns where they end. */
  private long readAll() throws IOException {
    if (channel.size() < HEADER_BYTES) {
      return 0;
    }
    ByteBuffer header = header();
    ByteBuffer found = buffer(HEADER_BYTES);
    readFully(found, 0);
    if (!found.flip().equals(header)) {
      throw new IOException(
          file
              + ": holds blocks of another run, or is damaged at byte "
              + mismatch(found, header)
              + ". Choose another output folder, or delete this one");
    }
    long end = HEADER_BYTES;
    for (long next = readRecord(end); next > end; next = readRecord(end)) {
      end = next;
    }
    return end;
  }

  /** Reads the record at an offset and returns where it ends, or the offset if there is none. */
  private long readRecord(long offset) throws IOException {
    ByteBuffer head = buffer(2 * Integer.BYTES);
    if (channel.size() - offset < head.capacity()) {
      return offset;
    }
    readFully(head, offset);
    int block = head.getInt(0);
    if (block < 0 || block >= plan.blocks() || head.getInt(4) != plan.block(block).size()) {
      return offset;
    }
    int bytes = recordBytes(plan.block(block).size());
    if (channel.size() - offset < bytes) {
      return offset;
    }
    ByteBuffer record = buffer(bytes);
    readFully(record, offset);
    if (record.getInt(bytes - Integer.BYTES) != crc(record.array(), bytes - Integer.BYTES)) {
      return offset;
    }
    record.position(2 * Integer.BYTES);
    nanos[block] = record.getLong();
    RowRange rows = plan.block(block);
    for (int row = rows.from(); row < rows.to(); row++) {
      double[] numbers = new double[plan.valuesPerRow()];
      record.asDoubleBuffer().get(numbers);
      record.position(record.position() + numbers.length * Double.BYTES);
      values.set(row, numbers);
    }
    done.set(block);
    return offset + bytes;
  }

  /**
   * Writes a block down. When this returns, no kill and no power cut loses it.
   *
   * @param block its number
   * @param numbers [rows of the block, values per row]
   * @param elapsedNanos how long it took to compute
   * @throws IOException if it cannot be written; the log then is as before when it is opened again
   */
  public void append(int block, double[][] numbers, long elapsedNanos) throws IOException {
    RowRange rows = plan.block(block);
    if (numbers.length != rows.size()) {
      throw new IllegalArgumentException(
          "block " + block + " has " + numbers.length + " rows, expected " + rows.size());
    }
    if (done.get(block)) {
      throw new IllegalStateException("block " + block + " is in " + file + " already");
    }
    ByteBuffer record = buffer(recordBytes(rows.size()));
    record.putInt(block).putInt(rows.size()).putLong(elapsedNanos);
    for (int r = 0; r < numbers.length; r++) {
      values.set(rows.from() + r, numbers[r]);
      for (double number : numbers[r]) {
        record.putDouble(number);
      }
    }
    record.putInt(crc(record.array(), record.position()));
    writeAll(record.flip());
    channel.force(false);
    done.set(block);
    nanos[block] = elapsedNanos;
  }

  /** Returns whether a block is in the log. */
  public boolean has(int block) {
    return done.get(block);
  }

  /** Returns how long a block took to compute, 0 if it is not in the log. */
  public long elapsedNanos(int block) {
    return nanos[block];
  }

  /** Returns the numbers of the blocks in the log. */
  public BitSet blocks() {
    return (BitSet) done.clone();
  }

  /** Returns the values of all blocks so far. */
  public RowValues values() {
    return values;
  }

  /** Returns the time that all blocks so far took to compute, over all processes. */
  public double elapsedSeconds() {
    long sum = 0;
    for (long n : nanos) {
      sum += n;
    }
    return sum / 1e9;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private ByteBuffer header() {
    ByteBuffer header = buffer(HEADER_BYTES);
    header.put(MAGIC).putInt(VERSION);
    header.putInt(plan.rows()).putInt(plan.rowsPerBlock()).putInt(plan.valuesPerRow());
    header.put(sha256(plan.settings()));
    header.putInt(crc(header.array(), header.position()));
    return header.flip();
  }

  private int recordBytes(int rows) {
    return Math.addExact(
        RECORD_EXTRA_BYTES,
        Math.multiplyExact(Math.multiplyExact(rows, plan.valuesPerRow()), Double.BYTES));
  }

  private void readFully(ByteBuffer target, long offset) throws IOException {
    long at = offset;
    while (target.hasRemaining()) {
      int n = channel.read(target, at);
      if (n < 0) {
        throw new IOException(file + ": ended at byte " + at + " while it was read");
      }
      at += n;
    }
  }

  private void writeAll(ByteBuffer bytes) throws IOException {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw new IOException(file + ": could not be written: " + e.getMessage(), e);
    }
  }

  private static int mismatch(ByteBuffer a, ByteBuffer b) {
    return Arrays.mismatch(a.array(), b.array());
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}

package dev.resid.benchmarks.peers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Writes the fields of one protobuf message: varints, floats, and nested messages or bytes. */
final class Protobuf {
  private static final int VARINT = 0;
  private static final int LENGTH = 2;
  private static final int FIXED32 = 5;

  private final ByteArrayOutputStream bytes;

  Protobuf() {
    this(64);
  }

  /** Begins a message that is expected to be so long. */
  Protobuf(int capacity) {
    bytes = new ByteArrayOutputStream(capacity);
  }

  Protobuf number(int field, long value) {
    varint((long) field << 3 | VARINT);
    varint(value);
    return this;
  }

  Protobuf real(int field, float value) {
    varint((long) field << 3 | FIXED32);
    int bits = Float.floatToIntBits(value);
    for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
      bytes.write(bits >>> shift);
    }
    return this;
  }

  Protobuf text(int field, String value) {
    return raw(field, value.getBytes(StandardCharsets.UTF_8));
  }

  Protobuf raw(int field, byte[] value) {
    varint((long) field << 3 | LENGTH);
    varint(value.length);
    bytes.writeBytes(value);
    return this;
  }

  Protobuf message(int field, Protobuf message) {
    varint((long) field << 3 | LENGTH);
    varint(message.bytes.size());
    message.copyTo(bytes);
    return this;
  }

  /** Returns the bytes of this message followed by a nested one, which may be very long. */
  byte[] toBytesWithLast(int field, Protobuf last) {
    varint((long) field << 3 | LENGTH);
    varint(last.bytes.size());
    byte[] all = new byte[bytes.size() + last.bytes.size()];
    copyTo(new Into(all, 0));
    last.copyTo(new Into(all, bytes.size()));
    return all;
  }

  private void copyTo(OutputStream out) {
    try {
      bytes.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException("memory cannot be written", e);
    }
  }

  /** Writes into an array. */
  private static final class Into extends OutputStream {
    private final byte[] array;
    private int at;

    Into(byte[] array, int from) {
      this.array = array;
      this.at = from;
    }

    @Override
    public void write(int value) {
      array[at++] = (byte) value;
    }

    @Override
    public void write(byte[] from, int offset, int length) {
      System.arraycopy(from, offset, array, at, length);
      at += length;
    }
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes.write((int) (rest & 0x7F | 0x80));
      rest >>>= 7;
    }
    bytes.write((int) rest);
  }
}

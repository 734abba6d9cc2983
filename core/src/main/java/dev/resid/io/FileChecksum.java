package dev.resid.io;

import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/**
 * The last tensor of a safetensors file, four bytes: the CRC-32C, little-endian, of every byte
 * before them, header included. It finds every change of up to 32 neighbouring bits, and any other
 * change but one in four thousand million.
 */
final class FileChecksum {
  /** Its name in the file. */
  static final String NAME = "checksum.crc32c";

  private static final int BYTES = Integer.BYTES;
  private static final int PIECE = 1 << 16;

  private final CRC32C crc = new CRC32C();

  /** Returns a stream that passes bytes on and takes account of them, from here on. */
  OutputStream over(OutputStream out) {
    crc.reset();
    return new CheckedOutputStream(out, crc);
  }

  /**
   * Returns the tensor; its dtype makes it the last of all that are written, and its value is that
   * of the moment.
   */
  EncodedTensor tensor() {
    return new EncodedTensor(
        NAME,
        DType.U8,
        TensorInfo.unnamed(BYTES),
        out -> out.write(little().putInt((int) crc.getValue()).array()));
  }

  /**
   * Requires of a file that its last tensor is the checksum of the rest.
   *
   * @throws SafetensorsException if it has none, or another one
   * @throws TensorFileException if the file became shorter meanwhile
   */
  static void require(Safetensors file) throws TensorFileException {
    MemorySegment bytes = file.mappedFile().bytes();
    long covered = bytes.byteSize() - BYTES;
    if (!file.has(NAME) || file.entry(NAME).begin() != covered) {
      throw file.failure(
          "byte " + Math.max(0, covered),
          "the file does not end in a checksum: tensor " + NAME + " is missing or elsewhere",
          SafetensorsException.DAMAGED);
    }
    byte[] piece = new byte[PIECE];
    CRC32C crc = new CRC32C();
    for (long at = 0; at < covered; at += PIECE) {
      int n = (int) Math.min(PIECE, covered - at);
      MappedFile.copy(file.file(), bytes, at, piece, n);
      crc.update(piece, 0, n);
    }
    MappedFile.copy(file.file(), bytes, covered, piece, BYTES);
    int stated = little().put(piece, 0, BYTES).getInt(0);
    if (stated != (int) crc.getValue()) {
      throw file.failure(
          "byte " + covered,
          String.format(
              "the CRC-32C of the %d bytes before is %08x, the file states %08x",
              covered, (int) crc.getValue(), stated),
          SafetensorsException.DAMAGED);
    }
  }

  private static ByteBuffer little() {
    return ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }
}

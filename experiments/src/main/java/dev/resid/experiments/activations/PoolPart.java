package dev.resid.experiments.activations;

import dev.resid.io.ReadFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * A stretch of the file of a pool, as it was when it was forced to disk.
 *
 * @param bytes its length
 * @param crc its CRC-32C
 */
record PoolPart(long bytes, int crc) {
  private static final int PIECE = 1 << 16;

  /**
   * Returns whether a file begins with these stretches, one after the other.
   *
   * @throws IOException if it cannot be read
   */
  static boolean all(List<PoolPart> parts, Path file) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(PIECE);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (PoolPart part : parts) {
        CRC32C crc = new CRC32C();
        for (long left = part.bytes; left > 0; ) {
          piece.clear().limit((int) Math.min(PIECE, left));
          int n = channel.read(piece);
          if (n < 0) {
            return false;
          }
          crc.update(piece.flip());
          left -= n;
        }
        if ((int) crc.getValue() != part.crc) {
          return false;
        }
      }
    } catch (IOException e) {
      throw ReadFailure.of(file, e);
    }
    return true;
  }
}

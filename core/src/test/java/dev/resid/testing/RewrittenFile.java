package dev.resid.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file whose content is replaced a million times, for readers that only take a path. It is never
 * emptied first: ext4 writes a file that was emptied to the disk when it is closed, which takes a
 * thousand times as long as replacing its bytes.
 */
public final class RewrittenFile implements AutoCloseable {
  private final FileChannel channel;

  /**
   * Makes the file, or opens it.
   *
   * @param file its path
   * @throws IOException if it cannot be written
   */
  public RewrittenFile(Path file) throws IOException {
    channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  /**
   * Replaces the content.
   *
   * @throws IOException if it cannot be written
   */
  public void write(byte[] content) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(content);
    while (bytes.hasRemaining()) {
      channel.write(bytes, bytes.position());
    }
    channel.truncate(content.length);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}

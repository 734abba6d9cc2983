package dev.resid.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A whole file in the address space, of any size, readable from any thread until closed. */
final class MappedFile implements AutoCloseable {
  private final Path file;
  private final Arena arena;
  private final MemorySegment bytes;

  private MappedFile(Path file, Arena arena, MemorySegment bytes) {
    this.file = file;
    this.arena = arena;
    this.bytes = bytes;
  }

  /**
   * Returns the mapped file.
   *
   * @throws IOException if there is no such file or it cannot be read
   */
  static MappedFile open(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + ": is a folder, expected a file. Name a file in it");
    }
    if (Files.notExists(file)) {
      throw new NoSuchFileException(file.toString(), null, "no such file; check the path");
    }
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MemorySegment bytes =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena).asReadOnly();
      return new MappedFile(file, arena, bytes);
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /** Returns bytes in memory under a name, for content that is not a file of its own. */
  static MappedFile of(Path name, byte[] content) {
    return new MappedFile(name, Arena.ofShared(), MemorySegment.ofArray(content).asReadOnly());
  }

  Path file() {
    return file;
  }

  /** Returns all bytes of the file. */
  MemorySegment bytes() {
    return bytes;
  }

  /** Ends the mapping; doing so twice is allowed. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}

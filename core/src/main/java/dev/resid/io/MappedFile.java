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
    } catch (UnsupportedOperationException e) {
      // A path in another file system than the machine's, such as the inside of a jar.
      arena.close();
      return of(file, Files.readAllBytes(file));
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Returns a copy of some bytes that behaves like a mapped file.
   *
   * @param file where they come from, for messages
   * @param content all bytes
   */
  static MappedFile of(Path file, byte[] content) {
    Arena arena = Arena.ofShared();
    MemorySegment bytes = arena.allocate(content.length);
    bytes.copyFrom(MemorySegment.ofArray(content));
    return new MappedFile(file, arena, bytes.asReadOnly());
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

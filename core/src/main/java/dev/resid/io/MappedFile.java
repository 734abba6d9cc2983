package dev.resid.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A whole file in the address space, of any size, readable from any thread until closed. */
final class MappedFile implements AutoCloseable {
  /** What an {@link InternalError} means: the JVM reports a page so that the file no longer has. */
  static final String CUT_SHORT = "the file was cut short or its disk failed while it was open";

  /** What to do then. */
  static final String OPEN_AGAIN = "Make sure that it is whole, and open it again";

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
    if (!Files.isRegularFile(file)) {
      // Opening a pipe would wait for somebody to write to it.
      throw new IOException(
          file + ": is a pipe or a device, expected a file. Save its content first, and name that");
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

  /**
   * Copies bytes of a file, or of memory, in such a way that a file which became shorter is an
   * error and not the end of the process.
   *
   * @param file where the bytes come from, for the message
   * @param from what they are part of
   * @param at first byte
   * @param to gets them from its beginning on
   * @param count how many
   * @throws TensorFileException if the file no longer has them
   */
  static void copy(Path file, MemorySegment from, long at, byte[] to, int count)
      throws TensorFileException {
    try {
      MemorySegment.copy(from, ValueLayout.JAVA_BYTE, at, to, 0, count);
      settle();
    } catch (InternalError e) {
      throw cutShort(file, "at or after byte " + at, e);
    }
  }

  /**
   * Throws the error of a page that reads before this call met, if they met one. The JVM throws it
   * when the thread next lets itself be stopped, which in compiled code can be after the method
   * that read; calling the JVM is such a moment.
   */
  static void settle() {
    Runtime.getRuntime().totalMemory();
  }

  /** Returns what to throw when opening met a page that the file no longer has. */
  TensorFileException cutShort(InternalError e) {
    return cutShort(file, "header", e);
  }

  /** Returns what to throw when a read met a page that the file no longer has. */
  static TensorFileException cutShort(Path file, String where, InternalError e) {
    TensorFileException problem = new TensorFileException(file, where, CUT_SHORT, OPEN_AGAIN);
    problem.initCause(e);
    return problem;
  }

  /** Ends the mapping; doing so twice is allowed. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}

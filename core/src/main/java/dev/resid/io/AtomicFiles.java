package dev.resid.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes files so that a reader, or the same program after a crash, finds either the old content or
 * the new, never half of it: everything goes to a temporary file in the same folder, is forced to
 * disk, and is then renamed over the target. A failure leaves the target as it was and removes the
 * temporary file; one that a killed process left behind is removed by the next write of the target.
 */
public final class AtomicFiles {
  private static final System.Logger LOG = System.getLogger(AtomicFiles.class.getName());
  private static final int BUFFER_BYTES = 1 << 16;
  private static final AtomicLong COUNTER = new AtomicLong();

  private AtomicFiles() {}

  /** What is to be in the file. */
  @FunctionalInterface
  public interface Content {
    /**
     * Writes all of it.
     *
     * @param out buffered; need not be closed or flushed
     * @throws IOException if writing fails; the target then stays as it was
     */
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Writes bytes.
   *
   * @param target the file to create or replace; its folder must exist
   * @param content all of its bytes
   * @throws IOException if it cannot be written; the target then stays as it was
   */
  public static void write(Path target, byte[] content) throws IOException {
    write(target, content.length, out -> out.write(content));
  }

  /**
   * Writes text as UTF-8.
   *
   * @param target the file to create or replace; its folder must exist
   * @param content all of its text
   * @throws IOException if it cannot be written; the target then stays as it was
   */
  public static void write(Path target, String content) throws IOException {
    write(target, content.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Writes what a function produces.
   *
   * @param target the file to create or replace; its folder must exist
   * @param content is called once
   * @throws IOException if it cannot be written; the target then stays as it was
   */
  public static void write(Path target, Content content) throws IOException {
    write(target, 0, content);
  }

  /**
   * Writes what a function produces, after checking that the disk has room for it.
   *
   * @param target the file to create or replace; its folder must exist
   * @param bytes at least so many bytes are expected
   * @param content is called once
   * @throws IOException if it cannot be written; the target then stays as it was
   */
  public static void write(Path target, long bytes, Content content) throws IOException {
    // Writing through a link must not replace the link.
    Path real = Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target;
    if (Files.isDirectory(real)) {
      throw new IOException(target + ": is a folder, expected a file name. Name a file in it");
    }
    if (Files.exists(real) && !Files.isRegularFile(real)) {
      // A pipe or device, such as /dev/stdout: there is nothing to replace.
      try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(real), BUFFER_BYTES)) {
        content.writeTo(out);
      } catch (IOException e) {
        throw new IOException(target + ": could not be written: " + e.getMessage(), e);
      }
      return;
    }
    Path folder = real.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new NoSuchFileException(
          target.toString(), null, "its folder does not exist; create it first");
    }
    checkRoom(target, folder, bytes);
    removeLeftovers(folder, real.getFileName().toString());
    Path temporary = folder.resolve(temporaryName(real.getFileName().toString()));
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        OutputStream out =
            new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER_BYTES);
        content.writeTo(out);
        out.flush();
        channel.force(true);
      }
      Files.move(temporary, real, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      removeQuietly(temporary);
      throw explained(target, folder, e);
    } catch (RuntimeException | Error e) {
      removeQuietly(temporary);
      throw e;
    }
    forceFolder(folder);
  }

  private static String temporaryName(String name) {
    return prefix(name) + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet() + ".tmp";
  }

  private static String prefix(String name) {
    // File systems allow 255 bytes; a character takes up to 3.
    return name.length() <= 70
        ? "." + name + "."
        : "." + name.substring(0, 60) + "-" + Integer.toHexString(name.hashCode()) + ".";
  }

  private static void checkRoom(Path target, Path folder, long bytes) throws IOException {
    long free = Files.getFileStore(folder).getUsableSpace();
    // Some network file systems say 0 for "unknown"; then the write itself decides.
    if (free > 0 && bytes > free) {
      throw new IOException(
          target
              + ": needs "
              + bytes
              + " bytes, but its disk has only "
              + free
              + " left. Free some space or choose another folder; nothing was written");
    }
  }

  private static IOException explained(Path target, Path folder, IOException e) {
    String free = "";
    try {
      free = " (its disk has " + Files.getFileStore(folder).getUsableSpace() + " bytes left)";
    } catch (IOException ignored) {
      // The message does without.
    }
    String reason = e instanceof AccessDeniedException ? "permission denied" : e.getMessage();
    return new IOException(
        target + ": could not be written" + free + ": " + reason + ". It was left as it was", e);
  }

  /** Removes temporary files of the same target whose process no longer runs. */
  private static void removeLeftovers(Path folder, String name) throws IOException {
    String prefix = prefix(name);
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(folder, path -> isLeftover(path, prefix))) {
      for (Path file : files) {
        removeQuietly(file);
      }
    }
  }

  private static boolean isLeftover(Path path, String prefix) {
    String name = path.getFileName().toString();
    if (!name.startsWith(prefix) || !name.endsWith(".tmp")) {
      return false;
    }
    String middle = name.substring(prefix.length(), Math.max(prefix.length(), name.length() - 4));
    if (!middle.matches("[0-9]{1,18}-[0-9]{1,18}")) {
      return false;
    }
    long pid = Long.parseLong(middle.substring(0, middle.indexOf('-')));
    return Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && ProcessHandle.of(pid).isEmpty();
  }

  private static void removeQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "could not remove the temporary file " + file, e);
    }
  }

  /** Makes the renaming itself survive a power cut, where the system can do that. */
  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, () -> "cannot force the folder " + folder, e);
    }
  }
}

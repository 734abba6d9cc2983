package dev.resid.experiments.result;

import dev.resid.io.ReadFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Keeps a second process out of a folder. The system ends the lock with the process, however that
 * ends. A process that comes to its end removes the file of the lock, and the folders that were
 * made for it if nothing else is in them.
 */
public final class FolderLock implements AutoCloseable {
  /** The file that is locked. */
  public static final String NAME = ".lock";

  /** What is locked lies behind the content, which can then be read everywhere. */
  private static final long LOCKED_FROM = 1L << 32;

  private static final int ATTEMPTS = 100;

  /** Lengths that are tried, each below the next; two files have not all of them. */
  private static final int LENGTHS = 8;

  private static final int MOST_BYTES = 512;

  private final Path file;
  private final FileChannel channel;
  private final FileLock lock;
  private final List<Path> made;

  private FolderLock(Path file, FileChannel channel, FileLock lock, List<Path> made) {
    this.file = file;
    this.channel = channel;
    this.lock = lock;
    this.made = made;
  }

  /**
   * Returns the lock of a folder.
   *
   * @param folder what it keeps others out of, as the user names it
   * @param place the folder itself or one in it, where the file of the lock lies; made if needed
   * @throws IllegalStateException if another process holds it
   * @throws IOException if its file cannot be made
   */
  public static FolderLock of(Path folder, Path place) throws IOException {
    List<Path> made = new ArrayList<>();
    for (Path at = place.toAbsolutePath(); at != null && !Files.exists(at); at = at.getParent()) {
      made.add(at);
    }
    Path file = place.resolve(NAME);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      FileChannel channel;
      try {
        Files.createDirectories(place);
        channel =
            FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      } catch (NoSuchFileException e) {
        continue; // its folder was removed by the process that ended just now
      } catch (FileAlreadyExistsException e) {
        if (Files.isRegularFile(Path.of(e.getFile()))) {
          throw e; // a file where a folder must be
        }
        continue;
      }
      try {
        FileLock lock = channel.tryLock(LOCKED_FROM, 1, false);
        if (lock == null) {
          channel.close();
          break;
        }
        if (isThere(channel, file)) {
          return new FolderLock(file, channel, lock, made);
        }
        channel.close(); // the file was removed between opening and locking it
      } catch (OverlappingFileLockException e) {
        channel.close(); // this process holds it; the same answer
        break;
      } catch (IOException e) {
        channel.close();
        throw ReadFailure.of(file, e);
      } catch (RuntimeException e) {
        channel.close();
        throw e;
      }
    }
    throw new IllegalStateException(
        "another process is working in " + folder + "; wait for it, or choose another --out");
  }

  /**
   * Returns whether the file of that name is the one that is open: whether it has the lengths that
   * are given to the open one. Its content is not read, because POSIX ends all locks of a process
   * on a file when it closes the file, however often that is open.
   */
  private static boolean isThere(FileChannel channel, Path file) throws IOException {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    try {
      for (int i = 0; i < LENGTHS; i++) {
        int length = random.nextInt(1, MOST_BYTES);
        channel.truncate(0);
        channel.write(ByteBuffer.allocate(length), 0);
        if (Files.size(file) != length) {
          return false;
        }
      }
      return true;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** Lets other processes work in the folder again. */
  @Override
  public void close() throws IOException {
    try (channel) {
      try {
        Files.deleteIfExists(file);
        for (Path folder : made) {
          Files.deleteIfExists(folder);
        }
      } catch (IOException e) {
        // Something is in the folder, as a rule; or an open file cannot be removed here.
      }
      lock.release();
    }
  }
}

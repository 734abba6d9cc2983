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
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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

  /**
   * Where this process holds locks. POSIX ends a process's locks on a file when the process closes
   * the file, however often that is open: a second try must not even open it.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final FileChannel channel;
  private final FileLock lock;
  private final List<Path> made;
  private final Runnable letGo;

  private FolderLock(
      Path file, FileChannel channel, FileLock lock, List<Path> made, Runnable letGo) {
    this.file = file;
    this.channel = channel;
    this.lock = lock;
    this.made = made;
    this.letGo = letGo;
  }

  /**
   * Returns the lock of a folder.
   *
   * @param folder what it keeps others out of, as the user names it
   * @param place the folder itself or one in it, where the file of the lock lies; made if needed
   * @throws IllegalStateException if another process holds it, or this one does already
   * @throws IOException if its file cannot be made
   */
  public static FolderLock of(Path folder, Path place) throws IOException {
    return of(folder, place, HELD);
  }

  /**
   * Returns the lock of a folder.
   *
   * @param held real paths of the folders in which this process holds locks; changed
   */
  static FolderLock of(Path folder, Path place, Set<Path> held) throws IOException {
    List<Path> made = new ArrayList<>();
    for (Path at = place.toAbsolutePath(); at != null && !Files.exists(at); at = at.getParent()) {
      made.add(at);
    }
    Path file = place.resolve(NAME);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      Path real;
      try {
        Files.createDirectories(place);
        real = place.toRealPath();
      } catch (NoSuchFileException e) {
        continue; // it was removed by the process that ended just now
      } catch (FileAlreadyExistsException e) {
        if (Files.isRegularFile(Path.of(e.getFile()))) {
          throw e; // a file where a folder must be
        }
        continue;
      }
      if (!held.add(real)) {
        break;
      }
      Optional<FolderLock> lock = Optional.empty();
      try {
        lock = attempt(file, made, () -> held.remove(real));
        if (lock.isPresent()) {
          return lock.get();
        }
      } catch (OverlappingFileLockException e) {
        break;
      } finally {
        if (lock.isEmpty()) {
          held.remove(real);
        }
      }
    }
    throw new IllegalStateException(
        "another process is working in " + folder + "; wait for it, or choose another --out");
  }

  /**
   * Returns the lock of a file, or nothing if the file was removed meanwhile.
   *
   * @throws OverlappingFileLockException if another process holds it
   */
  private static Optional<FolderLock> attempt(Path file, List<Path> made, Runnable letGo)
      throws IOException {
    FileChannel channel;
    try {
      channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    boolean locked = false;
    try {
      FileLock lock = channel.tryLock(LOCKED_FROM, 1, false);
      if (lock == null) {
        throw new OverlappingFileLockException();
      }
      locked = isThere(channel, file);
      return locked
          ? Optional.of(new FolderLock(file, channel, lock, made, letGo))
          : Optional.empty();
    } catch (IOException e) {
      throw ReadFailure.of(file, e);
    } finally {
      if (!locked) {
        channel.close();
      }
    }
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
    } finally {
      letGo.run();
    }
  }
}

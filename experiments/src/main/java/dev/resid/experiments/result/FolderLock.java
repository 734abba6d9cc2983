package dev.resid.experiments.result;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps a second process out of a folder. The system ends the lock with the process, however that
 * ends; its file stays, because removing it could take it from another process.
 */
public final class FolderLock implements AutoCloseable {
  /** The file that is locked. */
  public static final String NAME = ".lock";

  private final FileChannel channel;
  private final FileLock lock;

  private FolderLock(FileChannel channel, FileLock lock) {
    this.channel = channel;
    this.lock = lock;
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
    Files.createDirectories(place);
    FileChannel channel =
        FileChannel.open(place.resolve(NAME), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return new FolderLock(channel, lock);
      }
    } catch (OverlappingFileLockException e) {
      // this process holds it; the same answer
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
    channel.close();
    throw new IllegalStateException(
        "another process is working in " + folder + "; wait for it, or choose another --out");
  }

  /** Lets other processes work in the folder again. */
  @Override
  public void close() throws IOException {
    try (channel) {
      lock.release();
    }
  }
}

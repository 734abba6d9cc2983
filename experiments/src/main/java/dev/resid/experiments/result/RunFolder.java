package dev.resid.experiments.result;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The output folder of one run. It is locked while a process works in it, and it never takes in
 * another run than the one it was begun for: the same command goes on where it stopped, any other
 * one is refused.
 */
public final class RunFolder implements AutoCloseable {
  private static final String WORK = "blocks";

  private final Path folder;
  private final FolderLock lock;
  private RunRecord record;

  private RunFolder(Path folder, FolderLock lock) {
    this.folder = folder;
    this.lock = lock;
  }

  /**
   * Opens the folder of a run, and creates it if there is none.
   *
   * @param folder the folder; may be missing or empty, or hold this same run
   * @param begun the record of the run; its times are replaced by those of an earlier process
   * @throws IllegalStateException if the folder holds another run, or anything else, or another
   *     process is working in it
   * @throws IOException if the folder cannot be read or written
   */
  public static RunFolder open(Path folder, RunRecord begun) throws IOException {
    requireUsable(folder);
    Files.createDirectories(folder);
    FolderLock lock = FolderLock.of(folder, folder);
    try {
      RunFolder opened = new RunFolder(folder, lock);
      opened.begin(begun);
      return opened;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Refuses a folder that can hold no run, without creating or changing anything. For the start of
   * a command; what {@link #open} refuses besides is known only when the run is.
   *
   * @param folder the folder; may be missing
   * @throws IllegalStateException if it holds other files and no run
   * @throws IOException if it is a file or cannot be read
   */
  public static void requireUsable(Path folder) throws IOException {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new NotDirectoryException(folder.toString());
    }
    if (Files.isDirectory(folder) && !Files.exists(folder.resolve(RunRecord.FILE))) {
      requireEmpty(folder);
    }
  }

  private void begin(RunRecord begun) throws IOException {
    record = begun;
    if (Files.exists(folder.resolve(RunRecord.FILE))) {
      RunRecord earlier = RunRecord.read(folder);
      Optional<String> difference = difference(begun, earlier);
      if (difference.isPresent()) {
        throw new IllegalStateException(
            folder
                + " is the output folder of another run ("
                + difference.get()
                + "); choose another --out");
      }
      record = begun.withTimesOf(earlier).withDevices(earlier.devices());
    }
    Files.createDirectories(folder.resolve(WORK));
    record.write(folder);
  }

  private static Optional<String> difference(RunRecord here, RunRecord there) {
    if (!here.command().equals(there.command())) {
      return Optional.of(
          "command is " + here.command() + " here and " + there.command() + " there");
    }
    if (!here.shard().equals(there.shard())) {
      return Optional.of("shard is " + here.shard() + " here and " + there.shard() + " there");
    }
    return here.settings().firstDifference(there.settings());
  }

  private static void requireEmpty(Path folder) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        // A process killed at its very beginning leaves a lock or a temporary file.
        if (!name.equals(FolderLock.NAME)
            && !name.startsWith("." + RunRecord.FILE)
            && !name.equals(WORK)) {
          throw new IllegalStateException(
              folder + " holds other files (" + name + ") and no run; choose another --out");
        }
      }
    }
  }

  /** Returns the folder. */
  public Path path() {
    return folder;
  }

  /** Returns the path of a file in the folder. */
  public Path file(String name) {
    return folder.resolve(name);
  }

  /** Returns the path of a file in the subfolder for what is needed to go on. */
  public Path work(String name) {
    return folder.resolve(WORK).resolve(name);
  }

  /** Returns the path of a file in the subfolder for what is needed to go on, of any run folder. */
  public static Path work(Path folder, String name) {
    return folder.resolve(WORK).resolve(name);
  }

  /** Returns the record of the run. */
  public RunRecord record() {
    return record;
  }

  /**
   * Writes down that the run is complete.
   *
   * @param seconds time spent on its blocks
   * @throws IOException if the record cannot be written
   */
  public void finish(double seconds) throws IOException {
    record = record.finish(seconds);
    record.write(folder);
  }

  /** Lets other processes work in the folder again. */
  @Override
  public void close() throws IOException {
    lock.close();
  }
}

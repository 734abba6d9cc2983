package dev.resid.experiments.result;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads files of a run folder; whatever is wrong with one, the message names it. */
public final class RunFiles {
  private RunFiles() {}

  /** Takes numbers from a file, in the order in which they were written. */
  @FunctionalInterface
  public interface NumberReader<T> {
    /**
     * Returns what the numbers mean.
     *
     * @throws IOException if they end too early or are of another version
     */
    T read(DataInputStream in) throws IOException;
  }

  /**
   * Returns the text of a file.
   *
   * @param file in UTF-8
   * @throws IOException if it is missing, cannot be read or is no text; the message names it
   */
  public static String text(Path file) throws IOException {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw named(file, e);
    }
  }

  /**
   * Returns what a reader makes of a file of numbers.
   *
   * @param file as a {@link java.io.DataOutputStream} writes it
   * @param reader called once
   * @throws IOException if it is missing, cannot be read or is cut off; the message names it
   */
  public static <T> T numbers(Path file, NumberReader<T> reader) throws IOException {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      return reader.read(in);
    } catch (IOException e) {
      throw named(file, e);
    }
  }

  private static IOException named(Path file, IOException e) {
    if (e instanceof FileSystemException
        || (e.getMessage() != null && e.getMessage().startsWith(file.toString()))) {
      return e;
    }
    String problem =
        switch (e) {
          case EOFException x -> "is cut off";
          case CharacterCodingException x -> "is damaged: it is not UTF-8";
          default -> "could not be read: " + e.getMessage();
        };
    return new IOException(file + ": " + problem + ". Delete it and run the command again", e);
  }
}

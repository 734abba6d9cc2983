package dev.resid.io;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Names the file where the system does not: a disk that fails, or a folder that is read, is
 * "Input/output error" or "Is a directory" and nothing else.
 */
public final class ReadFailure {
  private ReadFailure() {}

  /**
   * Returns an exception whose message begins with the file.
   *
   * @param file what was read
   * @param e what reading it threw; returned if it says which file
   */
  public static IOException of(Path file, IOException e) {
    String message = String.valueOf(e.getMessage());
    if (e instanceof FileSystemException || message.startsWith(file.toString())) {
      return e;
    }
    return new IOException(file + ": could not be read: " + message, e);
  }

  /**
   * Returns the bytes of a file.
   *
   * @param file to read
   * @throws IOException if it cannot be read; the message names it
   */
  public static byte[] bytes(Path file) throws IOException {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw of(file, e);
    }
  }

  /**
   * Returns the open file, whose failures name it.
   *
   * @param file to read
   * @throws IOException if it cannot be opened
   */
  public static InputStream open(Path file) throws IOException {
    return new FilterInputStream(Files.newInputStream(file)) {
      @Override
      public int read() throws IOException {
        try {
          return super.read();
        } catch (IOException e) {
          throw of(file, e);
        }
      }

      @Override
      public int read(byte[] target, int offset, int length) throws IOException {
        try {
          return super.read(target, offset, length);
        } catch (IOException e) {
          throw of(file, e);
        }
      }
    };
  }
}

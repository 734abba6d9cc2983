package dev.resid.experiments.result;

import dev.resid.io.AtomicFiles;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import tools.jackson.databind.JsonNode;

/** Reads files of a run folder; whatever is wrong with one, the message names it. */
public final class RunFiles {
  private static final int PIECE = 1 << 16;
  private static final String ADVICE = ". Delete it and run the command again";

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

  /** Gives numbers to a file. */
  @FunctionalInterface
  public interface NumberWriter {
    /**
     * Writes all of them.
     *
     * @throws IOException if that fails
     */
    void write(DataOutputStream out) throws IOException;
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
   * Writes a file of numbers and its checksum, whole or not at all.
   *
   * @param file to make or replace
   * @param numbers writes them; called once
   * @throws IOException if it cannot be written; it is then as before
   */
  public static void writeNumbers(Path file, NumberWriter numbers) throws IOException {
    AtomicFiles.write(
        file,
        bytes -> {
          CRC32C crc = new CRC32C();
          DataOutputStream out = new DataOutputStream(new CheckedOutputStream(bytes, crc));
          numbers.write(out);
          out.flush();
          out.writeInt((int) crc.getValue());
        });
  }

  /**
   * Returns what a reader makes of a file that {@link #writeNumbers} wrote.
   *
   * @param file with its checksum
   * @param reader called once
   * @throws IOException if it is missing, cannot be read, or any bit of it is damaged; the message
   *     names it
   */
  public static <T> T numbers(Path file, NumberReader<T> reader) throws IOException {
    try {
      requireChecksum(file);
      try (DataInputStream in =
          new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
        return reader.read(in);
      }
    } catch (IOException e) {
      throw named(file, e);
    }
  }

  /** Requires that the last four bytes are the checksum of all before. */
  private static void requireChecksum(Path file) throws IOException {
    CRC32C crc = new CRC32C();
    byte[] piece = new byte[PIECE];
    try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
      long left = Files.size(file) - Integer.BYTES;
      if (left < 0) {
        throw new EOFException();
      }
      while (left > 0) {
        int n = (int) Math.min(left, piece.length);
        in.readFully(piece, 0, n);
        crc.update(piece, 0, n);
        left -= n;
      }
      int stated = in.readInt();
      if (stated != (int) crc.getValue()) {
        throw new IOException(
            String.format(
                "the CRC-32C is %08x, the file states %08x", (int) crc.getValue(), stated));
      }
    }
  }

  /**
   * Writes one line of text and its checksum, whole or not at all.
   *
   * @param file to make or replace
   * @param line without a line end
   * @throws IOException if it cannot be written; it is then as before
   */
  public static void writeLine(Path file, String line) throws IOException {
    AtomicFiles.write(file, line + "\n" + checksum(line) + "\n");
  }

  /**
   * Returns the line that {@link #writeLine} wrote.
   *
   * @param file with its checksum
   * @throws IOException if it is missing, cannot be read, or any bit of it is damaged; the message
   *     names it
   */
  public static String line(Path file) throws IOException {
    String[] lines = text(file).split("\n", -1);
    if (lines.length != 3 || !lines[2].isEmpty() || !lines[1].equals(checksum(lines[0]))) {
      throw new IOException(file + ": is damaged: its checksum is another one" + ADVICE);
    }
    return lines[0];
  }

  private static String checksum(String line) {
    CRC32C crc = new CRC32C();
    crc.update(line.getBytes(StandardCharsets.UTF_8));
    return String.format("\"crc32c:%08x\"", crc.getValue());
  }

  /**
   * Returns a text of a JSON object.
   *
   * @throws IllegalArgumentException if it is missing or no text
   */
  static String text(JsonNode object, String key) {
    JsonNode value = object.path(key);
    if (!value.isString()) {
      throw new IllegalArgumentException("\"" + key + "\" is missing or no text");
    }
    return value.stringValue();
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
    return new IOException(file + ": " + problem + ADVICE, e);
  }
}

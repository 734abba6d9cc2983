package dev.resid.tokenizer;

import dev.resid.io.AtomicFiles;
import dev.resid.io.ReadFailure;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Rows of token ids, which may differ in length: what a model is run on. Immutable. At least one
 * row; every row has at least one id; ids are not negative. Whether they are inside a model's
 * vocabulary only the model can tell.
 */
public final class TokenBatch {
  /** All rows one after the other. */
  private final int[] ids;

  /** Row r is ids[starts[r]] to ids[starts[r + 1] - 1]. */
  private final int[] starts;

  private final int maxLength;

  private TokenBatch(int[] ids, int[] starts) {
    this.ids = ids;
    this.starts = starts;
    int max = 0;
    for (int r = 0; r + 1 < starts.length; r++) {
      max = Math.max(max, starts[r + 1] - starts[r]);
    }
    this.maxLength = max;
  }

  /**
   * Returns a batch of copies of the given rows.
   *
   * @param rows ids, at least one row, none of them empty
   * @throws IllegalArgumentException if there is no row, a row is empty or an id is negative
   */
  public static TokenBatch of(int[]... rows) {
    if (rows.length == 0) {
      throw new IllegalArgumentException("a batch has at least one row, got none");
    }
    int[] starts = new int[rows.length + 1];
    for (int r = 0; r < rows.length; r++) {
      if (rows[r].length == 0) {
        throw new IllegalArgumentException(
            "row " + r + " is empty; each row has at least one token, so leave it out");
      }
      starts[r + 1] = Math.addExact(starts[r], rows[r].length);
    }
    int[] ids = new int[starts[rows.length]];
    for (int r = 0; r < rows.length; r++) {
      System.arraycopy(rows[r], 0, ids, starts[r], rows[r].length);
      for (int c = 0; c < rows[r].length; c++) {
        if (rows[r][c] < 0) {
          throw new IllegalArgumentException(
              "row " + r + " column " + c + " holds " + rows[r][c] + "; ids are not negative");
        }
      }
    }
    return new TokenBatch(ids, starts);
  }

  /**
   * Returns a batch of copies of the given rows.
   *
   * @param rows ids, at least one row, none of them empty
   * @throws IllegalArgumentException if there is no row, a row is empty or an id is negative
   */
  public static TokenBatch of(List<int[]> rows) {
    return of(rows.toArray(new int[0][]));
  }

  /** Returns the number of rows. */
  public int rows() {
    return starts.length - 1;
  }

  /**
   * Returns the number of ids of a row.
   *
   * @param row from 0
   * @throws IndexOutOfBoundsException if there is no such row
   */
  public int length(int row) {
    checkRow(row);
    return starts[row + 1] - starts[row];
  }

  /** Returns the lengths of all rows, {@code [batch]}, a copy. */
  public int[] lengths() {
    int[] lengths = new int[rows()];
    for (int r = 0; r < lengths.length; r++) {
      lengths[r] = starts[r + 1] - starts[r];
    }
    return lengths;
  }

  /** Returns the length of the longest row. */
  public int maxLength() {
    return maxLength;
  }

  /** Returns the number of ids of all rows together. */
  public int tokenCount() {
    return ids.length;
  }

  /** Returns true if the rows differ in length. */
  public boolean isRagged() {
    return (long) maxLength * rows() != ids.length;
  }

  /**
   * Returns one id.
   *
   * @param row from 0
   * @param pos from 0
   * @throws IndexOutOfBoundsException if there is no such row or position
   */
  public int id(int row, int pos) {
    return ids[starts[row] + Objects.checkIndex(pos, length(row))];
  }

  /**
   * Returns the ids of a row, a copy.
   *
   * @param row from 0
   * @throws IndexOutOfBoundsException if there is no such row
   */
  public int[] row(int row) {
    checkRow(row);
    return Arrays.copyOfRange(ids, starts[row], starts[row + 1]);
  }

  /**
   * Returns consecutive rows as a batch of their own.
   *
   * @param fromRow first row
   * @param toRow the row after the last one
   * @throws IndexOutOfBoundsException if the range is not inside {@code [0, rows()]}
   * @throws IllegalArgumentException if the range is empty
   */
  public TokenBatch slice(int fromRow, int toRow) {
    Objects.checkFromToIndex(fromRow, toRow, rows());
    if (fromRow == toRow) {
      throw new IllegalArgumentException(
          "rows " + fromRow + " to " + toRow + " are none; a batch has at least one row");
    }
    if (fromRow == 0 && toRow == rows()) {
      return this;
    }
    int[] part = Arrays.copyOfRange(starts, fromRow, toRow + 1);
    for (int r = part.length - 1; r >= 0; r--) {
      part[r] -= part[0];
    }
    return new TokenBatch(Arrays.copyOfRange(ids, starts[fromRow], starts[toRow]), part);
  }

  /**
   * Returns the ids row-major as {@code [batch, pos]} with {@code pos = maxLength()}, a copy;
   * shorter rows are filled up at their end.
   *
   * @param padId what the rows are filled up with; not checked, so that a caller may mark padding
   *     by an id that no vocabulary has
   */
  public int[] padded(int padId) {
    int[] padded = new int[Math.multiplyExact(rows(), maxLength)];
    for (int r = 0; r < rows(); r++) {
      int length = starts[r + 1] - starts[r];
      System.arraycopy(ids, starts[r], padded, r * maxLength, length);
      Arrays.fill(padded, r * maxLength + length, (r + 1) * maxLength, padId);
    }
    return padded;
  }

  /**
   * Returns the batch of a JSON file {@code [[id, ...], ...]}.
   *
   * @param file UTF-8 JSON
   * @throws TokenizerFormatException if the file is anything else than an array of at least one
   *     array of at least one integer from 0 to 2147483647; the message names row and column, both
   *     from 0
   * @throws IOException if the file cannot be read
   */
  public static TokenBatch readJson(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a folder; name a file in it.");
    }
    try (InputStream in = ReadFailure.open(file)) {
      return readJson(in, file.toString());
    }
  }

  /**
   * Returns the batch of a JSON text {@code [[id, ...], ...]}.
   *
   * @param in UTF-8 JSON; left open, read to its end
   * @param name what errors call it
   * @throws TokenizerFormatException as {@link #readJson(Path)} does
   * @throws IOException if the stream cannot be read
   */
  public static TokenBatch readJson(InputStream in, String name) throws IOException {
    byte[] json = in.readAllBytes();
    try (JsonParser parser = Json.parser(json)) {
      if (parser.nextToken() != JsonToken.START_ARRAY) {
        throw wrong(name, parser, "the file", "an array of rows [[id, ...], ...]");
      }
      IntArrayList ids = new IntArrayList();
      IntArrayList starts = new IntArrayList();
      starts.add(0);
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        int row = starts.size() - 1;
        if (parser.currentToken() != JsonToken.START_ARRAY) {
          throw wrong(name, parser, "row " + row, "an array of ids");
        }
        int begin = ids.size();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          ids.add(readId(name, parser, row, ids.size() - begin));
        }
        if (ids.size() == begin) {
          throw new TokenizerFormatException(
              name, "row " + row, "the row is empty", "Leave the row out or give it a token");
        }
        starts.add(ids.size());
      }
      if (starts.size() == 1) {
        throw new TokenizerFormatException(
            name, "the file", "there is no row", "Give at least one row of ids: [[id, ...], ...]");
      }
      if (parser.nextToken() != null) {
        throw wrong(name, parser, "after the last row", "the end of the file");
      }
      return new TokenBatch(ids.toIntArray(), starts.toIntArray());
    } catch (JacksonException e) {
      throw Json.damaged(name, e);
    }
  }

  private static int readId(String name, JsonParser parser, int row, int column)
      throws TokenizerFormatException {
    String where = "row " + row + " column " + column;
    if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
      throw wrong(name, parser, where, "an integer id");
    }
    if (parser.getNumberType() != JsonParser.NumberType.INT || parser.getIntValue() < 0) {
      throw new TokenizerFormatException(
          name,
          where,
          "expected an id from 0 to " + Integer.MAX_VALUE + ", found " + parser.getString(),
          "Write the ids that the model's tokenizer gives");
    }
    return parser.getIntValue();
  }

  private static TokenizerFormatException wrong(
      String name, JsonParser parser, String where, String expected) {
    JsonToken token = parser.currentToken();
    String found =
        switch (token) {
          case null -> "the end of the file";
          case START_OBJECT -> "an object";
          case START_ARRAY -> "an array";
          case VALUE_STRING -> "a string";
          case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "the number " + parser.getString();
          default -> String.valueOf(parser.getString());
        };
    return new TokenizerFormatException(
        name,
        where + ", " + Json.place(parser),
        "expected " + expected + ", found " + found,
        "A token file is a JSON array of rows, each an array of ids: [[id, ...], ...]");
  }

  /**
   * Writes the batch as JSON {@code [[id, ...], ...]}, one row a line, by way of a temporary file
   * beside it that is then moved into place.
   *
   * @param file replaced if it exists
   * @throws IOException if it cannot be written; the file is then as before
   */
  public void writeJson(Path file) throws IOException {
    AtomicFiles.write(
        file,
        out -> {
          StringBuilder line = new StringBuilder();
          for (int r = 0; r < rows(); r++) {
            line.setLength(0);
            line.append(r == 0 ? "[[" : ",\n [").append(ids[starts[r]]);
            for (int i = starts[r] + 1; i < starts[r + 1]; i++) {
              line.append(", ").append(ids[i]);
            }
            line.append(']');
            out.write(line.toString().getBytes(StandardCharsets.US_ASCII));
          }
          out.write("]\n".getBytes(StandardCharsets.US_ASCII));
        });
  }

  private void checkRow(int row) {
    if (row < 0 || row >= rows()) {
      throw new IndexOutOfBoundsException("row " + row + " of a batch of " + rows() + " rows");
    }
  }

  /** Returns true if the other object is a batch of the same rows. */
  @Override
  public boolean equals(Object other) {
    return other instanceof TokenBatch that
        && Arrays.equals(starts, that.starts)
        && Arrays.equals(ids, that.ids);
  }

  /** Returns a hash of the rows. */
  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(starts) + Arrays.hashCode(ids);
  }

  /** Returns the number of rows and their length, for messages. */
  @Override
  public String toString() {
    return isRagged()
        ? "TokenBatch[batch=" + rows() + ", pos up to " + maxLength + "]"
        : "TokenBatch[batch=" + rows() + ", pos=" + maxLength + "]";
  }
}

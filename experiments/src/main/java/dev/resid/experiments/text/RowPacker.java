package dev.resid.experiments.text;

import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Packs documents into rows of one length. Every document begins with the begin-of-text token; a
 * document that a row's end cuts goes on in the next row after that token again, so that it stands
 * at position 0 of every row. A last row that is not full is left out.
 *
 * @source the packing of the published sensitive-directions runs
 */
public final class RowPacker {
  private final int bos;
  private final int rowLength;
  private final int maxRows;
  private final List<int[]> rows = new ArrayList<>();
  private int[] row;
  private int filled;

  /**
   * Creates a packer without rows.
   *
   * @param bos the begin-of-text token
   * @param rowLength tokens a row, at least 2
   * @param maxRows stop after so many
   */
  public RowPacker(int bos, int rowLength, int maxRows) {
    if (rowLength < 2 || maxRows < 1) {
      throw new IllegalArgumentException(
          "row length "
              + rowLength
              + " and "
              + maxRows
              + " rows: rows have at least two tokens, and there is at least one row");
    }
    this.bos = bos;
    this.rowLength = rowLength;
    this.maxRows = maxRows;
    this.row = new int[rowLength];
  }

  /**
   * Returns the rows of all documents, or the first ones.
   *
   * @param documents read until there are enough rows
   * @param tokenizer {@code <|endoftext|>} inside a document becomes that token
   * @param bos the begin-of-text token
   * @param rowLength tokens a row
   * @param maxRows at most so many rows
   * @throws IOException if the text cannot be read
   * @throws IllegalArgumentException if the text does not fill one row
   */
  public static TokenBatch pack(
      Documents documents, ByteLevelBpe tokenizer, int bos, int rowLength, int maxRows)
      throws IOException {
    RowPacker packer = new RowPacker(bos, rowLength, maxRows);
    Optional<String> text = documents.next();
    while (text.isPresent() && !packer.full()) {
      packer.add(tokenizer.encodeToIds(text.get(), SpecialTokens.ALLOW));
      text = documents.next();
    }
    if (packer.rows.isEmpty()) {
      throw new IllegalArgumentException(
          documents.name()
              + " has "
              + packer.filled
              + " tokens, a row needs "
              + rowLength
              + "; use more text or a smaller --row-length");
    }
    return packer.batch();
  }

  /** Returns whether there are as many rows as wanted. */
  public boolean full() {
    return rows.size() == maxRows;
  }

  /**
   * Adds a document.
   *
   * @param tokens without a begin-of-text token; none of them adds nothing
   */
  public void add(int... tokens) {
    int next = 0;
    while (next < tokens.length && !full()) {
      put(bos);
      while (next < tokens.length && filled > 0) {
        put(tokens[next]);
        next++;
      }
    }
  }

  private void put(int token) {
    row[filled] = token;
    filled++;
    if (filled == rowLength) {
      rows.add(row);
      row = new int[rowLength];
      filled = 0;
    }
  }

  /**
   * Returns the full rows so far, [row, pos].
   *
   * @throws IllegalArgumentException if there is none
   */
  public TokenBatch batch() {
    return TokenBatch.of(rows);
  }
}

package dev.resid.train;

import dev.resid.random.CounterRandom;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.TextDocuments;
import dev.resid.tokenizer.TokenBatch;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Tokens of texts as one stream, cut into rows for training. After each document, as {@link
 * TextDocuments} finds them, stands an end-of-text token. Every row begins with one too, as rows of
 * the experiments do.
 */
public final class TextCorpus {
  private final int[] stream;
  private final int endOfText;

  /** The order of the epoch that was last asked for; shuffling costs more than a step's rows. */
  private volatile Order order = new Order(0, 0, -1, new int[0]);

  /** The rows of one epoch in the order of a seed. */
  private record Order(int rows, long seed, long epoch, int[] permutation) {
    boolean isOf(int otherRows, long otherSeed, long otherEpoch) {
      return rows == otherRows && seed == otherSeed && epoch == otherEpoch;
    }
  }

  private TextCorpus(int[] stream, int endOfText) {
    this.stream = stream;
    this.endOfText = endOfText;
  }

  /**
   * Returns the corpus of some files, read in the order given.
   *
   * @param files UTF-8 text
   * @param tokenizer needs an end-of-text token
   * @throws IOException if a file cannot be read or is not UTF-8
   * @throws IllegalArgumentException if the tokenizer has no end-of-text token
   */
  public static TextCorpus read(List<Path> files, ByteLevelBpe tokenizer) throws IOException {
    int end = requireEndOfText(tokenizer);
    IntArrayList ids = new IntArrayList();
    for (Path file : files) {
      try (TextDocuments documents = TextDocuments.open(file)) {
        for (Optional<String> text = documents.next(); text.isPresent(); text = documents.next()) {
          add(text.get(), tokenizer, end, ids);
        }
      }
    }
    return new TextCorpus(ids.toIntArray(), end);
  }

  /**
   * Returns the corpus of texts in memory, in the order given.
   *
   * @param documents any texts
   * @param tokenizer needs an end-of-text token
   * @throws IllegalArgumentException if the tokenizer has no end-of-text token
   */
  public static TextCorpus of(List<String> documents, ByteLevelBpe tokenizer) {
    int end = requireEndOfText(tokenizer);
    IntArrayList ids = new IntArrayList();
    for (String text : documents) {
      add(text, tokenizer, end, ids);
    }
    return new TextCorpus(ids.toIntArray(), end);
  }

  private static void add(String text, ByteLevelBpe tokenizer, int end, IntArrayList ids) {
    ids.addElements(ids.size(), tokenizer.encodeToIds(text, SpecialTokens.AS_TEXT));
    ids.add(end);
  }

  /** Returns the number of tokens. */
  public int tokens() {
    return stream.length;
  }

  /** Returns the SHA-256 of the ids, hexadecimal: the same for the same tokens. */
  public String sha256() {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
    ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
    for (int id : stream) {
      bytes.putInt(id);
      if (!bytes.hasRemaining()) {
        digest.update(bytes.flip());
        bytes.clear();
      }
    }
    digest.update(bytes.flip());
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Returns the number of rows in one pass over the corpus.
   *
   * @param rowLength tokens a row, the leading end-of-text token included
   */
  public int rows(int rowLength) {
    return stream.length / (rowLength - 1);
  }

  /**
   * Returns the rows of one training step. Rows of one epoch are all different; their order depends
   * on the seed and the epoch only, so a step's rows do not depend on how the run got there.
   *
   * @param step number of the step, from 0
   * @param batch rows a step
   * @param rowLength tokens a row, the leading end-of-text token included
   * @param seed of the order
   * @throws IllegalArgumentException if the corpus is shorter than one row
   */
  public TokenBatch batch(long step, int batch, int rowLength, long seed) {
    int rows = rows(rowLength);
    if (rows < 1) {
      throw new IllegalArgumentException(
          "the text has " + stream.length + " tokens, fewer than a row of " + rowLength);
    }
    int[][] ids = new int[batch][];
    for (int i = 0; i < batch; i++) {
      long index = step * batch + i;
      long epoch = index / rows;
      int from = order(rows, seed, epoch)[(int) (index % rows)] * (rowLength - 1);
      int[] row = new int[rowLength];
      row[0] = endOfText;
      System.arraycopy(stream, from, row, 1, rowLength - 1);
      ids[i] = row;
    }
    return TokenBatch.of(ids);
  }

  private int[] order(int rows, long seed, long epoch) {
    Order held = order;
    if (!held.isOf(rows, seed, epoch)) {
      held = new Order(rows, seed, epoch, new CounterRandom(seed).permutation(rows, epoch, 1));
      order = held;
    }
    return held.permutation();
  }

  static int requireEndOfText(ByteLevelBpe tokenizer) {
    return tokenizer
        .endOfText()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the tokenizer has no <|endoftext|> token, which begins every row; add it"));
  }
}

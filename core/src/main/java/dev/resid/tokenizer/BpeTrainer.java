package dev.resid.tokenizer;

import dev.resid.tokenizer.Vocabulary.AddedToken;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Learns a byte-level BPE vocabulary from text. The words are those of {@link ByteLevelBpe}; at
 * each step the most frequent pair of neighbouring tokens inside words becomes a token. Of equally
 * frequent pairs the one with the smaller left id is taken, and of those the one with the smaller
 * right id, so the same text always gives the same vocabulary, whatever the order of the files.
 *
 * <p>Ids are laid out as in GPT-2: 256 bytes in the order of the characters that stand for them in
 * vocabulary files, the merged tokens in the order they were learnt, then {@code <|endoftext|>}.
 *
 * <p>Immutable; a trainer may be used again.
 *
 * @source Sennrich, Haddow, Birch 2016, Neural Machine Translation of Rare Words with Subword
 *     Units, section 3.2
 */
public final class BpeTrainer {
  /** All bytes, end of text. */
  private static final int FEWEST_TOKENS = 257;

  private static final int BUFFER_BYTES = 1 << 20;

  private final int vocabularySize;
  private final long minimumFrequency;
  private final BpeTrainingListener listener;

  /**
   * Creates a trainer that merges pairs which occur at least twice, and tells nobody how far it is.
   *
   * @param vocabularySize tokens wanted, with the 256 bytes and the end-of-text token; at least 257
   * @throws IllegalArgumentException if it is smaller
   */
  public BpeTrainer(int vocabularySize) {
    this(vocabularySize, 2, new BpeTrainingListener() {});
  }

  private BpeTrainer(int vocabularySize, long minimumFrequency, BpeTrainingListener listener) {
    if (vocabularySize < FEWEST_TOKENS) {
      throw new IllegalArgumentException(
          "a vocabulary of "
              + vocabularySize
              + " tokens was asked for; the 256 bytes and the end-of-text token already are 257");
    }
    if (minimumFrequency < 1) {
      throw new IllegalArgumentException(
          "the minimum frequency is " + minimumFrequency + "; it is at least 1");
    }
    this.vocabularySize = vocabularySize;
    this.minimumFrequency = minimumFrequency;
    this.listener = listener;
  }

  /**
   * Returns a trainer that does not merge pairs which are rarer.
   *
   * @param frequency occurrences in the whole text, at least 1
   * @throws IllegalArgumentException if it is smaller
   */
  public BpeTrainer withMinimumFrequency(long frequency) {
    return new BpeTrainer(vocabularySize, frequency, listener);
  }

  /**
   * Returns a trainer that tells how far it is.
   *
   * @param other replaces the one there was
   */
  public BpeTrainer withListener(BpeTrainingListener other) {
    return new BpeTrainer(vocabularySize, minimumFrequency, other);
  }

  /**
   * Returns the tokenizer learnt from text files. It has fewer tokens than wanted if no more pair
   * is frequent enough.
   *
   * @param files UTF-8; a line that holds only {@code <|endoftext|>} separates documents
   * @throws TokenizerFormatException if a file is not UTF-8; the message names file and byte
   * @throws IOException if a file cannot be read
   */
  public ByteLevelBpe train(List<Path> files) throws IOException {
    return train(files, BUFFER_BYTES);
  }

  /** Tests use small buffers to meet the places where documents are cut. */
  ByteLevelBpe train(List<Path> files, int bufferBytes) throws IOException {
    WordCounts counts = new WordCounts();
    long bytes = 0;
    for (Path file : files) {
      bytes +=
          TrainingText.read(
              file,
              bufferBytes,
              (utf8, from, to) -> {
                for (int at = from; at < to; ) {
                  int end = PreTokenizer.next(utf8, at, to);
                  counts.add(utf8, at, end);
                  at = end;
                }
              });
      listener.fileCounted(file, bytes, counts.size());
    }
    return learn(counts);
  }

  private ByteLevelBpe learn(WordCounts counts) {
    List<String> tokens = new ArrayList<>();
    int[] idOfByte = addBytes(tokens);
    IntArrayList left = new IntArrayList();
    IntArrayList right = new IntArrayList();
    IntArrayList products = new IntArrayList();
    MergeLearner learner = new MergeLearner(counts, idOfByte);
    while (tokens.size() < vocabularySize - 1 && learner.next(minimumFrequency)) {
      int product = tokens.size();
      tokens.add(tokens.get(learner.left()) + tokens.get(learner.right()));
      left.add(learner.left());
      right.add(learner.right());
      products.add(product);
      long frequency = learner.frequency();
      learner.merge(product);
      listener.merged(left.size(), tokens.size(), frequency);
    }
    int endOfText = tokens.size();
    tokens.add(Vocabulary.END_OF_TEXT);
    return new ByteLevelBpe(
        new Vocabulary(
            tokens.toArray(new String[0]),
            left.toIntArray(),
            right.toIntArray(),
            products.toIntArray(),
            List.of(new AddedToken(endOfText, Vocabulary.END_OF_TEXT, true))));
  }

  /** Adds the 256 bytes in the order of their characters, and returns the id of each byte. */
  private static int[] addBytes(List<String> tokens) {
    char[] alphabet = new char[256];
    for (int b = 0; b < 256; b++) {
      alphabet[b] = ByteAlphabet.charOf(b);
    }
    Arrays.sort(alphabet);
    int[] idOfByte = new int[256];
    for (char c : alphabet) {
      idOfByte[ByteAlphabet.byteOf(c)] = tokens.size();
      tokens.add(String.valueOf(c));
    }
    return idOfByte;
  }
}

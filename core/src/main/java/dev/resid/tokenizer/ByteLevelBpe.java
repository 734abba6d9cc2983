package dev.resid.tokenizer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.stream.Collectors;

/**
 * GPT-2's tokenizer: byte-level byte-pair encoding after a fixed division into words. Immutable and
 * safe for any number of threads.
 *
 * <p>Text is encoded as UTF-8. A surrogate without its partner, which a Java string can hold and
 * UTF-8 cannot, is encoded as U+FFFD, so it is the one thing that does not survive {@code
 * decode(encode(text))}. Letters and numbers, which decide where words end, are those of the JDK's
 * Unicode version.
 *
 * <p>A <em>special</em> token, such as {@code <|endoftext|>}, is one whose text is looked for
 * before anything else is done. Each encoding method takes a {@link SpecialTokens}, or forbids
 * them.
 *
 * @source Radford et al. 2019, Language Models are Unsupervised Multitask Learners, section 2.2
 */
public final class ByteLevelBpe {
  private final Vocabulary vocabulary;
  private final SpecialMatcher matcher;

  /** Encoders that no thread uses at the moment. Their caches make later texts faster. */
  private final BlockingQueue<TextEncoder> idle =
      new ArrayBlockingQueue<>(Runtime.getRuntime().availableProcessors());

  ByteLevelBpe(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.matcher = new SpecialMatcher(vocabulary.added());
  }

  /**
   * Returns the tokenizer of a directory: {@code tokenizer.json}, else {@code vocab.json} with
   * {@code merges.txt}, else {@code encoder.json} with {@code vocab.bpe}. If several of the three
   * are there they must agree, because other programs differ in which of them they read. Beside a
   * pair, {@code added_tokens.json} is read too.
   *
   * @param directory for example a Hugging Face GPT-2 checkpoint
   * @throws TokenizerFormatException if there is no tokenizer, a file is damaged, files disagree,
   *     or the tokenizer is of a kind that would give other ids than byte-level BPE with GPT-2's
   *     words; the message names file, place, problem and remedy
   * @throws IOException if a file cannot be read
   */
  public static ByteLevelBpe load(Path directory) throws IOException {
    return load(TokenizerSource.directory(directory));
  }

  /**
   * Returns the tokenizer of a source of files, chosen as {@link #load(Path)} does.
   *
   * @param source for example a folder on the class path
   * @throws TokenizerFormatException as {@link #load(Path)} does
   * @throws IOException if a file cannot be read
   */
  public static ByteLevelBpe load(TokenizerSource source) throws IOException {
    return new ByteLevelBpe(new TokenizerReader(source).read());
  }

  /**
   * Writes {@code vocab.json}, {@code merges.txt} and {@code tokenizer.json}, each by way of a
   * temporary file that is moved into place; and {@code added_tokens.json} if there are added
   * tokens besides {@code <|endoftext|>}. Loading the directory gives an equal tokenizer, and so it
   * does in Hugging Face's libraries.
   *
   * @param directory created if it does not exist
   * @throws IOException if a file cannot be written; no file is then half-written
   */
  public void save(Path directory) throws IOException {
    new TokenizerWriter(vocabulary).write(directory);
  }

  /** Returns the number of tokens; ids are 0 to this less one. */
  public int vocabularySize() {
    return vocabulary.size();
  }

  /** Returns the id of {@code <|endoftext|>}; empty if the vocabulary has no such token. */
  public OptionalInt endOfText() {
    return idOf(Vocabulary.END_OF_TEXT);
  }

  /**
   * Returns whether an id is a special token.
   *
   * @param id a token of the vocabulary
   * @throws IllegalArgumentException if there is no such token
   */
  public boolean isSpecial(int id) {
    check(id, -1);
    return vocabulary.added().stream().anyMatch(token -> token.special() && token.id() == id);
  }

  /**
   * Returns the id of a token; of a text, see {@link #singleToken}.
   *
   * @param printable in the notation of {@link #printable}: {@code Ġsea}, not {@code " sea"}
   */
  public OptionalInt idOf(String printable) {
    int id = vocabulary.idOf(printable);
    return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /**
   * Returns a token in the notation of vocabulary files, in which every byte is a visible
   * character: {@code Ġthe} for a blank and "the". A special token is its text.
   *
   * @param id a token of the vocabulary
   * @throws IllegalArgumentException if there is no such token
   */
  public String printable(int id) {
    check(id, -1);
    return vocabulary.token(id);
  }

  /**
   * Returns the bytes of a token, a copy.
   *
   * @param id a token of the vocabulary
   * @throws IllegalArgumentException if there is no such token
   */
  public byte[] bytes(int id) {
    check(id, -1);
    byte[] bytes = new byte[vocabulary.byteLength(id)];
    vocabulary.copyBytes(id, bytes, 0);
    return bytes;
  }

  /**
   * Returns the text of a token, with U+FFFD for each part of it that is not UTF-8.
   *
   * @param id a token of the vocabulary
   * @throws IllegalArgumentException if there is no such token
   */
  public String text(int id) {
    return new String(bytes(id), StandardCharsets.UTF_8);
  }

  /**
   * Returns the texts of tokens one by one, each as {@link #text}; {@link #decode(int...)} puts
   * them together.
   *
   * @param ids tokens of the vocabulary, {@code [pos]}
   * @throws IllegalArgumentException if one is not in the vocabulary; the message says which
   */
  public List<String> texts(int... ids) {
    List<String> texts = new ArrayList<>();
    for (int pos = 0; pos < ids.length; pos++) {
      check(ids[pos], pos);
      texts.add(text(ids[pos]));
    }
    return texts;
  }

  /**
   * Returns the one token that a text is, for example of an answer whose logit is read.
   *
   * @param text as it stands after the text before it, mostly with a blank in front: {@code " sea"}
   * @throws IllegalArgumentException if it is several tokens or none; the message shows them
   * @throws ForbiddenSpecialTokenException if the text spells out a special token
   */
  public int singleToken(String text) {
    int[] ids = encodeToIds(text);
    if (ids.length != 1) {
      throw new IllegalArgumentException(
          "\""
              + text
              + "\" is "
              + (ids.length == 0
                  ? "no token"
                  : ids.length
                      + " tokens, "
                      + texts(ids).stream()
                          .map(part -> "\"" + part + "\"")
                          .collect(Collectors.joining(", ")))
              + "; choose a text that is one");
    }
    return ids[0];
  }

  /**
   * Returns the tokens of texts as rows.
   *
   * @param texts at least one, none of them empty, without special tokens
   * @throws ForbiddenSpecialTokenException if a text spells out a special token
   * @throws IllegalArgumentException if there is no text or one is empty
   */
  public TokenBatch encode(String... texts) {
    return encode(SpecialTokens.FORBID, texts);
  }

  /**
   * Returns the tokens of texts as rows.
   *
   * @param special what to do where a text spells out a special token
   * @param texts at least one, none of them empty
   * @throws ForbiddenSpecialTokenException if a text spells out a special token and they are
   *     forbidden
   * @throws IllegalArgumentException if there is no text or one is empty
   */
  public TokenBatch encode(SpecialTokens special, String... texts) {
    int[][] rows = new int[texts.length][];
    for (int r = 0; r < texts.length; r++) {
      rows[r] = encodeToIds(texts[r], special);
    }
    return TokenBatch.of(rows);
  }

  /**
   * Returns the tokens of a text, {@code [pos]}; none for an empty text.
   *
   * @param text any text without special tokens
   * @throws ForbiddenSpecialTokenException if the text spells out a special token
   */
  public int[] encodeToIds(String text) {
    return encodeToIds(text, SpecialTokens.FORBID);
  }

  /**
   * Returns the tokens of a text, {@code [pos]}; none for an empty text. Takes time proportional to
   * the text's length n, and n log n in the length of a single word.
   *
   * @param text any text
   * @param special what to do where the text spells out a special token
   * @throws ForbiddenSpecialTokenException if the text spells out a special token and they are
   *     forbidden
   * @throws IllegalArgumentException if the vocabulary lacks one of the text's bytes (GPT-2's has
   *     all)
   */
  public int[] encodeToIds(String text, SpecialTokens special) {
    SpecialMatcher.Search search = matcher.search(text, special);
    TextEncoder encoder = idle.poll();
    if (encoder == null) {
      encoder = new TextEncoder(vocabulary);
    }
    try {
      int at = 0;
      while (search.next()) {
        encoder.append(text, at, search.start());
        encoder.append(search.id());
        at = search.end();
      }
      encoder.append(text, at, text.length());
      return encoder.take();
    } finally {
      encoder.clear();
      idle.offer(encoder);
    }
  }

  /**
   * Returns the tokens of a text with the chars that each comes from.
   *
   * @param text any text
   * @param special what to do where the text spells out a special token
   * @throws ForbiddenSpecialTokenException if the text spells out a special token and they are
   *     forbidden
   */
  public Encoding encodeWithOffsets(String text, SpecialTokens special) {
    int[] ids = encodeToIds(text, special);
    int[] starts = new int[ids.length];
    int[] ends = new int[ids.length];
    int at = 0; // first char of the code point that the next byte belongs to
    int width = 0; // bytes of that code point
    int left = 0; // how many of them are still to come; 0 before the code point is looked at
    for (int pos = 0; pos < ids.length; pos++) {
      starts[pos] = at;
      int bytes = vocabulary.byteLength(ids[pos]);
      while (bytes > 0) {
        if (left == 0) {
          width = utf8Length(text, at);
          left = width;
        }
        int taken = Math.min(left, bytes);
        left -= taken;
        bytes -= taken;
        if (left == 0) {
          at += width == 4 ? 2 : 1;
        }
      }
      ends[pos] = left == 0 ? at : at + (width == 4 ? 2 : 1);
    }
    return new Encoding(text, ids, starts, ends);
  }

  /** Returns the number of bytes of the code point at an index; 3 for a lone surrogate's U+FFFD. */
  private static int utf8Length(String text, int at) {
    int cp = text.codePointAt(at);
    return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
  }

  /**
   * Returns the bytes of tokens, one after the other.
   *
   * @param ids tokens of the vocabulary, {@code [pos]}
   * @throws IllegalArgumentException if one is not in the vocabulary; the message says which
   */
  public byte[] decodeToBytes(int... ids) {
    long length = 0;
    for (int pos = 0; pos < ids.length; pos++) {
      check(ids[pos], pos);
      length += vocabulary.byteLength(ids[pos]);
    }
    byte[] bytes = new byte[Math.toIntExact(length)];
    int at = 0;
    for (int id : ids) {
      at = vocabulary.copyBytes(id, bytes, at);
    }
    return bytes;
  }

  /**
   * Returns the text of tokens: their bytes put together, then read as UTF-8, with U+FFFD for each
   * part that is none. Special tokens come out as their text.
   *
   * @param ids tokens of the vocabulary, {@code [pos]}
   * @throws IllegalArgumentException if one is not in the vocabulary; the message says which
   */
  public String decode(int... ids) {
    return new String(decodeToBytes(ids), StandardCharsets.UTF_8);
  }

  /**
   * Returns the text of every row.
   *
   * @param tokens rows of tokens of the vocabulary
   * @throws IllegalArgumentException if one is not in the vocabulary
   */
  public List<String> decode(TokenBatch tokens) {
    String[] texts = new String[tokens.rows()];
    for (int r = 0; r < texts.length; r++) {
      texts[r] = decode(tokens.row(r));
    }
    return Arrays.asList(texts);
  }

  /** Returns a decoder for tokens that come one at a time. */
  public StreamingDecoder streamingDecoder() {
    return new StreamingDecoder(this);
  }

  /** Returns the number of tokens and of merges, for messages. */
  @Override
  public String toString() {
    return "ByteLevelBpe[tokens=" + vocabulary.size() + ", merges=" + vocabulary.mergeCount() + "]";
  }

  private void check(int id, int pos) {
    if (id < 0 || id >= vocabulary.size()) {
      throw new IllegalArgumentException(
          "token "
              + id
              + (pos < 0 ? "" : " at position " + pos)
              + " is not in the vocabulary, whose ids are 0 to "
              + (vocabulary.size() - 1)
              + "; was it made by another tokenizer?");
    }
  }
}

package dev.resid.tokenizer;

import dev.resid.tokenizer.Vocabulary.AddedToken;
import it.unimi.dsi.fastutil.longs.LongOpenHashSet;
import it.unimi.dsi.fastutil.objects.Object2IntOpenHashMap;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Collects what tokenizer files say and checks that it makes a tokenizer. */
final class VocabularyBuilder {
  private record Merge(String left, String right, String where) {}

  private final String vocabularyFile;
  private final String mergesFile;
  private final Object2IntOpenHashMap<String> idOfToken = new Object2IntOpenHashMap<>();
  private final List<Merge> merges = new ArrayList<>();
  private final List<AddedToken> added = new ArrayList<>();

  /**
   * Begins with nothing.
   *
   * @param vocabularyFile what errors call the file of the tokens
   * @param mergesFile what errors call the file of the merges
   */
  VocabularyBuilder(String vocabularyFile, String mergesFile) {
    this.vocabularyFile = vocabularyFile;
    this.mergesFile = mergesFile;
    idOfToken.defaultReturnValue(-1);
  }

  /** Adds a token in the notation of the byte alphabet. */
  void token(String token, int id) {
    idOfToken.put(token, id);
  }

  /** Adds the merge of the next rank. */
  void merge(String left, String right, String where) {
    merges.add(new Merge(left, right, where));
  }

  /**
   * Adds a token that is found before anything else is. It may be among the other tokens too, under
   * the same id.
   */
  void added(AddedToken token, String file, String where) throws TokenizerFormatException {
    String content = token.content();
    if (content.isEmpty()) {
      throw new TokenizerFormatException(
          file, where, "an added token has no text", "Remove it or give it one");
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(content)) {
      throw new TokenizerFormatException(
          file, where, "an added token holds half a surrogate pair", "Remove or correct it");
    }
    for (AddedToken other : added) {
      if (other.content().equals(content) && other.id() == token.id()) {
        return;
      }
      if (other.content().equals(content) || other.id() == token.id()) {
        throw new TokenizerFormatException(
            file,
            where,
            quoted(content, token.id()) + " and " + quoted(other.content(), other.id()) + " clash",
            "Give every added token one id of its own");
      }
    }
    int id = idOfToken.getInt(content);
    if (id >= 0 && id != token.id()) {
      throw new TokenizerFormatException(
          file,
          where,
          "added token "
              + quoted(content, token.id())
              + ", but the vocabulary says "
              + quoted(content, id),
          "Give it the id that the model was trained with in both places");
    }
    added.add(token);
  }

  /** Adds {@code <|endoftext|>} as a special token if it is among the tokens. */
  void endOfTextIfPresent() throws TokenizerFormatException {
    int id = idOfToken.getInt(Vocabulary.END_OF_TEXT);
    if (id >= 0) {
      added(
          new AddedToken(id, Vocabulary.END_OF_TEXT, true),
          vocabularyFile,
          "key " + Vocabulary.END_OF_TEXT);
    }
  }

  /**
   * Returns the checked vocabulary.
   *
   * @throws TokenizerFormatException if ids are not 0 to n - 1, each once; a token is not written
   *     in the byte alphabet; or a merge occurs twice or names a token that is missing
   */
  Vocabulary build() throws TokenizerFormatException {
    for (AddedToken token : added) {
      idOfToken.put(token.content(), token.id());
    }
    String[] tokens = tokensById();
    boolean[] isAdded = new boolean[tokens.length];
    for (AddedToken token : added) {
      isAdded[token.id()] = true;
    }
    for (int id = 0; id < tokens.length; id++) {
      if (!isAdded[id] && (tokens[id].isEmpty() || ByteAlphabet.bytesOf(tokens[id]) == null)) {
        throw new TokenizerFormatException(
            vocabularyFile,
            "key " + quoted(tokens[id], id),
            "the token is empty or has a character that stands for no byte in byte-level BPE",
            "Use a byte-level BPE vocabulary such as GPT-2's; others are not supported");
      }
    }
    int n = merges.size();
    int[] left = new int[n];
    int[] right = new int[n];
    int[] product = new int[n];
    LongOpenHashSet pairs = new LongOpenHashSet(n);
    for (int rank = 0; rank < n; rank++) {
      Merge merge = merges.get(rank);
      left[rank] = part(merge, merge.left());
      right[rank] = part(merge, merge.right());
      product[rank] = part(merge, merge.left() + merge.right());
      if (!pairs.add(Vocabulary.pair(left[rank], right[rank]))) {
        throw new TokenizerFormatException(
            mergesFile,
            merge.where(),
            "the merge '" + merge.left() + " " + merge.right() + "' occurs a second time",
            "Fetch or write the file again");
      }
    }
    return new Vocabulary(tokens, left, right, product, added);
  }

  private int part(Merge merge, String token) throws TokenizerFormatException {
    int id = idOfToken.getInt(token);
    if (id < 0) {
      throw new TokenizerFormatException(
          mergesFile,
          merge.where(),
          "the merge '"
              + merge.left()
              + " "
              + merge.right()
              + "' needs the token '"
              + token
              + "', which is not in "
              + (vocabularyFile.equals(mergesFile) ? "the vocabulary" : vocabularyFile),
          "Use vocabulary and merges of the same tokenizer");
    }
    return id;
  }

  private String[] tokensById() throws TokenizerFormatException {
    if (idOfToken.isEmpty()) {
      throw new TokenizerFormatException(
          vocabularyFile, "the vocabulary", "it has no token", "Fetch the file again");
    }
    String[] tokens = new String[idOfToken.size()];
    String beyond = null;
    for (var entry : idOfToken.object2IntEntrySet()) {
      int id = entry.getIntValue();
      if (id >= tokens.length) {
        beyond = entry.getKey();
      } else if (tokens[id] != null) {
        throw new TokenizerFormatException(
            vocabularyFile,
            "key " + quoted(entry.getKey(), id),
            "the token " + quoted(tokens[id], id) + " has the same id",
            "Fetch the file again or give each token an id of its own");
      } else {
        tokens[id] = entry.getKey();
      }
    }
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id] == null) {
        throw new TokenizerFormatException(
            vocabularyFile,
            "key " + quoted(beyond, idOfToken.getInt(beyond)),
            "ids must be 0 to "
                + (tokens.length - 1)
                + " for "
                + tokens.length
                + " tokens, but no token has id "
                + id,
            "Fetch the file again, and any file of added tokens beside it");
      }
    }
    return tokens;
  }

  private static String quoted(String token, int id) {
    return "'" + token + "' (id " + id + ")";
  }
}

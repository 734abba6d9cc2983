package dev.resid.tokenizer;

import dev.resid.tokenizer.Vocabulary.AddedToken;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;

/** Finds the tokenizer files of a source, reads them and requires that they agree. */
final class TokenizerReader {
  private static final String TOKENIZER_JSON = "tokenizer.json";

  private final TokenizerSource source;

  TokenizerReader(TokenizerSource source) {
    this.source = source;
  }

  /** Returns what the files say. */
  Vocabulary read() throws IOException {
    Vocabulary json = readTokenizerJson();
    Vocabulary pair = readPair("vocab.json", "merges.txt", json);
    Vocabulary old = readPair("encoder.json", "vocab.bpe", json);
    requireAgreement(json, TOKENIZER_JSON, pair, "vocab.json and merges.txt");
    requireAgreement(json, TOKENIZER_JSON, old, "encoder.json and vocab.bpe");
    requireAgreement(pair, "vocab.json and merges.txt", old, "encoder.json and vocab.bpe");
    requireNoPrefixSpace();
    Vocabulary chosen = json != null ? json : pair != null ? pair : old;
    if (chosen == null) {
      throw new TokenizerFormatException(
          source.describe(TOKENIZER_JSON),
          "its folder",
          "there is no tokenizer.json, no vocab.json with merges.txt and no encoder.json with"
              + " vocab.bpe",
          "Name the folder of a GPT-2 checkpoint or tokenizer");
    }
    return chosen;
  }

  private Vocabulary readTokenizerJson() throws IOException {
    try (InputStream in = source.open(TOKENIZER_JSON)) {
      return in == null
          ? null
          : parse(in, source.describe(TOKENIZER_JSON), TokenizerJsonReader::read);
    }
  }

  /** Returns the vocabulary of two files, or null if neither is there, or one and a better one. */
  private Vocabulary readPair(String vocabularyName, String mergesName, Vocabulary better)
      throws IOException {
    try (InputStream tokens = source.open(vocabularyName);
        InputStream merges = source.open(mergesName)) {
      if (tokens == null && merges == null) {
        return null;
      }
      if (tokens == null || merges == null) {
        if (better != null) {
          return null;
        }
        throw new TokenizerFormatException(
            source.describe(tokens == null ? vocabularyName : mergesName),
            "the file",
            "it is missing beside " + (tokens == null ? mergesName : vocabularyName),
            "Fetch the missing file too");
      }
      String mergesFile = source.describe(mergesName);
      String vocabularyFile = source.describe(vocabularyName);
      VocabularyBuilder builder = new VocabularyBuilder(vocabularyFile, mergesFile);
      parse(
          tokens,
          vocabularyFile,
          json -> {
            json.enterObject("the vocabulary");
            for (String key = json.nextKey(); key != null; key = json.nextKey()) {
              builder.token(key, json.idValue("key '" + key + "'"));
            }
            return null;
          });
      readMerges(merges, mergesFile, builder);
      builder.endOfTextIfPresent();
      readAddedTokens(builder);
      return builder.build();
    }
  }

  private static void readMerges(InputStream in, String file, VocabularyBuilder builder)
      throws IOException {
    int line = 0;
    int blank = 0;
    try {
      BufferedReader reader =
          new BufferedReader(
              new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()), 1 << 16);
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        line++;
        if (line == 1 && text.startsWith("#version")) {
          continue;
        }
        if (text.isEmpty()) {
          blank = blank == 0 ? line : blank;
          continue;
        }
        int space = text.indexOf(' ');
        boolean twoParts =
            space > 0 && space < text.length() - 1 && text.indexOf(' ', space + 1) < 0;
        if (blank > 0 || !twoParts) {
          throw new TokenizerFormatException(
              file,
              "line " + (blank > 0 ? blank : line),
              "expected two tokens with one space between them, found '"
                  + (blank > 0 ? "" : text)
                  + "'",
              "Fetch the file again; only its first line may be a comment, and begins #version");
        }
        builder.merge(text.substring(0, space), text.substring(space + 1), "line " + line);
      }
    } catch (CharacterCodingException e) {
      throw new TokenizerFormatException(
          file, "after line " + line, "the text is not UTF-8", "Fetch the file again", e);
    }
  }

  private void readAddedTokens(VocabularyBuilder builder) throws IOException {
    String name = "added_tokens.json";
    try (InputStream in = source.open(name)) {
      if (in == null) {
        return;
      }
      parse(
          in,
          source.describe(name),
          json -> {
            json.enterObject("the added tokens");
            for (String key = json.nextKey(); key != null; key = json.nextKey()) {
              String where = "key '" + key + "'";
              builder.added(new AddedToken(json.idValue(where), key, true), json.file(), where);
            }
            return null;
          });
    }
  }

  /** Hugging Face's libraries would put a space before the text; these ids would then differ. */
  private void requireNoPrefixSpace() throws IOException {
    String name = "tokenizer_config.json";
    try (InputStream in = source.open(name)) {
      if (in == null) {
        return;
      }
      parse(
          in,
          source.describe(name),
          json -> {
            json.enterObject("the settings");
            for (String key = json.nextKey(); key != null; key = json.nextKey()) {
              if (key.equals("add_prefix_space")) {
                TokenizerJsonReader.requireFalse(json, key);
              } else {
                json.skipValue();
              }
            }
            return null;
          });
    }
  }

  /** Reads one JSON file with the parser's own exceptions turned into ours. */
  private interface Body<T> {
    T read(JsonCursor json) throws IOException;
  }

  private static <T> T parse(InputStream in, String file, Body<T> body) throws IOException {
    try (JsonParser parser = Json.parser(in.readAllBytes())) {
      JsonCursor cursor = new JsonCursor(parser, file);
      T result = body.read(cursor);
      cursor.end();
      return result;
    } catch (JacksonException e) {
      throw Json.damaged(file, e);
    }
  }

  /** The first may have added tokens that the second lacks; everything else must be equal. */
  private void requireAgreement(
      Vocabulary first, String firstName, Vocabulary second, String secondName)
      throws TokenizerFormatException {
    if (first == null || second == null) {
      return;
    }
    String difference = difference(first, second);
    if (difference != null) {
      throw new TokenizerFormatException(
          source.describe(firstName),
          "compared with " + secondName + " beside it",
          difference,
          "Remove the files that do not belong to the model");
    }
  }

  private static String difference(Vocabulary first, Vocabulary second) {
    for (int id = 0; id < second.size(); id++) {
      String token = id < first.size() ? first.token(id) : "nothing";
      if (!second.token(id).equals(token)) {
        return "id " + id + " is '" + token + "' there and '" + second.token(id) + "' here";
      }
    }
    for (int id = second.size(); id < first.size(); id++) {
      int extra = id;
      if (first.added().stream().noneMatch(token -> token.id() == extra)) {
        return "id " + id + " is '" + first.token(id) + "' there and nothing here";
      }
    }
    if (first.mergeCount() != second.mergeCount()) {
      return "there are "
          + first.mergeCount()
          + " merges there and "
          + second.mergeCount()
          + " here";
    }
    for (int rank = 0; rank < first.mergeCount(); rank++) {
      if (first.mergeLeft(rank) != second.mergeLeft(rank)
          || first.mergeRight(rank) != second.mergeRight(rank)) {
        return "merge " + rank + " is another one";
      }
    }
    return null;
  }
}

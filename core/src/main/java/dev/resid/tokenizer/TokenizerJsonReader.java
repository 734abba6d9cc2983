package dev.resid.tokenizer;

import dev.resid.tokenizer.Vocabulary.AddedToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

// Hugging Face's tokenizer.json describes a pipeline: added tokens, normaliser, pre-tokeniser,
// model, post-processor. Only one of its many forms is GPT-2's, so every part is checked and what
// would give other ids is refused by name. Decoder, truncation and padding change no ids of ours
// and are passed over.
/** Reads {@code tokenizer.json}. */
final class TokenizerJsonReader {
  private static final String ADVICE =
      "Only byte-level BPE with GPT-2's words is supported; use a GPT-2 tokenizer";

  private final JsonCursor json;
  private final VocabularyBuilder builder;
  private final List<AddedToken> added = new ArrayList<>();
  private boolean hasModel;
  private boolean hasPreTokenizer;

  private TokenizerJsonReader(JsonCursor json) {
    this.json = json;
    this.builder = new VocabularyBuilder(json.file(), json.file());
  }

  /** Returns the vocabulary of a file whose cursor stands before the first token. */
  static Vocabulary read(JsonCursor json) throws IOException {
    return new TokenizerJsonReader(json).readFile();
  }

  private Vocabulary readFile() throws IOException {
    json.enterObject("the file");
    for (String key = json.nextKey(); key != null; key = json.nextKey()) {
      switch (key) {
        case "added_tokens" -> readAddedTokens();
        case "normalizer" -> requireNull("normalizer");
        case "pre_tokenizer" -> readPreTokenizer();
        case "post_processor" -> readPostProcessor();
        case "model" -> readModel();
        default -> json.skipValue();
      }
    }
    if (!hasModel) {
      throw refused("key model", "it is missing");
    }
    if (!hasPreTokenizer) {
      throw refused("key pre_tokenizer", "it is missing");
    }
    for (AddedToken token : added) {
      builder.added(token, json.file(), "added_tokens, id " + token.id());
    }
    return builder.build();
  }

  private void readAddedTokens() throws IOException {
    json.enterArray("key added_tokens");
    for (int i = 0; json.nextElement(); i++) {
      String where = "added_tokens[" + i + "]";
      if (!json.atObject()) {
        throw json.unexpected(where, "an object");
      }
      int id = -1;
      String content = null;
      boolean special = false;
      for (String key = json.nextKey(); key != null; key = json.nextKey()) {
        switch (key) {
          case "id" -> id = json.idValue(where + ".id");
          case "content" -> content = json.stringOrNullValue(where + ".content");
          case "special" -> special = json.booleanValue(where + ".special");
          case "lstrip", "rstrip", "single_word" -> requireFalse(json, where + "." + key);
          default -> json.skipValue();
        }
      }
      if (id < 0 || content == null) {
        throw refused(where, "id or content is missing");
      }
      added.add(new AddedToken(id, content, special));
    }
  }

  private void readPreTokenizer() throws IOException {
    hasPreTokenizer = true;
    enterTypedObject("pre_tokenizer");
    for (String key = json.nextKey(); key != null; key = json.nextKey()) {
      String where = "pre_tokenizer." + key;
      switch (key) {
        case "type" -> requireType(where, "ByteLevel");
        case "add_prefix_space" -> requireFalse(json, where);
        case "use_regex" -> {
          if (!json.booleanValue(where)) {
            throw refused(where, "expected true, found false");
          }
        }
        default -> json.skipValue();
      }
    }
  }

  private void readPostProcessor() throws IOException {
    json.enterValue();
    if (json.atObject()) {
      for (String key = json.nextKey(); key != null; key = json.nextKey()) {
        if (key.equals("type")) {
          requireType("post_processor.type", "ByteLevel");
        } else {
          json.skipValue();
        }
      }
    }
  }

  private void readModel() throws IOException {
    hasModel = true;
    enterTypedObject("model");
    boolean hasVocabulary = false;
    boolean hasMerges = false;
    for (String key = json.nextKey(); key != null; key = json.nextKey()) {
      String where = "model." + key;
      switch (key) {
        case "type" -> requireType(where, "BPE");
        case "vocab" -> {
          hasVocabulary = true;
          readTokens();
        }
        case "merges" -> {
          hasMerges = true;
          readMerges();
        }
        case "continuing_subword_prefix", "end_of_word_suffix" -> {
          String affix = json.stringOrNullValue(where);
          if (affix != null && !affix.isEmpty()) {
            throw refused(where, "expected none, found '" + affix + "'");
          }
        }
        case "dropout" -> requireNull(where);
        case "byte_fallback", "ignore_merges" -> requireFalse(json, where);
        default -> json.skipValue();
      }
    }
    if (!hasVocabulary || !hasMerges) {
      throw refused("model", (hasVocabulary ? "merges" : "vocab") + " is missing");
    }
  }

  private void readTokens() throws IOException {
    json.enterValue();
    if (!json.atObject()) {
      throw json.unexpected("model.vocab (of a BPE model)", "an object");
    }
    for (String token = json.nextKey(); token != null; token = json.nextKey()) {
      builder.token(token, json.idValue("model.vocab, key '" + token + "'"));
    }
  }

  /** A merge is the string "left right" in older files and the array [left, right] in newer. */
  private void readMerges() throws IOException {
    json.enterArray("model.merges");
    for (int rank = 0; json.nextElement(); rank++) {
      String where = "model.merges[" + rank + "]";
      if (json.atArray()) {
        json.nextElement();
        String left = json.string(where);
        json.nextElement();
        String right = json.string(where);
        if (json.nextElement()) {
          throw json.unexpected(where, "two tokens");
        }
        builder.merge(left, right, where);
      } else {
        String both = json.string(where);
        int space = both.indexOf(' ');
        if (space <= 0 || space == both.length() - 1 || both.indexOf(' ', space + 1) >= 0) {
          throw json.unexpected(where, "two tokens with one space between them");
        }
        builder.merge(both.substring(0, space), both.substring(space + 1), where);
      }
    }
  }

  private void enterTypedObject(String where) throws IOException {
    json.enterValue();
    if (!json.atObject()) {
      throw json.unexpected(where, "an object");
    }
  }

  private void requireType(String where, String type) throws IOException {
    String found = json.stringOrNullValue(where);
    if (!type.equals(found)) {
      throw refused(where, "expected " + type + ", found " + found);
    }
  }

  private void requireNull(String where) throws IOException {
    json.enterValue();
    if (!json.atNull()) {
      throw refused(where, "expected null");
    }
  }

  /** Refuses a setting that is true. */
  static void requireFalse(JsonCursor json, String where) throws TokenizerFormatException {
    if (json.booleanValue(where)) {
      throw new TokenizerFormatException(
          json.file(), "key " + where, "expected false, found true", ADVICE);
    }
  }

  private TokenizerFormatException refused(String where, String problem) {
    return new TokenizerFormatException(json.file(), where, problem, ADVICE);
  }
}

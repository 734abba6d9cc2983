package dev.resid.tokenizer;

import dev.resid.io.AtomicFiles;
import dev.resid.tokenizer.Vocabulary.AddedToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;

/** Writes the files that {@link TokenizerReader} and Hugging Face's libraries read. */
final class TokenizerWriter {
  private final Vocabulary vocabulary;

  /** Added tokens that vocab.json cannot or need not hold. */
  private final List<AddedToken> apart;

  TokenizerWriter(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.apart =
        vocabulary.added().stream()
            .filter(token -> !token.content().equals(Vocabulary.END_OF_TEXT))
            .toList();
  }

  /** Writes every file, each atomically. */
  void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    writeJson(directory.resolve("vocab.json"), this::writeTokens);
    AtomicFiles.write(
        directory.resolve("merges.txt"),
        out -> {
          out.write("#version: 0.2\n".getBytes(StandardCharsets.UTF_8));
          for (int rank = 0; rank < vocabulary.mergeCount(); rank++) {
            out.write((merge(rank) + "\n").getBytes(StandardCharsets.UTF_8));
          }
        });
    Path addedFile = directory.resolve("added_tokens.json");
    if (apart.isEmpty()) {
      Files.deleteIfExists(addedFile);
    } else {
      writeJson(
          addedFile,
          json -> {
            json.writeStartObject();
            for (AddedToken token : apart) {
              json.writeNumberProperty(token.content(), token.id());
            }
            json.writeEndObject();
          });
    }
    writeJson(directory.resolve("tokenizer.json"), this::writePipeline);
  }

  private interface Body {
    void write(JsonGenerator json);
  }

  private static void writeJson(Path file, Body body) throws IOException {
    AtomicFiles.write(
        file,
        out -> {
          try (JsonGenerator json = Json.generator(out)) {
            body.write(json);
          } catch (JacksonException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException(e);
          }
          out.write('\n');
        });
  }

  private void writeTokens(JsonGenerator json) {
    json.writeStartObject();
    for (int id = 0; id < vocabulary.size(); id++) {
      int wanted = id;
      if (apart.stream().noneMatch(token -> token.id() == wanted)) {
        json.writeNumberProperty(vocabulary.token(id), id);
      }
    }
    json.writeEndObject();
  }

  private String merge(int rank) {
    return vocabulary.token(vocabulary.mergeLeft(rank))
        + " "
        + vocabulary.token(vocabulary.mergeRight(rank));
  }

  private void writePipeline(JsonGenerator json) {
    json.writeStartObject();
    json.writeStringProperty("version", "1.0");
    json.writeNullProperty("truncation");
    json.writeNullProperty("padding");
    json.writeArrayPropertyStart("added_tokens");
    for (AddedToken token : vocabulary.added()) {
      json.writeStartObject();
      json.writeNumberProperty("id", token.id());
      json.writeStringProperty("content", token.content());
      json.writeBooleanProperty("single_word", false);
      json.writeBooleanProperty("lstrip", false);
      json.writeBooleanProperty("rstrip", false);
      json.writeBooleanProperty("normalized", false);
      json.writeBooleanProperty("special", token.special());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeNullProperty("normalizer");
    writeByteLevel(json, "pre_tokenizer");
    writeByteLevel(json, "post_processor");
    writeByteLevel(json, "decoder");
    json.writeObjectPropertyStart("model");
    json.writeStringProperty("type", "BPE");
    json.writeNullProperty("dropout");
    json.writeNullProperty("unk_token");
    json.writeStringProperty("continuing_subword_prefix", "");
    json.writeStringProperty("end_of_word_suffix", "");
    json.writeBooleanProperty("fuse_unk", false);
    json.writeBooleanProperty("byte_fallback", false);
    json.writeName("vocab");
    writeTokens(json);
    json.writeArrayPropertyStart("merges");
    for (int rank = 0; rank < vocabulary.mergeCount(); rank++) {
      json.writeString(merge(rank));
    }
    json.writeEndArray();
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void writeByteLevel(JsonGenerator json, String key) {
    json.writeObjectPropertyStart(key);
    json.writeStringProperty("type", "ByteLevel");
    json.writeBooleanProperty("add_prefix_space", false);
    json.writeBooleanProperty("trim_offsets", true);
    json.writeBooleanProperty("use_regex", true);
    json.writeEndObject();
  }
}

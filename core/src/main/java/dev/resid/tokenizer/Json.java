package dev.resid.tokenizer;

import dev.resid.io.JsonComplaint;
import java.io.OutputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;

/**
 * The package's one way into the JSON parser: keys that occur twice are refused, and so is nesting
 * deeper than any of our formats has.
 */
final class Json {
  /** tokenizer.json nests seven deep; the rest is room for keys that we skip. */
  private static final int MAX_NESTING = 64;

  /** Far above GPT-2's longest token, 128 bytes, and far below what would fill the memory. */
  private static final int MAX_STRING = 1 << 20;

  /** Digits; an id has at most ten. */
  private static final int MAX_NUMBER = 64;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
          .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_NESTING)
                  .maxStringLength(MAX_STRING)
                  .maxNameLength(MAX_STRING)
                  .maxNumberLength(MAX_NUMBER)
                  .build())
          .build();

  private Json() {}

  /**
   * Returns a parser that stands before the first token of a text in UTF-8. A whole file in memory:
   * whatever the parser throws is then about what the file holds, never about reading it.
   */
  static JsonParser parser(byte[] text) {
    return FACTORY.createParser(ObjectReadContext.empty(), text);
  }

  /** Returns the place of the token that the parser stands at, in words. */
  static String place(JsonParser parser) {
    return place(parser.currentTokenLocation());
  }

  /** Returns a generator that writes UTF-8 and leaves the stream open. */
  static JsonGenerator generator(OutputStream out) {
    return FACTORY.createGenerator(ObjectWriteContext.empty(), out);
  }

  /** Returns the parser's complaint as a checked exception that names the file. */
  static TokenizerFormatException damaged(String file, JacksonException e) {
    String where = e.getLocation() == null ? "unknown place" : place(e.getLocation());
    return new TokenizerFormatException(
        file,
        where,
        "not well-formed JSON: " + JsonComplaint.of(e),
        "Fetch or write the file again",
        e);
  }

  private static String place(TokenStreamLocation at) {
    String place = "line " + at.getLineNr() + " column " + at.getColumnNr();
    return at.getByteOffset() < 0 ? place : place + " (byte " + at.getByteOffset() + ")";
  }
}

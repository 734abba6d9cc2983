package dev.resid.experiments.cli;

import dev.resid.io.JsonComplaint;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.ForbiddenSpecialTokenException;
import dev.resid.tokenizer.SpecialTokens;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.Arrays;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Lines {@code {"text": ..., "special": true|false}} to lines {@code {"ids": [...]}}. */
final class TokenLines {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .build();

  private final ByteLevelBpe tokenizer;
  private final SpecialTokens mode;

  /**
   * Creates the converter.
   *
   * @param tokenizer encodes
   * @param mode for lines that do not say
   */
  TokenLines(ByteLevelBpe tokenizer, SpecialTokens mode) {
    this.tokenizer = tokenizer;
    this.mode = mode;
  }

  /** Takes one line, without its end. */
  @FunctionalInterface
  interface Sink {
    /** Takes the next line. */
    void accept(String line) throws IOException;
  }

  /**
   * Converts line by line, so that memory does not grow with the file.
   *
   * @param file what errors call it
   * @throws UncheckedIOException if it cannot be read or a line is not of the form; the message
   *     says which. Unchecked, so that it is told from a failure of the sink
   * @throws IOException if the sink fails
   */
  void convert(BufferedReader reader, Path file, Sink sink) throws IOException {
    for (long number = 1; ; number++) {
      String ids;
      try {
        String line = reader.readLine();
        if (line == null) {
          return;
        }
        ids = Arrays.toString(encode(line));
      } catch (LineException e) {
        throw new UncheckedIOException(
            new IOException(file + ", line " + number + ": " + e.getMessage(), e));
      } catch (CharacterCodingException e) {
        throw new UncheckedIOException(
            new IOException(
                file + " is not UTF-8, at or after line " + number + "; convert it first.", e));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      sink.accept("{\"ids\": " + ids + "}");
    }
  }

  private int[] encode(String line) throws LineException {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JacksonException e) {
      throw new LineException("not well-formed JSON, " + JsonComplaint.of(e) + ".", e);
    }
    if (!node.isObject() || !node.path("text").isString()) {
      throw new LineException(
          "expected {\"text\": \"...\"}, found "
              + (node.isObject() ? "no string \"text\"" : node.getNodeType())
              + ".",
          null);
    }
    JsonNode special = node.path("special");
    if (!special.isMissingNode() && !special.isBoolean()) {
      throw new LineException("\"special\" is " + special + ", expected true or false.", null);
    }
    SpecialTokens here =
        special.isMissingNode()
            ? mode
            : special.booleanValue() ? SpecialTokens.ALLOW : SpecialTokens.AS_TEXT;
    try {
      return tokenizer.encodeToIds(node.path("text").stringValue(), here);
    } catch (ForbiddenSpecialTokenException e) {
      throw new LineException(
          "the text holds the special token "
              + e.token()
              + " at character "
              + e.position()
              + "; say \"special\": true or false on that line, or another --special.",
          e);
    }
  }

  /** What is wrong with the line. */
  private static final class LineException extends Exception {
    private static final long serialVersionUID = 1L;

    private LineException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}

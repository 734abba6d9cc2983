package dev.resid.experiments.patch;

import dev.resid.io.AtomicFiles;
import dev.resid.io.JsonComplaint;
import dev.resid.io.ReadFailure;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Two prompts that differ in what a model should say next.
 *
 * @param clean the prompt whose answer is {@code answer}
 * @param corrupted the prompt whose answer is {@code against}
 * @param answer the next word of the clean prompt, with its leading space
 * @param against the next word of the corrupted prompt, with its leading space
 */
public record PromptPair(String clean, String corrupted, String answer, String against) {
  /** Checks that nothing is empty. */
  public PromptPair {
    if (clean.isEmpty() || corrupted.isEmpty() || answer.isEmpty() || against.isEmpty()) {
      throw new IllegalArgumentException(
          "a pair needs a clean prompt, a corrupted one, an answer and another to set against it");
    }
  }

  /**
   * Returns pairs for the model that ships with the library: the subject's gender decides whose
   * something is, four words later. In its tokenizer every prompt has five tokens, subject, verb,
   * article, noun and preposition, and two prompts of a pair differ in the first alone.
   */
  public static List<PromptPair> builtIn() {
    List<PromptPair> pairs = new ArrayList<>();
    for (String rest :
        List.of(
            " opened the door with",
            " closed the book with",
            " took the paper with",
            " left the house with",
            " turned the page with",
            " covered the box with",
            " opened the letter with",
            " took the letter from",
            " put the book in",
            " held the child in",
            " lost the use of",
            " took the money from")) {
      pairs.add(new PromptPair("She" + rest, "He" + rest, " her", " his"));
    }
    return List.copyOf(pairs);
  }

  /**
   * Returns the pairs of a file: one JSON object a line with {@code clean}, {@code corrupted},
   * {@code answer} and {@code against}; empty lines are left out.
   *
   * @throws IOException if the file cannot be read or a line is no pair; the message names the line
   */
  public static List<PromptPair> read(Path file) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (CharacterCodingException e) {
      throw new IOException(file + " is no UTF-8 text", e);
    } catch (IOException e) {
      throw ReadFailure.of(file, e);
    }
    List<PromptPair> pairs = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).isBlank()) {
        pairs.add(parse(lines.get(i), file + ", line " + (i + 1)));
      }
    }
    if (pairs.isEmpty()) {
      throw new IOException(file + " has no pair of prompts");
    }
    return List.copyOf(pairs);
  }

  private static PromptPair parse(String line, String where) throws IOException {
    JsonNode json;
    try {
      json = JsonMapper.shared().readTree(line);
    } catch (JacksonException e) {
      throw new IOException(where + " is not JSON: " + JsonComplaint.of(e), e);
    }
    return new PromptPair(
        text(json, "clean", where),
        text(json, "corrupted", where),
        text(json, "answer", where),
        text(json, "against", where));
  }

  private static String text(JsonNode json, String key, String where) throws IOException {
    JsonNode value = json.path(key);
    if (!value.isString() || value.stringValue().isEmpty()) {
      throw new IOException(
          where
              + " has no text \""
              + key
              + "\"; a line is {\"clean\": ..., \"corrupted\": ..., \"answer\": ..., \"against\":"
              + " ...}");
    }
    return value.stringValue();
  }

  /**
   * Writes pairs as {@link #read} reads them.
   *
   * @throws IOException if the file cannot be written
   */
  public static void write(Path file, List<PromptPair> pairs) throws IOException {
    StringBuilder text = new StringBuilder();
    for (PromptPair pair : pairs) {
      text.append(JsonMapper.shared().writeValueAsString(pair)).append('\n');
    }
    AtomicFiles.write(file, text.toString());
  }
}

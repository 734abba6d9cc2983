package dev.resid.sae.io;

import dev.resid.io.JsonTree;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** An object of a configuration file, read key by key; null is a missing key. */
final class SaeJson {
  private static final int MAX_SHOWN = 60;
  private static final int MAX_LINE = 400;

  private final Path file;
  private final String prefix;
  private final JsonNode node;

  private SaeJson(Path file, String prefix, JsonNode node) {
    this.file = file;
    this.prefix = prefix;
    this.node = node;
  }

  /**
   * Returns the object a file holds.
   *
   * @throws SaeCheckpointException if it is no JSON object
   */
  static SaeJson parse(Path file, byte[] content) throws SaeCheckpointException {
    JsonNode root;
    try {
      root = JsonTree.read(content);
    } catch (JacksonException e) {
      throw new SaeCheckpointException(
          file
              + ": is not valid JSON ("
              + shown(e.getOriginalMessage())
              + "). Correct the file, or fetch it again");
    }
    if (!root.isObject()) {
      throw new SaeCheckpointException(
          file + ": is not a JSON object. Correct the file, or fetch it again");
    }
    return new SaeJson(file, "", root);
  }

  /** Returns the file this came from. */
  Path file() {
    return file;
  }

  /** Returns the keys of this object whose value is not null. */
  Set<String> keys() {
    Set<String> keys = new TreeSet<>(node.propertyNames());
    keys.removeIf(key -> node.get(key).isNull());
    return keys;
  }

  /** Returns whether the key is there and not null. */
  boolean has(String key) {
    JsonNode value = node.path(key);
    return !value.isMissingNode() && !value.isNull();
  }

  Optional<String> text(String key) throws SaeCheckpointException {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!node.path(key).isString()) {
      throw error(key, "is " + value(key) + ", must be a text");
    }
    return Optional.of(node.path(key).asString());
  }

  OptionalInt integer(String key) throws SaeCheckpointException {
    if (!has(key)) {
      return OptionalInt.empty();
    }
    JsonNode value = node.path(key);
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < 0) {
      throw error(key, "is " + value(key) + ", must be a whole number from 0 to 2147483647");
    }
    return OptionalInt.of(value.asInt());
  }

  Optional<Boolean> flag(String key) throws SaeCheckpointException {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!node.path(key).isBoolean()) {
      throw error(key, "is " + value(key) + ", must be true or false");
    }
    return Optional.of(node.path(key).asBoolean());
  }

  /** Returns whether the value is true or false. */
  boolean isFlag(String key) {
    return node.path(key).isBoolean();
  }

  /** Returns the object under a key; an empty one if the key is missing. */
  SaeJson object(String key) throws SaeCheckpointException {
    if (has(key) && !node.path(key).isObject()) {
      throw error(key, "is " + value(key) + ", must be an object");
    }
    JsonNode child = has(key) ? node.path(key) : JsonNodeFactory.instance.objectNode();
    return new SaeJson(file, prefix + key + ".", child);
  }

  /** Returns whether the value is an object. */
  boolean isObject(String key) {
    return node.path(key).isObject();
  }

  /** Returns a value as the file has it, cut if long. */
  String value(String key) {
    return shown(node.path(key).toString());
  }

  /** Refuses a number that is stated and is not the one that the tensors have. */
  void requireOfTensors(String key, int found) throws SaeCheckpointException {
    requireOfTensors(key, integer(key), found);
  }

  /** Refuses a number that the file states, under this key or otherwise, for tensors of another. */
  void requireOfTensors(String key, OptionalInt stated, int found) throws SaeCheckpointException {
    if (stated.isPresent() && stated.getAsInt() != found) {
      throw error(
          key,
          "is "
              + stated.getAsInt()
              + ", but the tensors have "
              + found
              + "; the files do not belong together. Fetch them again");
    }
  }

  /** Returns an exception that names file and key. */
  SaeCheckpointException error(String key, String what) {
    return new SaeCheckpointException(file + ": " + shown(prefix + key) + " " + what);
  }

  /** Returns a text of a file as one that fits a line of an error message. */
  static String shown(String text) {
    return cut(text, MAX_SHOWN);
  }

  /** Returns a message about a file as one line of reasonable length. */
  static String line(String message) {
    return cut(message, MAX_LINE);
  }

  private static String cut(String text, int most) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .limit(most)
        .forEach(
            c -> {
              if (isUnprintable(c)) {
                out.append(String.format("\\u%04x", c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return out.append(text.codePointCount(0, text.length()) > most ? "..." : "").toString();
  }

  private static boolean isUnprintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}

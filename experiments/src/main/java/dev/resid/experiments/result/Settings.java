package dev.resid.experiments.result;

import dev.resid.io.Printable;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Named values in a fixed order: everything that the numbers of a run depend on, or everything that
 * is worth knowing besides. Two settings are equal when their JSON texts are.
 */
public final class Settings {
  private static final JsonMapper JSON = new JsonMapper();

  private final Map<String, JsonNode> values = new LinkedHashMap<>();

  /** How a complaint begins: the file they were read from, or nothing. */
  private final String origin;

  /** Creates settings without values. */
  public Settings() {
    this("");
  }

  private Settings(String origin) {
    this.origin = origin;
  }

  /** Adds a text and returns these settings. */
  public Settings with(String name, String value) {
    return put(name, JSON.getNodeFactory().stringNode(value));
  }

  /** Adds a whole number and returns these settings. */
  public Settings with(String name, long value) {
    return put(name, JSON.getNodeFactory().numberNode(value));
  }

  /** Adds a number and returns these settings. */
  public Settings with(String name, double value) {
    return put(name, JSON.getNodeFactory().numberNode(value));
  }

  /** Adds a list of texts and returns these settings. */
  public Settings with(String name, List<String> value) {
    ArrayNode array = JSON.createArrayNode();
    value.forEach(array::add);
    return put(name, array);
  }

  /** Adds a list of numbers and returns these settings. */
  public Settings with(String name, double... value) {
    ArrayNode array = JSON.createArrayNode();
    for (double v : value) {
      array.add(v);
    }
    return put(name, array);
  }

  /**
   * Returns a copy in which a list has more texts: those of its own first, then those that it does
   * not have yet.
   *
   * @param name of the list, which is added if there is none
   * @param more texts
   */
  Settings withMore(String name, List<String> more) {
    Set<String> all = new LinkedHashSet<>(has(name) ? list(name) : List.of());
    all.addAll(more);
    Settings copy = new Settings(origin);
    copy.values.putAll(values);
    copy.values.remove(name);
    return all.isEmpty() ? copy : copy.with(name, List.copyOf(all));
  }

  private Settings put(String name, JsonNode value) {
    if (values.putIfAbsent(name, value) != null) {
      throw new IllegalArgumentException("setting \"" + name + "\" is given twice");
    }
    return this;
  }

  /** Returns the values as JSON texts by name, in order. */
  public Map<String, String> texts() {
    Map<String, String> texts = new LinkedHashMap<>();
    values.forEach((name, value) -> texts.put(name, value.toString()));
    return Collections.unmodifiableMap(texts);
  }

  /**
   * Returns a text setting.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public String text(String name) {
    return value(name).stringValue();
  }

  /**
   * Returns a whole-number setting.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public long whole(String name) {
    return value(name).longValue();
  }

  /**
   * Returns a number setting.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public double number(String name) {
    return value(name).doubleValue();
  }

  /**
   * Returns a setting that is a list of texts.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public List<String> list(String name) {
    return value(name).valueStream().map(JsonNode::stringValue).toList();
  }

  /**
   * Returns a setting that is a list of numbers.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public double[] numbers(String name) {
    return value(name).valueStream().mapToDouble(JsonNode::doubleValue).toArray();
  }

  /** Returns whether there is a setting of that name. */
  public boolean has(String name) {
    return values.containsKey(name);
  }

  private JsonNode value(String name) {
    JsonNode value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          origin + "there is no setting \"" + name + "\" in " + Printable.line(toString()));
    }
    return value;
  }

  /**
   * Returns how the first setting that differs reads here and there, or nothing if all are equal.
   *
   * @param there other settings
   */
  public Optional<String> firstDifference(Settings there) {
    Map<String, String> mine = texts();
    Map<String, String> other = there.texts();
    for (String name : mine.keySet()) {
      if (!mine.get(name).equals(other.get(name))) {
        return Optional.of(
            name
                + " is "
                + shown(mine.get(name))
                + " here and "
                + shown(other.get(name))
                + " there");
      }
    }
    for (String name : other.keySet()) {
      if (!mine.containsKey(name)) {
        return Optional.of(name + " is not set here and " + shown(other.get(name)) + " there");
      }
    }
    return Optional.empty();
  }

  private static String shown(String value) {
    return value == null
        ? "not set"
        : value.length() <= 60 ? value : value.substring(0, 57) + "...";
  }

  /** Returns the JSON object. */
  ObjectNode toJson() {
    ObjectNode object = JSON.createObjectNode();
    values.forEach(object::set);
    return object;
  }

  /**
   * Returns the settings of a JSON text, as {@link #toString} gives it.
   *
   * @throws IllegalArgumentException if it is no JSON object
   */
  public static Settings parse(String text) {
    try {
      JsonNode json = JSON.readTree(text);
      if (json.isObject()) {
        return of(json);
      }
    } catch (JacksonException e) {
      throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
    }
    throw new IllegalArgumentException("not a JSON object");
  }

  /** Returns the settings of a JSON object. */
  static Settings of(JsonNode object) {
    return of(object, new Settings());
  }

  /**
   * Returns the settings of a JSON object in a file, which complaints then begin with.
   *
   * @param file where it is
   */
  static Settings of(JsonNode object, Path file) {
    return of(object, new Settings(file + ": "));
  }

  private static Settings of(JsonNode object, Settings settings) {
    object.forEachEntry(settings::put);
    return settings;
  }

  /** Returns whether the other settings have the same JSON text. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Settings that && toString().equals(that.toString());
  }

  /** Returns a hash of the JSON text. */
  @Override
  public int hashCode() {
    return toString().hashCode();
  }

  /** Returns the JSON text, the same for the same values. */
  @Override
  public String toString() {
    return toJson().toString();
  }
}

package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Small JSON files as trees: what a mapper would read, and what is refused. */
class JsonTreeTest {
  private static JsonNode read(String text) {
    return JsonTree.read(text.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\": 1, \"b\": [true, false, null], \"c\": {\"d\": \"\\u00e9\\n\", \"e\": {}}}",
        "[2147483647, 2147483648, -9223372036854775808, 9223372036854775808]",
        "[1e-05, 0.1, 1e400, -0.0, 5e-324, 0.30000000000000004]",
        "\"text\"",
        " 3 "
      })
  void isWhatAMapperReads(String text) {
    JsonNode expected = JsonMapper.shared().readTree(text);
    assertEquals(expected, read(text));
    assertEquals(expected.toString(), read(text).toString());
  }

  @Test
  void nothingIsAMissingNode() {
    assertTrue(read("").isMissingNode());
    assertTrue(read(" \n").isMissingNode());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\": 1, \"a\": 2}",
        "{\"a\": 1} 2",
        "{} {}",
        "{\"a\": }",
        "{\"a\": 1",
        "[1, 2",
        "]",
        "[1,]",
        "{'a': 1}",
        "nul"
      })
  void refuses(String text) {
    JacksonException e = assertThrows(JacksonException.class, () -> read(text));
    assertTrue(JsonComplaint.of(e).length() > 10, JsonComplaint.of(e));
  }

  @Test
  void nestingHasALimit() {
    assertTrue(read("[".repeat(64) + "]".repeat(64)).isArray());
    assertThrows(JacksonException.class, () -> read("[".repeat(65) + "]".repeat(65)));
  }
}

package dev.resid.experiments.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ResultTableTest {
  private final ResultTable table =
      new ResultTable(
          List.of(
              new Column("name", Type.TEXT, "What."),
              new Column("rows", Type.WHOLE, "How many."),
              new Column("kl_nats", Type.NUMBER, "How much.")));

  @Test
  void csvQuotesWhatRfc4180Says() {
    table.add("plain", 1L, 0.1);
    table.add("a,b", 2L, 1e-7);
    table.add("say \"hi\"", 3L, -0.0);
    table.add("two\nlines", Long.MAX_VALUE, 1 / 3.0);
    assertEquals(
        """
        name,rows,kl_nats\r
        plain,1,0.1\r
        "a,b",2,1.0E-7\r
        "say ""hi""\",3,-0.0\r
        "two
        lines",9223372036854775807,0.3333333333333333\r
        """,
        table.toCsv());
  }

  @Test
  void jsonHoldsTheSameCells() {
    table.add("x", 7L, 1 / 3.0);
    JsonNode json = new JsonMapper().readTree(table.toJson());
    assertEquals("kl_nats", json.at("/columns/2/name").stringValue());
    assertEquals("number", json.at("/columns/2/type").stringValue());
    assertEquals(7, json.at("/rows/0/1").longValue());
    assertEquals(1 / 3.0, json.at("/rows/0/2").doubleValue());
  }

  @Test
  void cellsOfAnotherTypeAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> table.add("x", 7L));
    assertThrows(IllegalArgumentException.class, () -> table.add("x", 7, 1.0));
    assertThrows(IllegalArgumentException.class, () -> table.add("x", 7L, Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> table.add(1L, 7L, 1.0));
  }

  @Test
  void columnNamesDiffer() {
    Column column = new Column("a", Type.TEXT, "A.");
    assertThrows(IllegalArgumentException.class, () -> new ResultTable(List.of(column, column)));
  }
}

package dev.resid.experiments.reproduce;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.report.Section.Verdict;
import dev.resid.sae.io.SaeCatalogue;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PublishedTableTest {
  private static PublishedNumber number(String printed, Rule rule, int size, double slack) {
    return new PublishedNumber(
        "s", "w", Part.BOS, List.of(), "t", Map.of(), "c", 1, printed, rule, size, slack, "");
  }

  private static Verdict verdict(PublishedNumber number, double value, double error, int size) {
    return new Check(number, Optional.of(new Measured(value, OptionalDouble.of(error), size)))
        .verdict();
  }

  @Test
  void theSaesOfTheTableAreThoseOfTheCatalogue() throws IOException {
    PublishedTable table = PublishedTable.load();
    Map<String, SaeCatalogue.Entry> catalogue =
        SaeCatalogue.load().entries().stream()
            .collect(Collectors.toMap(SaeCatalogue.Entry::name, entry -> entry));
    assertEquals(34, table.saes().size());
    int known = 0;
    for (PublishedSae sae : table.saes()) {
      for (String name : sae.catalogue()) {
        SaeCatalogue.Entry entry = catalogue.get(name);
        assertEquals(entry.point(), sae.point(), name);
        assertEquals(entry.dSae(), sae.dSae(), name);
        known++;
      }
    }
    assertEquals(12 + 6, known);
    List<String> names = table.saes().stream().map(PublishedSae::shortName).distinct().toList();
    assertEquals(34, names.size(), "tables of studies tell SAEs apart by the last part");
  }

  @Test
  void everySaeHasNumbersAndNoNumberStandsTwice() throws IOException {
    PublishedTable table = PublishedTable.load();
    for (PublishedSae sae : table.saes()) {
      assertTrue(table.numbers().stream().anyMatch(n -> n.saes().contains(sae.name())), sae.name());
    }
    List<String> keys =
        table.numbers().stream()
            .map(n -> n.source() + n.part() + " " + n.saes() + n.table() + n.where() + n.column())
            .toList();
    assertEquals(keys.size(), keys.stream().distinct().count());
  }

  @ParameterizedTest
  @CsvSource({
    "EXACT,      12,    0, 0,    12, true",
    "EXACT,      12,    0, 0,    13, false",
    "EXACT,      12,    0, 1,    13, true",
    // Half a unit of the last digit is 0.05, and 2·10⁻⁵ of it 0.0555.
    "ROUNDING,   2775.8, 0, 0,   2775.9, true",
    "ROUNDING,   2775.8, 0, 0,   2775.92, false",
    "ROUNDING,   2775.8, 0, 1,   2776.9, true",
    "ITEMS,      0.266, 1000, 0, 0.2664, true",
    "ITEMS,      0.266, 1000, 0, 0.267, false",
    "ITEMS,      0.266, 1000, 0.001, 0.267, true",
    "SPREAD,     81.59, 0, 0.02, 83.2, true",
    "SPREAD,     81.59, 0, 0.02, 83.3, false",
  })
  void aNumberHoldsWithinItsTolerance(
      Rule rule, String printed, int size, double slack, double measured, boolean holds) {
    assertEquals(
        holds ? Verdict.HOLDS : Verdict.DOES_NOT_HOLD,
        verdict(number(printed, rule, size, slack), measured, 1000, 7));
  }

  @Test
  void aSampleIsJudgedByItsStandardErrorWhereThatDecides() {
    PublishedNumber one = number("1.00", Rule.SAMPLE, 100, 0);
    // 4 · 0.05 · √(1 + 300/100) + 0.005 = 0.405
    assertEquals(Verdict.HOLDS, verdict(one, 1.404, 0.05, 300));
    assertEquals(Verdict.DOES_NOT_HOLD, verdict(one, 1.406, 0.05, 300));
    // 0.505 is more than half of 1: nothing speaks against it, little for it.
    assertEquals(Verdict.UNDECIDED, verdict(one, 1, 0.0625, 300));
    assertEquals(Verdict.DOES_NOT_HOLD, verdict(one, 1.6, 0.0625, 300));
    assertEquals(Verdict.UNDECIDED, verdict(number("1.00", Rule.SHOWN, 0, 0), 1, 0, 1));
    assertEquals(Verdict.UNDECIDED, new Check(one, Optional.empty()).verdict());
    Measured without = new Measured(1, OptionalDouble.empty(), 5);
    assertEquals(Verdict.UNDECIDED, new Check(one, Optional.of(without)).verdict());
    assertEquals(Verdict.DOES_NOT_HOLD, verdict(one, Double.NaN, 0.05, 300));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "what",
        "fact\tlayers\tmany",
        "sae\tname\tfamily\t-\tblocks.1.hook_resid_pre\t48",
        "number\ts\tw\tbos\t-\tclean\t-\tnorm\ttwo\texact\t0\t0\t-",
        "number\ts\tw\tboss\t-\tclean\t-\tnorm\t2\texact\t0\t0\t-",
        "number\ts\tw\tbos\t-\tclean\t-\tnorm\t2\tperhaps\t0\t0\t-",
        "number\ts\tw\tbos\t-\tclean\t-\tnorm\t2\tsample\t0\t0\t-",
        "number\ts\tw\tbos\t-\tclean\tfrom\tnorm\t2\texact\t0\t0\t-"
      })
  void aDamagedLineIsNamed(String line) {
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> PublishedTable.parse("# remark\n" + line + "\n", "numbers.tsv"))
            .getMessage()
            .startsWith("numbers.tsv, line 2: "));
  }

  @Test
  void aNumberAboutAnUnknownSaeIsRefused() {
    String line = "number\ts\tw\tbos\tmy/sae\tclean\t-\tnorm\t2\texact\t0\t0\t-";
    assertThrows(IllegalArgumentException.class, () -> PublishedTable.parse(line, "numbers.tsv"));
  }
}

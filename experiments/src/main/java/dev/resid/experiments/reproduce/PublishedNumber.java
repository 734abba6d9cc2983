package dev.resid.experiments.reproduce;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A number that was published, and where the study that defines it writes the same.
 *
 * @param source where it was published
 * @param what it is, in words
 * @param part whose study measures it
 * @param saes the published SAEs it is about, for which {@code @}, {@code @2} stand in cells; none
 *     where the model alone is enough
 * @param table of the study
 * @param where cells that lines of the table have; several lines are averaged
 * @param column of the table
 * @param scale measured numbers are multiplied by this
 * @param printed as it was published
 * @param rule where the tolerance comes from
 * @param size of the published sample; 0 where that means nothing
 * @param slack that the rule adds
 * @param note why there is that slack; may be empty
 */
public record PublishedNumber(
    String source,
    String what,
    Part part,
    List<String> saes,
    String table,
    Map<String, String> where,
    String column,
    double scale,
    String printed,
    Rule rule,
    int size,
    double slack,
    String note) {
  /** Copies the map. */
  public PublishedNumber {
    saes = List.copyOf(saes);
    where = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(where));
    new BigDecimal(printed);
    if (rule == Rule.SAMPLE && size < 1) {
      throw new IllegalArgumentException(what + ": a sample has a size");
    }
  }

  /** Returns the number. */
  public double value() {
    return Double.parseDouble(printed);
  }

  /** Returns half a unit of the last printed digit. */
  double halfUnit() {
    return new BigDecimal(printed).ulp().doubleValue() / 2;
  }
}

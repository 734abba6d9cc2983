package dev.resid.experiments.reproduce;

import dev.resid.hook.HookPoint;
import dev.resid.io.Printable;
import dev.resid.model.WeightsState;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Published numbers, the SAEs they are about, and facts that hold for all of them.
 *
 * @param facts whole numbers by name: {@code layers} and {@code width} of the model, lengths of
 *     rows, blocks that are perturbed; {@code transformerlens} where the model's weights are
 *     rewritten as TransformerLens does it
 * @param saes the SAEs
 * @param numbers the numbers
 */
public record PublishedTable(
    Map<String, Integer> facts, List<PublishedSae> saes, List<PublishedNumber> numbers) {
  private static final String RESOURCE = "published.tsv";
  private static final String TRANSFORMERLENS = "transformerlens";
  private static final String NOTHING = "-";
  private static final int FACT_COLUMNS = 3;
  private static final int COLUMNS = 13;
  private static final int SAE_COLUMNS = 7;

  /** Copies the lists and checks that the SAEs of numbers are there. */
  public PublishedTable {
    facts = Map.copyOf(facts);
    saes = List.copyOf(saes);
    numbers = List.copyOf(numbers);
    List<String> names = saes.stream().map(PublishedSae::name).toList();
    for (PublishedNumber number : numbers) {
      for (String name : number.saes()) {
        if (!names.contains(name)) {
          throw new IllegalArgumentException(
              number.what() + " names the SAE " + name + ", which is not in the table");
        }
      }
    }
  }

  /**
   * Returns the numbers of this library: those for GPT-2 small with the public SAEs.
   *
   * @throws IOException if the resource cannot be read
   * @source Lee and Heimersheim 2024 (arXiv 2410.12555); Giglemiani, Petrova et al. 2024 (arXiv
   *     2409.15019); Anders and Bloom 2024; outputs of their published notebooks and files
   */
  public static PublishedTable load() throws IOException {
    try (InputStream in = PublishedTable.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IOException("the resource " + RESOURCE + " is missing; rebuild Resid");
      }
      return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), RESOURCE);
    }
  }

  /**
   * Returns the table of a text: lines of tab-separated cells, which begin with {@code fact},
   * {@code sae} or {@code number}; {@code #} begins a remark.
   *
   * @param text the text
   * @param name of the text, for errors
   * @throws IllegalArgumentException if a line is none of these; the message names it
   */
  public static PublishedTable parse(String text, String name) {
    Map<String, Integer> facts = new LinkedHashMap<>();
    List<PublishedSae> saes = new ArrayList<>();
    List<PublishedNumber> numbers = new ArrayList<>();
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      if (lines[i].isBlank() || lines[i].startsWith("#")) {
        continue;
      }
      String[] cells = lines[i].split("\t", -1);
      try {
        switch (cells[0]) {
          case "fact" -> {
            require(cells, FACT_COLUMNS);
            facts.put(cells[1], Integer.parseInt(cells[2]));
          }
          case "sae" -> saes.add(sae(cells));
          case "number" -> numbers.add(number(cells));
          default ->
              throw new IllegalArgumentException("begins with " + Printable.quoted(cells[0]));
        }
      } catch (RuntimeException e) {
        throw new IllegalArgumentException(
            name + ", line " + (i + 1) + ": " + Printable.sentence(String.valueOf(e.getMessage())),
            e);
      }
    }
    try {
      return new PublishedTable(facts, saes, numbers);
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          name + ": " + Printable.sentence(String.valueOf(e.getMessage())), e);
    }
  }

  private static PublishedSae sae(String... cells) {
    require(cells, SAE_COLUMNS);
    return new PublishedSae(
        cells[1],
        cells[2],
        cells[3].equals(NOTHING) ? List.of() : Arrays.asList(cells[3].split(",")),
        HookPoint.parse(cells[4]),
        Integer.parseInt(cells[5]),
        cells[6]);
  }

  private static PublishedNumber number(String... cells) {
    require(cells, COLUMNS);
    Map<String, String> where = new LinkedHashMap<>();
    if (!cells[6].equals(NOTHING)) {
      for (String condition : cells[6].split(";")) {
        int equals = condition.indexOf('=');
        where.put(condition.substring(0, equals), condition.substring(equals + 1));
      }
    }
    String[] column = cells[7].split("\\*");
    String[] rule = cells[9].split(":");
    return new PublishedNumber(
        cells[1],
        cells[2],
        Part.of(cells[3]),
        cells[4].equals(NOTHING) ? List.of() : List.of(cells[4].split(",")),
        cells[5],
        where,
        column[0],
        column.length == 1 ? 1 : Double.parseDouble(column[1]),
        cells[8],
        Rule.of(rule[0]),
        Integer.parseInt(cells[10]),
        Double.parseDouble(cells[11]),
        cells[12].equals(NOTHING) ? "" : cells[12]);
  }

  private static void require(String[] cells, int count) {
    if (cells.length != count) {
      throw new IllegalArgumentException(cells.length + " cells, expected " + count);
    }
  }

  /**
   * Returns a fact.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  int fact(String name) {
    Integer value = facts.get(name);
    if (value == null) {
      throw new IllegalArgumentException("the published numbers state no " + name);
    }
    return value;
  }

  /** Returns the state of the model's weights that the numbers are of. */
  public WeightsState weights() {
    return facts.containsKey(TRANSFORMERLENS) ? WeightsState.TRANSFORMER_LENS : WeightsState.RAW;
  }

  /** Returns the numbers of a part. */
  List<PublishedNumber> of(Part part) {
    return numbers.stream().filter(number -> number.part() == part).toList();
  }
}

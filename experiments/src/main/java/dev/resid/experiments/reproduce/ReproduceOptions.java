package dev.resid.experiments.reproduce;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is checked, and on which files.
 *
 * @param table the published numbers
 * @param saes files of published SAEs
 * @param files by what they are; what is missing cannot be checked
 * @param parts what is run, if its files are there
 * @param shortRows short rows of text that are used at most
 * @param longRows long rows of text that are used at most
 * @param bos the begin-of-text token
 */
public record ReproduceOptions(
    PublishedTable table,
    List<GivenSae> saes,
    Files files,
    List<Part> parts,
    int shortRows,
    int longRows,
    int bos) {
  /** The published number of long rows. */
  public static final int DEFAULT_LONG_ROWS = 100;

  /** A hundredth of the published 16,000 and more, for a machine without a GPU. */
  public static final int DEFAULT_SHORT_ROWS = 256;

  private static final int FEWEST_ROWS = 2;

  /**
   * Files besides the model and SAEs.
   *
   * @param text running text
   * @param tokens rows without a begin-of-text token
   * @param lambada passages
   * @param cbt questions of the Children's Book Test
   */
  public record Files(
      Optional<Path> text, Optional<Path> tokens, Optional<Path> lambada, Optional<Path> cbt) {
    /** Returns no files. */
    public static Files none() {
      return new Files(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** Returns those that are there. */
    Map<Input, Path> given() {
      Map<Input, Path> given = new java.util.EnumMap<>(Input.class);
      text.ifPresent(path -> given.put(Input.TEXT, path));
      tokens.ifPresent(path -> given.put(Input.TOKENS, path));
      lambada.ifPresent(path -> given.put(Input.LAMBADA, path));
      cbt.ifPresent(path -> given.put(Input.CBT, path));
      return given;
    }
  }

  /** Copies the lists. */
  public ReproduceOptions {
    saes = List.copyOf(saes);
    parts = List.copyOf(parts);
    if (parts.isEmpty() || parts.stream().distinct().count() < parts.size()) {
      throw new IllegalArgumentException("parts are at least one and none twice, got " + parts);
    }
    if (shortRows < FEWEST_ROWS || longRows < FEWEST_ROWS) {
      throw new IllegalArgumentException(
          shortRows + " and " + longRows + " rows; intervals need at least 2 of each");
    }
  }

  /** Returns the SAE of a name, if it was given. */
  Optional<GivenSae> sae(String name) {
    return saes.stream().filter(given -> given.published().name().equals(name)).findFirst();
  }

  /** Returns whether all files that a number needs are there, and its part is to be run. */
  boolean canCheck(PublishedNumber number) {
    Input input = number.part().input();
    return parts.contains(number.part())
        && (input == Input.NOTHING || files.given().containsKey(input))
        && number.saes().stream().allMatch(name -> sae(name).isPresent());
  }

  /** Returns the numbers of a part that can be checked. */
  List<PublishedNumber> of(Part part) {
    return table.of(part).stream().filter(this::canCheck).toList();
  }
}

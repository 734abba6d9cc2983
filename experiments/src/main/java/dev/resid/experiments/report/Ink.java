package dev.resid.experiments.report;

/**
 * Colours by the part they play. The hues are told apart by people with any kind of colour
 * blindness.
 *
 * @source Okabe and Ito 2008, "Color Universal Design"
 */
public enum Ink {
  /** Text and axes. */
  TEXT("#1b1b1f"),
  /** Less important text. */
  MUTED("#5c5f66"),
  /** Lines behind the data. */
  GRID("#e3e4e8"),
  /** The background. */
  PAPER("#ffffff"),
  /** Data. */
  BLUE("#0072b2"),
  /** Data. */
  VERMILION("#c94f00"),
  /** Data. */
  GREEN("#008560"),
  /** Data. */
  PURPLE("#a8508b"),
  /** Data. */
  BLACK("#3a3a40");

  private final String hex;

  Ink(String hex) {
    this.hex = hex;
  }

  /** Returns the colour as {@code #rrggbb}. */
  String hex() {
    return hex;
  }

  /** Returns the name that style sheets use. */
  String cssName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}

package dev.resid.experiments.report;

/**
 * Colours by the part they play. The hues are told apart by people with any kind of colour
 * blindness.
 *
 * <p>Steps of an ordered quantity go from dark to light, so that their order survives in grey.
 *
 * @source Okabe and Ito 2008, "Color Universal Design"
 */
public enum Ink implements Colour {
  /** Text and axes. */
  TEXT("#1b1b1f"),
  /** Less important text. */
  MUTED("#5c5f66"),
  /** Lines behind the data. */
  GRID("#e3e4e8"),
  /** The background. */
  PAPER("#ffffff"),
  /** Words on a faint colour, which in the dark is dark. */
  ON_FAINT("#000000"),
  /** Words on a colour of middle strength. */
  ON_MIDDLE("#000000"),
  /** Words on a strong colour, which on white paper is dark. */
  ON_STRONG("#ffffff"),
  /** Data. */
  BLUE("#0072b2"),
  /** Data. */
  VERMILION("#c94f00"),
  /** Data. */
  GREEN("#008560"),
  /** Data. */
  PURPLE("#a8508b"),
  /** Data. */
  BLACK("#3a3a40"),
  /** The lowest step of an ordered quantity. */
  RAMP_1("#3b0f70"),
  /** A step of an ordered quantity. */
  RAMP_2("#46327e"),
  /** A step of an ordered quantity. */
  RAMP_3("#365c8d"),
  /** A step of an ordered quantity. */
  RAMP_4("#277f8e"),
  /** A step of an ordered quantity. */
  RAMP_5("#1fa187"),
  /** A step of an ordered quantity. */
  RAMP_6("#3f9a3c"),
  /** A step of an ordered quantity. */
  RAMP_7("#94970a"),
  /** The highest step of an ordered quantity. */
  RAMP_8("#d08700");

  private final String hex;

  Ink(String hex) {
    this.hex = hex;
  }

  @Override
  public String hex() {
    return hex;
  }

  /** Returns the name that style sheets use. */
  String cssName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}

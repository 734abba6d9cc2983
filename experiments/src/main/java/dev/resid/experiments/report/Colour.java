package dev.resid.experiments.report;

/** What a mark is painted with: a colour of the page, or one between two of them. */
sealed interface Colour permits Ink, Colour.Between {
  /** Returns the colour on white paper as {@code #rrggbb}. */
  String hex();

  /**
   * A colour between two others, for quantities that are not steps.
   *
   * @param from at part 0
   * @param to at part 1
   * @param part from 0 to 1
   */
  record Between(Ink from, Ink to, double part) implements Colour {
    /** Inks of an ordered quantity, the lowest first. */
    private static final Ink[] RAMP = {
      Ink.RAMP_1, Ink.RAMP_2, Ink.RAMP_3, Ink.RAMP_4, Ink.RAMP_5, Ink.RAMP_6, Ink.RAMP_7, Ink.RAMP_8
    };

    /** Returns the colour of a part of the range of an ordered quantity, 0 its lowest number. */
    static Between ramp(double part) {
      double at = Math.clamp(part, 0.0, 1.0) * (RAMP.length - 1);
      int step = Math.min((int) at, RAMP.length - 2);
      return new Between(RAMP[step], RAMP[step + 1], at - step);
    }

    @Override
    public String hex() {
      int low = Integer.parseInt(from.hex().substring(1), 16);
      int high = Integer.parseInt(to.hex().substring(1), 16);
      int mixed = 0;
      for (int shift = 16; shift >= 0; shift -= 8) {
        int a = low >> shift & 255;
        int b = high >> shift & 255;
        mixed |= (int) Math.round(a + part * (b - a)) << shift;
      }
      return String.format(java.util.Locale.ROOT, "#%06x", mixed);
    }

    /** Returns the colour for a style sheet, which has other colours in the dark. */
    String css() {
      return String.format(
          java.util.Locale.ROOT,
          "color-mix(in srgb,var(--%s) %.0f%%,var(--%s))",
          to.cssName(),
          100 * part,
          from.cssName());
    }
  }
}

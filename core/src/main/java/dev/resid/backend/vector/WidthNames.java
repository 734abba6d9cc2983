package dev.resid.backend.vector;

/** How {@link WidthLoader} tells the classes it loads their vector width. */
final class WidthNames {
  private static final String PREFIX = "resid-vector-";

  private WidthNames() {}

  static String nameOf(int bits) {
    return PREFIX + bits;
  }

  /** Returns the width in a loader's name; 0 if it is not one of these loaders. */
  static int bitsOf(String loaderName) {
    return loaderName != null && loaderName.startsWith(PREFIX)
        ? Integer.parseInt(loaderName.substring(PREFIX.length()))
        : 0;
  }
}

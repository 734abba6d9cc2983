package dev.resid.experiments.direction;

/**
 * A direction of a sweep by name: a baseline, one that a named SAE gives, or one of the caller's
 * own.
 */
public sealed interface SweptDirection {
  /**
   * Returns the name in records: {@code isotropic}, {@code sae-error:NAME}, or {@code own:NAME}.
   */
  String name();

  /** Returns the kind without the SAE, for example {@code isotropic} or {@code sae-error}. */
  String kindName();

  /** Returns the SAE's name, or an empty text. */
  String saeName();

  /**
   * Returns the direction of a name. One of the caller's own is known by its name alone then: its
   * results can be read and merged, but nothing can be drawn.
   *
   * @throws IllegalArgumentException if there is no such kind
   */
  static SweptDirection of(String name) {
    int colon = name.indexOf(':');
    if (colon < 0) {
      return new Baseline(DirectionKind.of(name));
    }
    String rest = name.substring(colon + 1);
    return name.startsWith(Own.KIND)
        ? own(
            rest,
            place -> {
              throw new IllegalStateException(
                  name + " is a name alone here; its rule is in the program that ran it");
            })
        : new OfSae(SaeDirectionKind.of(name.substring(0, colon)), rest);
  }

  /**
   * Returns a family of the caller's own.
   *
   * @param word what settings, tables and figures call it: settings hold the word and not the rule,
   *     so another rule needs another word, parameters of the rule included
   * @param rule gives the vectors
   * @throws IllegalArgumentException if the word is blank, of several lines or has a colon
   */
  static SweptDirection own(String word, DirectionRule rule) {
    return new Own(new Direction.Own(word, rule));
  }

  /**
   * A direction that needs no SAE.
   *
   * @param kind which
   */
  record Baseline(DirectionKind kind) implements SweptDirection {
    @Override
    public String name() {
      return kind.word();
    }

    @Override
    public String kindName() {
      return kind.word();
    }

    @Override
    public String saeName() {
      return "";
    }
  }

  /**
   * A direction of an SAE.
   *
   * @param kind which
   * @param sae the SAE's name
   */
  record OfSae(SaeDirectionKind kind, String sae) implements SweptDirection {
    @Override
    public String name() {
      return kind.word() + ":" + sae;
    }

    @Override
    public String kindName() {
      return kind.word();
    }

    @Override
    public String saeName() {
      return sae;
    }
  }

  /**
   * A family of the caller's own. Two of one name are equal, since the name is what results know.
   *
   * @param direction name and rule
   */
  record Own(Direction.Own direction) implements SweptDirection {
    private static final String KIND = "own:";

    @Override
    public String name() {
      return direction.name();
    }

    @Override
    public String kindName() {
      return direction.name();
    }

    @Override
    public String saeName() {
      return "";
    }

    /** Returns true if the other is one of the same name. */
    @Override
    public boolean equals(Object other) {
      return other instanceof Own that && name().equals(that.name());
    }

    /** Returns a hash of the name. */
    @Override
    public int hashCode() {
      return name().hashCode();
    }
  }
}

package dev.resid.experiments.direction;

/** A direction of a sweep by name: a baseline, or one that a named SAE gives. */
public sealed interface SweptDirection {
  /** Returns the name in records: {@code isotropic}, or {@code sae-error:NAME}. */
  String name();

  /** Returns the kind without the SAE, for example {@code isotropic} or {@code sae-error}. */
  String kindName();

  /** Returns the SAE's name, or an empty text. */
  String saeName();

  /**
   * Returns the direction of a name.
   *
   * @throws IllegalArgumentException if there is no such kind
   */
  static SweptDirection of(String name) {
    int colon = name.indexOf(':');
    return colon < 0
        ? new Baseline(DirectionKind.of(name))
        : new OfSae(SaeDirectionKind.of(name.substring(0, colon)), name.substring(colon + 1));
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
}

package dev.resid.model;

import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which rewritings a model's weights have gone through.
 *
 * @param applied the rewritings
 */
public record WeightsState(Set<WeightTransform> applied) {
  /** The numbers of the checkpoint. */
  public static final WeightsState RAW = new WeightsState(Set.of());

  /** All four rewritings. */
  public static final WeightsState TRANSFORMER_LENS =
      new WeightsState(EnumSet.allOf(WeightTransform.class));

  /** Copies the set. */
  public WeightsState {
    applied = applied.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(applied));
  }

  /**
   * Returns this state after one more rewriting.
   *
   * @throws IllegalStateException if it was already applied
   */
  public WeightsState after(WeightTransform transform) {
    if (applied.contains(transform)) {
      throw new IllegalStateException(
          transform
              + " was already applied to these weights ("
              + name()
              + "); applying it twice would corrupt them. Load the checkpoint again");
    }
    EnumSet<WeightTransform> more = EnumSet.of(transform);
    more.addAll(applied);
    return new WeightsState(more);
  }

  /** Returns {@code raw}, {@code transformerlens}, or the rewritings joined by {@code +}. */
  public String name() {
    if (applied.isEmpty()) {
      return "raw";
    }
    if (equals(TRANSFORMER_LENS)) {
      return "transformerlens";
    }
    return EnumSet.copyOf(applied).stream()
        .map(t -> t.name().toLowerCase(java.util.Locale.ROOT))
        .collect(Collectors.joining("+"));
  }
}

package dev.resid.sae;

import java.util.ArrayList;
import java.util.List;

/**
 * What an SAE does in a forward pass: a value, which may be used for several SAEs and passes.
 *
 * <pre>{@code
 * Splice steered = Splice.of(SpliceMode.WITH_ERROR).edited(FeatureEdits.steer(1234, 20));
 * gpt2.forward(tokens, Sae.hooks(gpt2, steered, sae));
 * }</pre>
 *
 * @param mode with or without what the reconstruction misses
 * @param edits changes of features, in this order
 * @param observers who sees what passes through
 */
public record Splice(SpliceMode mode, List<FeatureEdit> edits, List<SpliceObserver> observers) {
  /** Copies the lists. */
  public Splice {
    edits = List.copyOf(edits);
    observers = List.copyOf(observers);
  }

  /** Returns a splice without edits and observers. */
  public static Splice of(SpliceMode mode) {
    return new Splice(mode, List.of(), List.of());
  }

  /**
   * Returns this splice with more edits.
   *
   * @param more done after those there are, in this order
   */
  public Splice edited(FeatureEdit... more) {
    List<FeatureEdit> all = new ArrayList<>(edits);
    all.addAll(List.of(more));
    return new Splice(mode, all, observers);
  }

  /**
   * Returns this splice with more observers.
   *
   * @param more see what passes through after those there are
   */
  public Splice observed(SpliceObserver... more) {
    List<SpliceObserver> all = new ArrayList<>(observers);
    all.addAll(List.of(more));
    return new Splice(mode, edits, all);
  }
}

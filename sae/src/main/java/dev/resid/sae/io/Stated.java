package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.model.WeightsState;
import java.util.Optional;

/**
 * What the caller knows about an SAE and its files may not state.
 *
 * @param point the activation it reads; also picks one of several SAEs in a file
 * @param weights the state of the model's weights it was trained on
 */
public record Stated(Optional<HookPoint> point, Optional<WeightsState> weights) {
  /** Returns a statement of nothing: what the files state must do. */
  public static Stated nothing() {
    return new Stated(Optional.empty(), Optional.empty());
  }

  /** Returns this statement with the activation that the SAE reads. */
  public Stated at(HookPoint hookPoint) {
    return new Stated(Optional.of(hookPoint), weights);
  }

  /** Returns this statement with the state of the model's weights it was trained on. */
  public Stated on(WeightsState state) {
    return new Stated(point, Optional.of(state));
  }
}

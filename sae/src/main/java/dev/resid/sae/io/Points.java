package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.model.WeightsState;
import java.nio.file.Path;
import java.util.Optional;

/** Brings what files state together with what the caller states. */
final class Points {
  private Points() {}

  /**
   * Returns the activation an SAE reads.
   *
   * @param file what error messages name
   * @param found what the files state
   * @param stated what the caller states
   * @throws SaeCheckpointException if nobody states it, or they contradict each other
   */
  static HookPoint settle(Path file, Optional<HookPoint> found, Stated stated)
      throws SaeCheckpointException {
    if (found.isPresent() && stated.point().isPresent() && !found.equals(stated.point())) {
      throw new SaeCheckpointException(
          file
              + ": the SAE reads "
              + found.get()
              + ", not "
              + stated.point().get()
              + " as was stated. Leave the statement out");
    }
    Optional<HookPoint> point = found.or(stated::point);
    if (point.isEmpty()) {
      throw new SaeCheckpointException(
          file
              + ": nothing states which activation this SAE reads. State it, for example with --at"
              + " blocks.6.hook_resid_pre");
    }
    return point.get();
  }

  /**
   * Returns the state of the model's weights; nothing if nobody states it.
   *
   * @param file what error messages name
   * @param found what the files state
   * @param stated what the caller states
   * @throws SaeCheckpointException if they contradict each other
   */
  static Optional<WeightsState> settle(
      Path file, Optional<WeightsState> found, Optional<WeightsState> stated)
      throws SaeCheckpointException {
    if (found.isPresent() && stated.isPresent() && !found.equals(stated)) {
      throw new SaeCheckpointException(
          file
              + ": the SAE was trained on "
              + found.get().name()
              + " weights, not on "
              + stated.get().name()
              + " ones as was stated. Leave the statement out");
    }
    return found.or(() -> stated);
  }

  /** What to say about a name that {@link #parse} does not know. */
  static final String UNKNOWN =
      ", and no activation has this name. Use TransformerLens' name, for example"
          + " blocks.6.hook_resid_pre";

  /** Returns the activation of a TransformerLens name, if there is one. */
  static Optional<HookPoint> parse(String name) {
    try {
      return Optional.of(HookPoint.parse(name));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Returns the last part of a path, which is what people call an SAE. */
  static String nameOf(Path path) {
    Path name = path.normalize().toAbsolutePath().getFileName();
    return name == null ? path.toString() : name.toString();
  }
}

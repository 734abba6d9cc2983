package dev.resid.experiments.sensitivity;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;

/** Which positions of a row are perturbed. */
public sealed interface Moved {
  /** Every one at once, the first included, as in the publication. */
  record All() implements Moved {}

  /** Every one but the first, whose activation is far larger than all others in GPT-2. */
  record WithoutFirst() implements Moved {}

  /**
   * One alone, which is then read alone too.
   *
   * @param position counted from 0
   */
  record One(int position) implements Moved {
    /** Checks the range. */
    public One {
      if (position < 0) {
        throw new IllegalArgumentException("position is " + position + ", must be at least 0");
      }
    }
  }

  /**
   * Returns the positions of a text.
   *
   * @param text {@code all}, {@code without-first}, or a number from 0
   * @throws IllegalArgumentException if it is anything else
   */
  static Moved parse(String text) {
    return switch (text) {
      case "all" -> new All();
      case "without-first" -> new WithoutFirst();
      default -> {
        try {
          yield new One(Integer.parseInt(text));
        } catch (NumberFormatException e) {
          throw new IllegalArgumentException(
              "\"" + text + "\" are no positions; write all, without-first, or a number from 0", e);
        }
      }
    };
  }

  /** Returns what {@link #parse} reads. */
  default String text() {
    return switch (this) {
      case All all -> "all";
      case WithoutFirst rest -> "without-first";
      case One one -> String.valueOf(one.position());
    };
  }

  /** Returns which positions these are, in words. */
  default String words() {
    return switch (this) {
      case All all -> "every position of a row at once";
      case WithoutFirst rest -> "every position of a row but the first at once";
      case One one -> "position " + one.position() + " alone";
    };
  }

  /**
   * Returns directions without those of positions that stay as they are.
   *
   * @param unit [batch, pos, d_model]
   */
  default Tensor of(Tensor unit) {
    return switch (this) {
      case All all -> unit;
      case WithoutFirst rest -> unit.with(Axis.POS, 0, unit.at(Axis.POS, 0).times(0));
      case One one -> {
        Tensor none = unit.times(0);
        yield one.position() < unit.shape().size(Axis.POS)
            ? none.with(Axis.POS, one.position(), unit.at(Axis.POS, one.position()))
            : none;
      }
    };
  }
}

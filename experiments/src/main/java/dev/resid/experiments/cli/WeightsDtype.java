package dev.resid.experiments.cli;

import dev.resid.io.DType;
import java.util.Locale;

/** Dtypes in which trained weights can be written. */
enum WeightsDtype {
  /** 32 bits. */
  F32(DType.F32),
  /** 16 bits, IEEE 754. */
  F16(DType.F16),
  /** 16 bits, the upper half of F32. */
  BF16(DType.BF16);

  private final DType stored;

  WeightsDtype(DType stored) {
    this.stored = stored;
  }

  /** Returns how files call it. */
  DType stored() {
    return stored;
  }

  /** Returns the name as it is typed; help and messages of picocli show it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}

package dev.resid.io;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * How numbers are stored in a tensor file, by their safetensors names. The constants stand in the
 * order of the reference implementation, which is the order its writer sorts tensors by: increasing
 * alignment.
 */
public enum DType {
  /** One byte, 0 or 1. */
  BOOL(8, Kind.INTEGER),
  /** Four-bit float, two to a byte. */
  F4(4, Kind.OPAQUE),
  /** Six-bit float with two exponent bits. */
  F6_E2M3(6, Kind.OPAQUE),
  /** Six-bit float with three exponent bits. */
  F6_E3M2(6, Kind.OPAQUE),
  /** Unsigned byte. */
  U8(8, Kind.INTEGER),
  /** Signed byte. */
  I8(8, Kind.INTEGER),
  /** Eight-bit float with five exponent bits. */
  F8_E5M2(8, Kind.OPAQUE),
  /** Eight-bit float with four exponent bits. */
  F8_E4M3(8, Kind.OPAQUE),
  /** Eight exponent bits: a scale. */
  F8_E8M0(8, Kind.OPAQUE),
  /** {@link #F8_E4M3} without negative zero. */
  F8_E4M3FNUZ(8, Kind.OPAQUE),
  /** {@link #F8_E5M2} without negative zero. */
  F8_E5M2FNUZ(8, Kind.OPAQUE),
  /** Signed 16-bit integer. */
  I16(16, Kind.INTEGER),
  /** Unsigned 16-bit integer. */
  U16(16, Kind.INTEGER),
  /** IEEE half precision. */
  F16(16, Kind.FLOAT),
  /** The upper half of a float32. */
  BF16(16, Kind.FLOAT),
  /** Signed 32-bit integer. */
  I32(32, Kind.INTEGER),
  /** Unsigned 32-bit integer. */
  U32(32, Kind.INTEGER),
  /** IEEE single precision. */
  F32(32, Kind.FLOAT),
  /** Two float32: real and imaginary part. */
  C64(64, Kind.OPAQUE),
  /** IEEE double precision. */
  F64(64, Kind.FLOAT),
  /** Signed 64-bit integer. */
  I64(64, Kind.INTEGER),
  /** Unsigned 64-bit integer. */
  U64(64, Kind.INTEGER);

  private enum Kind {
    INTEGER,
    FLOAT,
    OPAQUE
  }

  private static final Map<String, DType> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toMap(DType::name, Function.identity()));

  private final int bits;
  private final Kind kind;

  DType(int bits, Kind kind) {
    this.bits = bits;
    this.kind = kind;
  }

  /** Returns the bits of one value: 4, 6, 8, 16, 32 or 64. */
  public int bits() {
    return bits;
  }

  /** Returns whether values can be read as float32 or float64: F16, BF16, F32 and F64. */
  public boolean isFloat() {
    return kind == Kind.FLOAT;
  }

  /** Returns whether values can be read as integers: BOOL and all U and I types. */
  public boolean isInteger() {
    return kind == Kind.INTEGER;
  }

  /**
   * Returns the dtype of a safetensors name, or nothing for an unknown one.
   *
   * @param name for example {@code BF16}; upper case, as in the file
   */
  static Optional<DType> named(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  /** Returns the bytes of one value; meaningful from 8 bits up. */
  int bytes() {
    return bits / 8;
  }
}

package dev.resid.io;

/** The values of one tensor in row-major order, converted as they are read. */
interface Numbers {
  /** Returns how many values there are. */
  long count();

  /** Copies values of a float dtype as float32; float64 is rounded to nearest. */
  void floats(long offset, float[] target, int at, int length);

  /** Copies values of a float dtype as float64, exactly. */
  void doubles(long offset, double[] target, int at, int length);

  /** Copies values of an integer dtype; U64 above 2^63-1 comes out negative. */
  void longs(long offset, long[] target, int at, int length);
}

package dev.resid.backend.vector;

import java.util.concurrent.atomic.AtomicLong;

// Until the compiler has made vector instructions of a loop, every vector is an object and every
// operation on it a call that goes through several others. A program that computes a few tokens and
// ends never gets beyond that: the first pass of 8 tokens of GPT-2 small took four fifths of its
// time there, part of it in compiling methods of the Vector API that compiled kernels never call.
// So small operations begin without vectors, in loops over arrays that are compiled in
// milliseconds (PlainKernels, PlainProduct), and give the same bits. What that costs is
// estimated and counted; after a second the vectors take over.
final class FirstPasses {
  /** For the whole program, since what is compiled is so too: a second of processor time. */
  static final FirstPasses OF_THE_PROGRAM = new FirstPasses(1_000_000_000L);

  // More rows than these are a program's that will go on for longer.
  private static final int MOST_ROWS = 64;

  private final AtomicLong left;

  /**
   * @param nanos processor time that operations without vectors may take in all
   */
  FirstPasses(long nanos) {
    left = new AtomicLong(nanos);
  }

  /**
   * Returns whether an operation is to be computed without vectors, and counts it if so.
   *
   * @param rows of it
   * @param nanos about what that takes, once compiled
   */
  boolean take(int rows, double nanos) {
    if (rows > MOST_ROWS || left.get() < nanos) {
      return false;
    }
    left.addAndGet(-(long) nanos);
    return true;
  }
}

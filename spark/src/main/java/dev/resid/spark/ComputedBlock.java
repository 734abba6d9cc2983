package dev.resid.spark;

import java.io.Serializable;

/**
 * What comes back from an executor.
 *
 * @param block its number
 * @param values [rows of the block, values per row]
 * @param elapsedNanos how long it took to compute
 */
record ComputedBlock(int block, double[][] values, long elapsedNanos) implements Serializable {}

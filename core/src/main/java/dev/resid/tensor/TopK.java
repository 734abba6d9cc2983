package dev.resid.tensor;

/**
 * The largest entries of every row, in descending order; equal values in ascending index order.
 *
 * @param k entries a row
 * @param indices positions in the row, [row, k] row-major
 * @param values their values, [row, k] row-major
 */
public record TopK(int k, int[] indices, float[] values) {}

/**
 * The CPU backend on the Vector API, the only package that imports {@code jdk.incubator.vector}.
 * Start at {@link dev.resid.backend.vector.VectorBackend}; the matrix product is in {@code
 * MatrixProduct} and {@code MicroKernel}. May depend on {@code tensor} and {@code backend}.
 */
package dev.resid.backend.vector;

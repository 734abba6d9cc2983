/**
 * The reference backend: plain loops with float64 sums, one thread. Start at {@link
 * dev.resid.backend.scalar.ScalarBackend}, which hands each kernel to the class of its concern.
 * Other backends are tested against it. May depend on {@code tensor} and {@code backend}.
 */
package dev.resid.backend.scalar;

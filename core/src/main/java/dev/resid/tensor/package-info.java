/**
 * Tensors with named axes, and {@link dev.resid.tensor.Backend}, the one interface a backend
 * implements. Start at {@link dev.resid.tensor.Tensor}. Depends on nothing but the JDK.
 */
package dev.resid.tensor;

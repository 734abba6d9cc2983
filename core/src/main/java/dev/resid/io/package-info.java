/**
 * Files that hold tensors. Start at {@link dev.resid.io.Safetensors}. A damaged file throws {@link
 * dev.resid.io.TensorFileException}, whatever its bytes. May depend on {@code tensor} and the JSON
 * parser.
 */
package dev.resid.io;

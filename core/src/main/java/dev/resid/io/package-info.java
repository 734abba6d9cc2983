/**
 * Files that hold tensors. Start at {@link dev.resid.io.TensorFile} to read (safetensors, npy, npz,
 * PyTorch), at {@link dev.resid.io.SafetensorsWriter} to write; everything else that writes a file
 * does it through {@link dev.resid.io.AtomicFiles}. A damaged file throws {@link
 * dev.resid.io.TensorFileException}, whatever its bytes. May depend on {@code tensor} and the JSON
 * parser.
 */
package dev.resid.io;

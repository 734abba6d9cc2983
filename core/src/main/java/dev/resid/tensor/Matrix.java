package dev.resid.tensor;

/**
 * A weight matrix [in, out] in the layout its backend multiplies fastest with. Made by {@link
 * Backend#pack} or {@link Backend#packTransposed}; belongs to that backend.
 */
public interface Matrix {
  /** Returns the logical shape [in, out]. */
  Shape shape();

  /** Returns the values as an ordinary row-major tensor [in, out], a copy. */
  Tensor toTensor();

  /** Returns the bytes this matrix occupies. */
  long bytes();
}

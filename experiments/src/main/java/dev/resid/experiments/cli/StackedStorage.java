package dev.resid.experiments.cli;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Dim;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Tensors one after the other, read as one without copying them together. The whole may have more
 * values than a Java array holds.
 */
final class StackedStorage implements Storage {
  private final List<Tensor> parts;
  private final long size;

  private StackedStorage(List<Tensor> parts) {
    this.parts = List.copyOf(parts);
    this.size = parts.stream().mapToLong(Tensor::elements).sum();
  }

  /**
   * Returns the rows of all tensors.
   *
   * @param parts [batch, ...], equal but for their batch
   */
  static Tensor rows(List<Tensor> parts) {
    int rows = parts.stream().mapToInt(part -> part.shape().size(Axis.BATCH)).sum();
    return Tensor.on(parts.getFirst().shape().with(Axis.BATCH, rows), new StackedStorage(parts));
  }

  /**
   * Returns the tensors along a new first axis.
   *
   * @param axis its name
   * @param parts of one shape
   */
  static Tensor along(Axis axis, List<Tensor> parts) {
    List<Dim> dims = new ArrayList<>(parts.getFirst().shape().dims());
    dims.addFirst(new Dim(axis, parts.size()));
    return Tensor.on(new Shape(dims), new StackedStorage(parts));
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long offset, float[] target, int targetOffset, int length) {
    Objects.checkFromIndexSize(offset, length, size);
    long before = 0;
    int done = 0;
    for (Tensor part : parts) {
      long end = before + part.elements();
      if (done < length && offset + done < end) {
        int count = (int) Math.min(length - done, end - (offset + done));
        part.storage().read(offset + done - before, target, targetOffset + done, count);
        done += count;
      }
      before = end;
    }
  }
}

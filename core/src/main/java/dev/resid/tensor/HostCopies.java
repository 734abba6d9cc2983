package dev.resid.tensor;

/** Copies between ranges of host tensors. */
final class HostCopies {
  private HostCopies() {}

  static void insert(Tensor part, Axis axis, int first, Tensor whole) {
    Runs runs = Runs.of(part, axis, first, whole);
    float[] from = array(part);
    float[] to = array(whole);
    for (int o = 0; o < runs.outer; o++) {
      System.arraycopy(from, o * runs.partRun, to, o * runs.wholeRun + runs.offset, runs.partRun);
    }
  }

  static void extract(Tensor whole, Axis axis, int first, Tensor part) {
    Runs runs = Runs.of(part, axis, first, whole);
    float[] from = array(whole);
    float[] to = array(part);
    for (int o = 0; o < runs.outer; o++) {
      System.arraycopy(from, o * runs.wholeRun + runs.offset, to, o * runs.partRun, runs.partRun);
    }
  }

  private static float[] array(Tensor tensor) {
    if (tensor.storage() instanceof HostStorage host) {
      return host.array();
    }
    throw new IllegalArgumentException(
        "expected a tensor on the host, found " + tensor.storage().getClass().getSimpleName());
  }

  /** Contiguous runs of both tensors along an axis, in elements. */
  private record Runs(int outer, int partRun, int wholeRun, int offset) {
    static Runs of(Tensor part, Axis axis, int first, Tensor whole) {
      int index = whole.shape().indexOf(axis);
      int count = part.shape().size(axis);
      int size = whole.shape().size(axis);
      if (!part.shape().with(axis, size).equals(whole.shape())
          || first < 0
          || first + count > size) {
        throw new ShapeMismatchException(
            part.shape() + " does not fit into " + whole.shape() + " at " + axis + " " + first);
      }
      long inner = 1;
      for (int i = index + 1; i < whole.shape().rank(); i++) {
        inner *= whole.shape().dims().get(i).size();
      }
      int outer = size == 0 ? 0 : Math.toIntExact(whole.elements() / Math.max(1, inner * size));
      return new Runs(
          outer,
          Math.toIntExact(count * inner),
          Math.toIntExact(size * inner),
          Math.toIntExact(first * inner));
    }
  }
}

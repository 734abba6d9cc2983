package dev.resid.backend.cuda;

import static dev.resid.tensor.OperandChecks.requireElements;

import dev.resid.tensor.Axis;
import dev.resid.tensor.HostStorage;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;

/** Copies within a device and between it and the host: see {@code elements.cu}. */
final class CopyKernels {
  private final Calls calls;

  CopyKernels(Calls calls) {
    this.calls = calls;
  }

  void copy(Tensor from, Tensor to) {
    requireElements("the target of copy", to, from.elements());
    if (to.storage() instanceof HostStorage host) {
      from.storage().read(0, host.array(), 0, Math.toIntExact(from.elements()));
    } else {
      calls.run(call -> call.copy(from, call.out("the target of copy", to)));
    }
  }

  void clear(Tensor target) {
    calls.run(call -> call.clear(call.out("target", target), target.elements()));
  }

  void insert(Tensor part, Axis axis, int first, Tensor whole) {
    Runs runs = Runs.of(part, axis, first, whole);
    calls.run(
        call ->
            call.launch("resid_copy_runs")
                .pointer(call.in(part))
                .number(runs.partRun)
                .pointer(call.inOut("whole", whole) + runs.offset * Float.BYTES)
                .number(runs.wholeRun)
                .number(runs.partRun)
                .elements(part.elements()));
  }

  void extract(Tensor whole, Axis axis, int first, Tensor part) {
    Runs runs = Runs.of(part, axis, first, whole);
    calls.run(
        call ->
            call.launch("resid_copy_runs")
                .pointer(call.in(whole) + runs.offset * Float.BYTES)
                .number(runs.wholeRun)
                .pointer(call.out("part", part))
                .number(runs.partRun)
                .number(runs.partRun)
                .elements(part.elements()));
  }

  /** Runs of both tensors along an axis, in elements. */
  private record Runs(long partRun, long wholeRun, long offset) {
    static Runs of(Tensor part, Axis axis, int first, Tensor whole) {
      int count = part.shape().size(axis);
      int size = whole.shape().size(axis);
      if (!part.shape().with(axis, size).equals(whole.shape())
          || first < 0
          || first + count > size) {
        throw new ShapeMismatchException(
            part.shape() + " does not fit into " + whole.shape() + " at " + axis + " " + first);
      }
      long inner = 1;
      for (int i = whole.shape().indexOf(axis) + 1; i < whole.shape().rank(); i++) {
        inner *= whole.shape().dims().get(i).size();
      }
      return new Runs(count * inner, size * inner, first * inner);
    }
  }
}

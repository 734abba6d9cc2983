package dev.resid.model;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.At;
import dev.resid.hook.Capture;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Replace;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Carries out the hooks of one call and gathers what they capture. */
final class Hooks {
  private final HookPlan plan;
  private final Backend backend;
  private final int[] rowEnds;
  private final Map<HookPoint, Tensor> captured = new HashMap<>();

  /**
   * Prepares one call.
   *
   * @param rowEnds position after the last token of every row, for clearing what is past it
   */
  Hooks(HookPlan plan, Backend backend, int[] rowEnds) {
    this.plan = plan;
    this.backend = backend;
    this.rowEnds = rowEnds;
  }

  boolean has(Site site, int layer) {
    return plan.has(site, layer);
  }

  HookPlan plan() {
    return plan;
  }

  ActivationCache cache() {
    return new ActivationCache(captured);
  }

  /** Returns the value the pass goes on with. */
  Tensor at(Site site, int layer, int first, Tensor value, PassMemory memory) {
    List<Hook> here = plan.at(site, layer);
    Tensor current = value;
    for (Hook hook : here) {
      switch (hook) {
        case Capture(HookPoint point, var positions) ->
            captured.put(
                point, select(current, positions.in(current.shape().size(Axis.POS)), first));
        case Replace(HookPoint point, var intervention) -> {
          Tensor given = Tensor.wrap(current.shape(), current.toArray());
          Tensor returned = intervention.apply(given, new At(point, first));
          if (returned == null || !returned.shape().equals(current.shape())) {
            throw new ShapeMismatchException(
                "the intervention at "
                    + point
                    + " returned "
                    + (returned == null ? "null" : returned.shape().toString())
                    + ", expected "
                    + current.shape());
          }
          if (returned != given) {
            Tensor changed = memory.take(current.shape());
            backend.copy(returned, changed);
            memory.done(current);
            current = changed;
          }
        }
      }
    }
    return current;
  }

  /** Copies the chosen positions; those past the end of a row become 0. */
  private Tensor select(Tensor value, int[] positions, int first) {
    Shape shape = value.shape();
    int axis = shape.indexOf(Axis.POS);
    int pos = shape.size(Axis.POS);
    int inner = 1;
    for (int i = axis + 1; i < shape.rank(); i++) {
      inner *= shape.dims().get(i).size();
    }
    int outer = Math.toIntExact(shape.elements() / Math.max(1, (long) inner * pos));
    int perRow = outer / Math.max(1, shape.size(Axis.BATCH));
    float[] from = value.toArray();
    float[] to = new float[Math.toIntExact(shape.with(Axis.POS, positions.length).elements())];
    for (int o = 0; o < outer; o++) {
      int end = rowEnds[o / perRow];
      for (int p = 0; p < positions.length; p++) {
        int start = (o * positions.length + p) * inner;
        if (first + positions[p] < end) {
          System.arraycopy(from, (o * pos + positions[p]) * inner, to, start, inner);
        } else {
          Arrays.fill(to, start, start + inner, 0);
        }
      }
    }
    return Tensor.wrap(shape.with(Axis.POS, positions.length), to);
  }
}

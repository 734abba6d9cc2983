package org.example.heads;

import dev.resid.model.Gpt2;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;

// docs:begin
/** Unit vectors that one attention head can write: g·W_O / ‖g·W_O‖ with g ~ N(0, I). */
final class HeadDirections {
  private final Tensor W_O;
  private final int head;
  private final CounterRandom random;

  HeadDirections(Gpt2 gpt2, int layer, int head, long seed) {
    Tensor all = gpt2.weights().lens(Weight.of(WeightNames.W_O, layer)); // [head, d_head, d_model]
    this.W_O = all.at(Axis.HEAD, head);
    this.head = head;
    this.random = new CounterRandom(seed);
  }

  /** Returns one direction for every position of a row, [batch=1, pos, d_model]. */
  Tensor draw(int row, int positions) {
    int dHead = W_O.shape().size(Axis.D_HEAD);
    float[] g = new float[positions * dHead];
    for (int pos = 0; pos < positions; pos++) {
      // The same g for every head: heads are compared.
      random.fillNormal(row, pos, g, pos * dHead, dHead);
    }
    Shape shape = Shape.of(Axis.BATCH, 1, Axis.POS, positions, Axis.D_HEAD, dHead);
    Tensor written = Tensor.wrap(shape, g).dot(W_O, Axis.D_HEAD); // [batch=1, pos, d_model]
    return written.times(written.norm(Axis.D_MODEL).map(length -> 1 / length));
  }

  @Override
  public String toString() {
    return "head " + head;
  }
}
// docs:end

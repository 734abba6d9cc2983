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
  private final float[] W_O;
  private final int dHead;
  private final int dModel;
  private final int head;
  private final CounterRandom random;

  HeadDirections(Gpt2 gpt2, int layer, int head, long seed) {
    Tensor all = gpt2.weights().lens(Weight.of(WeightNames.W_O, layer)); // [head, d_head, d_model]
    this.W_O = all.at(Axis.HEAD, head).toArray();
    this.dHead = gpt2.config().dHead();
    this.dModel = gpt2.config().dModel();
    this.head = head;
    this.random = new CounterRandom(seed);
  }

  /** Returns one direction for every position of a row, [batch=1, pos, d_model]. */
  Tensor draw(int row, int positions) {
    float[] directions = new float[positions * dModel];
    float[] g = new float[dHead];
    for (int pos = 0; pos < positions; pos++) {
      random.fillNormal(row, pos, g, 0, dHead); // the same g for every head: heads are compared
      double squares = 0;
      for (int c = 0; c < dModel; c++) {
        double sum = 0;
        for (int d = 0; d < dHead; d++) {
          sum += g[d] * W_O[d * dModel + c];
        }
        directions[pos * dModel + c] = (float) sum;
        squares += sum * sum;
      }
      for (int c = 0; c < dModel; c++) {
        directions[pos * dModel + c] /= (float) Math.sqrt(squares);
      }
    }
    Shape shape = Shape.of(Axis.BATCH, 1, Axis.POS, positions, Axis.D_MODEL, dModel);
    return Tensor.wrap(shape, directions);
  }

  @Override
  public String toString() {
    return "head " + head;
  }
}
// docs:end

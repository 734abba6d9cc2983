package dev.resid.model;

import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Weights in the tensors that a checkpoint keeps them in. */
final class FileLayout {
  private FileLayout() {}

  /** Returns what {@link Gpt2Checkpoint#asInFile} promises. */
  static Map<Weight, Tensor> of(Gpt2Config config, Function<Weight, Tensor> values) {
    Map<Weight, Tensor> tensors = new LinkedHashMap<>();
    for (Weight weight : Weight.all(config)) {
      boolean absent =
          weight.name() == WeightNames.b_U
              || (weight.name() == WeightNames.W_U && config.embeddings() == Embeddings.TIED);
      if (!absent && weight.name().fusedThird() <= 0) {
        tensors.put(weight, inFile(values, weight));
      }
    }
    return tensors;
  }

  private static Tensor inFile(Function<Weight, Tensor> values, Weight weight) {
    if (!weight.name().isFused()) {
      return values.apply(weight);
    }
    boolean matrix =
        switch (weight.name()) {
          case W_Q, W_K, W_V -> true;
          default -> false;
        };
    List<WeightNames> names =
        matrix
            ? List.of(WeightNames.W_Q, WeightNames.W_K, WeightNames.W_V)
            : List.of(WeightNames.b_Q, WeightNames.b_K, WeightNames.b_V);
    List<Tensor> thirds =
        names.stream().map(n -> values.apply(new Weight(n, weight.layer()))).toList();
    return fuse(thirds);
  }

  /** Returns three tensors [.., out] side by side, [.., 3·out]. */
  private static Tensor fuse(List<Tensor> thirds) {
    int width = thirds.getFirst().shape().last();
    int rows = Math.toIntExact(thirds.getFirst().elements() / width);
    float[] all = new float[rows * width * thirds.size()];
    for (int third = 0; third < thirds.size(); third++) {
      float[] part = thirds.get(third).toArray();
      for (int r = 0; r < rows; r++) {
        System.arraycopy(part, r * width, all, (r * thirds.size() + third) * width, width);
      }
    }
    return Tensor.wrap(thirds.getFirst().shape().with(Axis.OUT, width * thirds.size()), all);
  }
}

package dev.resid.sae;

import dev.resid.tensor.Tensor;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * The parameters of an SAE, on the host, checked against each other.
 *
 * @param tensors the parameters that there are; W_enc, W_dec and b_dec always
 */
public record SaeWeights(Map<SaeWeight, Tensor> tensors) {
  /**
   * Copies the map and checks the shapes.
   *
   * @throws IllegalArgumentException if W_enc, W_dec or b_dec is missing, or a shape does not fit
   *     the widths that W_enc and W_dec state
   */
  public SaeWeights {
    for (SaeWeight needed : new SaeWeight[] {SaeWeight.W_enc, SaeWeight.W_dec, SaeWeight.b_dec}) {
      if (!tensors.containsKey(needed)) {
        throw new IllegalArgumentException("an SAE needs " + needed + ", got " + tensors.keySet());
      }
    }
    EnumMap<SaeWeight, Tensor> copy = new EnumMap<>(tensors);
    int[] encoder = sizes(copy, SaeWeight.W_enc, 2);
    int[] decoder = sizes(copy, SaeWeight.W_dec, 2);
    copy.replaceAll(
        (weight, tensor) ->
            checked(weight, tensor, encoder[0], encoder[1], decoder[decoder.length - 1]));
    tensors = Map.copyOf(copy);
  }

  private static int[] sizes(Map<SaeWeight, Tensor> tensors, SaeWeight weight, int rank) {
    int[] sizes = tensors.get(weight).shape().sizes();
    if (sizes.length != rank) {
      throw new IllegalArgumentException(
          weight + " has " + tensors.get(weight).shape() + ", expected " + rank + " axes");
    }
    return sizes;
  }

  private static Tensor checked(SaeWeight weight, Tensor tensor, int dIn, int dSae, int dOut) {
    var expected = weight.shape(dIn, dSae, dOut);
    if (!java.util.Arrays.equals(tensor.shape().sizes(), expected.sizes())) {
      throw new IllegalArgumentException(
          weight + " has " + tensor.shape() + ", expected " + expected);
    }
    return tensor.reshape(expected);
  }

  /** Returns the width of the input. */
  public int dIn() {
    return tensors.get(SaeWeight.W_enc).shape().sizes()[0];
  }

  /** Returns the number of features. */
  public int dSae() {
    return tensors.get(SaeWeight.W_enc).shape().sizes()[1];
  }

  /** Returns the width of the output. */
  public int dOut() {
    return tensors.get(SaeWeight.W_dec).shape().sizes()[1];
  }

  /**
   * Returns a parameter, in the shape {@link SaeWeight#shape} states.
   *
   * @throws IllegalArgumentException if this SAE has none of that name
   */
  public Tensor get(SaeWeight weight) {
    return find(weight)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "this SAE has no " + weight + ": " + tensors.keySet()));
  }

  /** Returns a parameter, or nothing if this SAE has none of that name. */
  public Optional<Tensor> find(SaeWeight weight) {
    return Optional.ofNullable(tensors.get(weight));
  }
}

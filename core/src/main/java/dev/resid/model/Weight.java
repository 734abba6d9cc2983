package dev.resid.model;

import java.util.ArrayList;
import java.util.List;

/**
 * One weight of a model: a row of the table and a block.
 *
 * @param name row of the table
 * @param layer block number from 0; −1 outside the blocks
 */
public record Weight(WeightNames name, int layer) {
  /** Checks that a block's weight has a layer and that another one has none. */
  public Weight {
    if (name.inBlock() != (layer >= 0) || layer < -1) {
      throw new IllegalArgumentException(name + " with layer " + layer + " is no weight");
    }
  }

  /** Returns a weight of a block. */
  public static Weight of(WeightNames name, int layer) {
    return new Weight(name, layer);
  }

  /** Returns a weight outside the blocks. */
  public static Weight of(WeightNames name) {
    return new Weight(name, -1);
  }

  /** Returns every weight of a model, in file order. */
  public static List<Weight> all(Gpt2Config config) {
    List<Weight> weights = new ArrayList<>();
    for (WeightNames name : WeightNames.values()) {
      if (!name.inBlock() && name.compareTo(WeightNames.lnFinal_gamma) < 0) {
        weights.add(of(name));
      }
    }
    for (int layer = 0; layer < config.nLayers(); layer++) {
      for (WeightNames name : WeightNames.values()) {
        if (name.inBlock()) {
          weights.add(of(name, layer));
        }
      }
    }
    weights.add(of(WeightNames.lnFinal_gamma));
    weights.add(of(WeightNames.lnFinal_beta));
    weights.add(of(WeightNames.W_U));
    weights.add(of(WeightNames.b_U));
    return weights;
  }

  /** Returns the key in a checkpoint without the prefix {@code transformer.}. */
  public String fileKey() {
    return name.fileKey(layer);
  }

  /** Returns the TransformerLens name. */
  public String lensName() {
    return name.lensName(layer);
  }

  @Override
  public String toString() {
    return name.lensName(layer);
  }
}

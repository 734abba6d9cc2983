package dev.resid.sae.io;

import dev.resid.io.TensorFile;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * What a reader found: facts, and where the parameters lie.
 *
 * @param format what to call the kind of file
 * @param config the facts; widths agree with the tensors
 * @param file the open file of parameters
 * @param weightFile its name in the folder
 * @param stored where each parameter lies
 * @param conversion what is done to parameters once they are read
 */
record SaeContents(
    String format,
    SaeConfig config,
    TensorFile file,
    String weightFile,
    Map<SaeWeight, StoredWeight> stored,
    Conversion conversion) {

  /** Turns parameters as a file has them into those of our formulas. */
  @FunctionalInterface
  interface Conversion {
    /** Leaves them as they are. */
    Conversion NONE = weights -> {};

    /**
     * Changes the parameters in place.
     *
     * @throws SaeCheckpointException if their values contradict the configuration
     */
    void apply(Map<SaeWeight, Tensor> weights) throws SaeCheckpointException;
  }

  /** Copies the map. */
  SaeContents {
    stored = new EnumMap<>(stored);
  }

  /** Checks shapes and dtypes of all parameters, without reading values. */
  void check() throws IOException {
    for (StoredWeight weight : stored.values()) {
      weight.check(config.dIn(), config.dSae(), config.dOut());
    }
  }

  SaeWeights read() throws IOException {
    Map<SaeWeight, Tensor> weights = new EnumMap<>(SaeWeight.class);
    for (StoredWeight weight : stored.values()) {
      weights.put(weight.weight(), weight.read(config.dIn(), config.dSae(), config.dOut()));
    }
    conversion.apply(weights);
    return new SaeWeights(weights);
  }

  SaeContents with(SaeConfig facts) {
    return new SaeContents(format, facts, file, weightFile, stored, conversion);
  }

  /**
   * Finds parameters of a file by their names there.
   *
   * @param file the open file
   * @param table every name the file may have
   * @param optional those that it may lack
   * @param ignored other names that do not change what is computed
   * @throws SaeCheckpointException if one is missing or there is one more
   */
  static Map<SaeWeight, StoredWeight> find(
      TensorFile file,
      Map<SaeWeight, StoredWeight> table,
      Set<SaeWeight> optional,
      Set<String> ignored)
      throws SaeCheckpointException {
    Map<SaeWeight, StoredWeight> found = new EnumMap<>(SaeWeight.class);
    Set<String> known = new java.util.HashSet<>(ignored);
    for (StoredWeight weight : table.values()) {
      known.add(weight.key());
      if (file.has(weight.key())) {
        found.put(weight.weight(), weight);
      } else if (!optional.contains(weight.weight())) {
        throw new SaeCheckpointException(
            file.file()
                + ": tensor "
                + weight.key()
                + " is missing; an SAE of this architecture needs it. Fetch the file again");
      }
    }
    for (String name : file.names()) {
      if (!known.contains(name)) {
        throw new SaeCheckpointException(
            file.file()
                + ": tensor "
                + SaeJson.shown(name)
                + " belongs to no parameter of this architecture ("
                + EnumSet.copyOf(table.keySet())
                + "); leaving it out could change what is computed. Check the architecture");
      }
    }
    return found;
  }
}

package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.io.TensorFile;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import java.io.IOException;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads a file NAME.pt of the attention SAEs of Kissane et al., with NAME_cfg.json, the dump of its
 * training configuration, beside it.
 *
 * @source SAELens 6.18.0, conversion function connor_rob_hook_z
 */
final class HookZReader {
  private HookZReader() {}

  /** Returns the name of the configuration that belongs to a file of weights. */
  static String configOf(String weights) {
    return weights.replaceFirst("\\.pt$", "") + "_cfg.json";
  }

  static SaeContents read(SaeFolder folder, String name, TensorFile file, Stated stated)
      throws IOException {
    SaeJson json = SaeJson.parse(folder.path(configOf(name)), folder.json(configOf(name)));
    Map<SaeWeight, StoredWeight> table = new EnumMap<>(SaeWeight.class);
    for (SaeWeight weight :
        List.of(SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.W_dec, SaeWeight.b_dec)) {
      StoredWeight.put(table, file, weight, weight.name(), StoredWeight.Layout.AS_IS);
    }
    Map<SaeWeight, StoredWeight> stored =
        SaeContents.find(file, table, EnumSet.noneOf(SaeWeight.class), Set.of());
    int[] encoder = stored.get(SaeWeight.W_enc).matrixSizes();
    json.requireOfTensors("act_size", encoder[0]);
    json.requireOfTensors("dict_size", encoder[1]);
    if (!json.flag("concat_heads").orElse(true)) {
      throw json.error(
          "concat_heads", "is false; SAEs on a single head are not supported. Use one on all");
    }
    HookPoint point = Points.settle(json.file(), point(json), stated);
    SaeConfig config =
        SaeFacts.of(
            json.file(),
            () ->
                new SaeConfig(
                    Points.nameOf(file.file()),
                    Architecture.RELU,
                    encoder[0],
                    encoder[1],
                    encoder[0],
                    OptionalInt.empty(),
                    TopKScale.PLAIN,
                    Normalization.NONE,
                    1,
                    DecoderBias.SUBTRACTED_AND_ADDED,
                    point,
                    point,
                    stated.weights(),
                    new Provenance(
                        json.text("model_name"),
                        json.integer("seq_len"),
                        Optional.empty(),
                        Optional.empty())));
    return new SaeContents("hook-z", config, file, name, stored, SaeContents.Conversion.NONE);
  }

  private static Optional<HookPoint> point(SaeJson json) throws SaeCheckpointException {
    Optional<String> name = json.text("act_name");
    if (name.isEmpty()) {
      return Optional.empty();
    }
    Optional<HookPoint> point = Points.parse(name.get());
    if (point.isEmpty()) {
      throw json.error("act_name", "is " + json.value("act_name") + Points.UNKNOWN);
    }
    return point;
  }
}

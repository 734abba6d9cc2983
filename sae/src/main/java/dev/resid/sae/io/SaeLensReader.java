package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.io.TensorFile;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Reads a SAELens folder: cfg.json and sae_weights.safetensors. */
final class SaeLensReader {
  static final String CONFIG = "cfg.json";
  static final String WEIGHTS = "sae_weights.safetensors";
  static final String SPARSITY = "sparsity.safetensors";

  /** What version 5 wrote instead of scaling_factor, though its loader knows only that. */
  private static final String OTHER_SCALING = "finetuning_scaling_factor";

  private SaeLensReader() {}

  static SaeContents read(SaeFolder folder, Stated stated) throws IOException {
    SaeLensConfig config =
        SaeLensConfig.of(SaeJson.parse(folder.path(CONFIG), folder.json(CONFIG)));
    TensorFile file = folder.tensors(WEIGHTS);
    try {
      SaeContents contents = read(folder, config, file, stated);
      contents.check();
      return contents;
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private static SaeContents read(
      SaeFolder folder, SaeLensConfig config, TensorFile file, Stated stated) throws IOException {
    Map<SaeWeight, StoredWeight> stored = tensors(config, file);
    int[] encoder = stored.get(SaeWeight.W_enc).matrixSizes();
    int[] decoder = stored.get(SaeWeight.W_dec).matrixSizes();
    agree(folder, "d_in", config.dIn(), encoder[0], file);
    agree(folder, "d_sae", config.dSae(), encoder[1], file);
    agree(folder, "d_out", config.dOut(), decoder[1], file);
    if (!config.isTranscoder() && decoder[1] != encoder[0]) {
      throw stored
          .get(SaeWeight.W_dec)
          .fail(
              "writes width "
                  + decoder[1]
                  + " but W_enc reads "
                  + encoder[0]
                  + ", and the architecture is no transcoder. Fetch the file again");
    }
    HookPoint point = Points.settle(folder.path(CONFIG), config.point(), stated);
    HookPoint output = config.isTranscoder() ? outputPoint(config, folder) : point;
    SaeConfig facts =
        SaeFacts.of(
            folder.path(CONFIG),
            () ->
                new SaeConfig(
                    Points.nameOf(folder.path("")),
                    config.architecture(),
                    encoder[0],
                    encoder[1],
                    decoder[1],
                    config.k(),
                    config.topKScale(),
                    config.normalization(),
                    1,
                    config.decoderBias(),
                    point,
                    output,
                    Points.settle(folder.path(CONFIG), config.weights(point), stated.weights()),
                    config.provenance()));
    boolean scaled = config.hasScalingFactor();
    return new SaeContents(
        "SAELens " + config.generation(),
        facts,
        file,
        WEIGHTS,
        stored,
        weights -> settleScaling(weights, scaled, folder));
  }

  private static HookPoint outputPoint(SaeLensConfig config, SaeFolder folder)
      throws SaeCheckpointException {
    return config
        .outputPoint()
        .orElseThrow(
            () ->
                new SaeCheckpointException(
                    folder.path(CONFIG)
                        + ": hook_name_out is missing, so nothing states what the transcoder"
                        + " writes. Add it"));
  }

  private static Map<SaeWeight, StoredWeight> tensors(SaeLensConfig config, TensorFile file)
      throws IOException {
    Set<SaeWeight> names = EnumSet.of(SaeWeight.W_enc, SaeWeight.W_dec, SaeWeight.b_dec);
    switch (config.architecture()) {
      case RELU, TOP_K -> names.add(SaeWeight.b_enc);
      case JUMP_RELU -> names.addAll(List.of(SaeWeight.b_enc, SaeWeight.threshold));
      case GATED -> names.addAll(List.of(SaeWeight.b_gate, SaeWeight.b_mag, SaeWeight.r_mag));
    }
    if (config.hasSkip()) {
      names.add(SaeWeight.W_skip);
    }
    if (config.generation() < 6) {
      names.add(SaeWeight.scaling_factor);
    }
    Map<SaeWeight, StoredWeight> table = new EnumMap<>(SaeWeight.class);
    for (SaeWeight weight : names) {
      String key =
          weight == SaeWeight.scaling_factor && file.has(OTHER_SCALING)
              ? OTHER_SCALING
              : weight.name();
      table.put(weight, new StoredWeight(weight, file, key, StoredWeight.Layout.AS_IS));
    }
    return SaeContents.find(file, table, EnumSet.of(SaeWeight.scaling_factor), Set.of());
  }

  private static void agree(
      SaeFolder folder, String key, OptionalInt stated, int found, TensorFile file)
      throws SaeCheckpointException {
    if (stated.isPresent() && stated.getAsInt() != found) {
      throw new SaeCheckpointException(
          folder.path(CONFIG)
              + ": "
              + key
              + " is "
              + stated.getAsInt()
              + ", but the tensors of "
              + file.file().getFileName()
              + " have "
              + found
              + "; the files do not belong together. Fetch them again");
    }
  }

  /** For a while a factor of ones was saved whether it was used or not. */
  private static void settleScaling(
      Map<SaeWeight, Tensor> weights, boolean scaled, SaeFolder folder)
      throws SaeCheckpointException {
    Tensor factors = weights.get(SaeWeight.scaling_factor);
    if (factors == null) {
      if (scaled) {
        throw new SaeCheckpointException(
            folder.path(WEIGHTS)
                + ": tensor scaling_factor is missing although finetuning_scaling_factor is true."
                + " Fetch the file again");
      }
      return;
    }
    boolean ones = true;
    for (float factor : factors.toArray()) {
      ones &= factor == 1;
    }
    if (!ones && !scaled) {
      throw new SaeCheckpointException(
          folder.path(WEIGHTS)
              + ": tensor scaling_factor is not all ones, but finetuning_scaling_factor in cfg.json"
              + " is not true. Set it to true if features are to be multiplied by the factors");
    }
    if (ones) {
      weights.remove(SaeWeight.scaling_factor);
    }
  }
}

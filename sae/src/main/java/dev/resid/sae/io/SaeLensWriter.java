package dev.resid.sae.io;

import dev.resid.io.AtomicFiles;
import dev.resid.io.DType;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.WeightTransform;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.BeginningOfText;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Writes a folder in the layout of SAELens 6. */
final class SaeLensWriter {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** The version whose layout this is; SAELens reads files of older versions differently. */
  private static final String LAYOUT_VERSION = "6.18.0";

  private SaeLensWriter() {}

  static void write(SaeConfig config, SaeWeights weights, DType dtype, Path dir)
      throws IOException {
    String name =
        switch (dtype) {
          case F32 -> "float32";
          case F16 -> "float16";
          case BF16 -> "bfloat16";
          default ->
              throw new IllegalArgumentException(
                  "an SAE cannot be saved as " + dtype + ", only as F32, F16 or BF16");
        };
    SaeConfig plain = config.inputScale() == 1 ? config : SaeFacts.withoutScale(config);
    SaeWeights folded = fold(config, weights);
    Map<String, Object> json = json(plain, folded, name);
    SafetensorsWriter writer = new SafetensorsWriter();
    for (SaeWeight weight : SaeWeight.values()) {
      Tensor tensor = folded.find(weight).orElse(null);
      if (tensor != null) {
        writer.add(weight.name(), tensor, dtype);
      }
    }
    Files.createDirectories(dir);
    writer.write(dir.resolve(SaeLensReader.WEIGHTS));
    AtomicFiles.write(dir.resolve(SaeLensReader.CONFIG), JSON.writeValueAsString(json) + "\n");
  }

  /** Returns parameters that compute the same without the factors the layout has no place for. */
  private static SaeWeights fold(SaeConfig config, SaeWeights weights) {
    Map<SaeWeight, Tensor> folded = new EnumMap<>(weights.tensors());
    Tensor factors = folded.remove(SaeWeight.scaling_factor);
    if (factors != null) {
      float[] each = factors.toArray();
      int width = weights.dOut();
      folded.compute(
          SaeWeight.W_dec, (w, t) -> Rows.each(t, (value, i) -> value * each[i / width]));
    }
    double scale = config.inputScale();
    if (scale != 1) {
      folded.compute(SaeWeight.W_enc, (w, t) -> Rows.each(t, (value, i) -> value * scale));
      folded.compute(SaeWeight.W_dec, (w, t) -> Rows.each(t, (value, i) -> value / scale));
      folded.compute(SaeWeight.b_dec, (w, t) -> Rows.each(t, (value, i) -> value / scale));
    }
    return new SaeWeights(folded);
  }

  private static Map<String, Object> json(SaeConfig config, SaeWeights weights, String dtype) {
    Map<String, Object> json = new LinkedHashMap<>();
    boolean transcoder =
        !config.point().equals(config.outputPoint()) || config.dIn() != config.dOut();
    json.put("architecture", architecture(config, weights, transcoder));
    json.put("d_in", config.dIn());
    json.put("d_sae", config.dSae());
    if (transcoder) {
      json.put("d_out", config.dOut());
    }
    json.put("dtype", dtype);
    json.put("device", "cpu");
    json.put("apply_b_dec_to_input", config.decoderBias() == DecoderBias.SUBTRACTED_AND_ADDED);
    json.put(
        "normalize_activations",
        switch (config.normalization()) {
          case NONE -> "none";
          case EXPECTED_AVERAGE_NORM -> "expected_average_only_in";
          case CONSTANT_NORM -> "constant_norm_rescale";
          case LAYER_NORM -> "layer_norm";
        });
    json.put(
        "reshape_activations", config.point().site() == dev.resid.hook.Site.Z ? "hook_z" : "none");
    if (config.architecture() == Architecture.TOP_K) {
      json.put("k", config.k().getAsInt());
      json.put("rescale_acts_by_decoder_norm", config.topKScale() == TopKScale.DECODER_NORM);
    }
    json.put("metadata", metadata(config, transcoder));
    return json;
  }

  private static String architecture(SaeConfig config, SaeWeights weights, boolean transcoder) {
    boolean skip = weights.find(SaeWeight.W_skip).isPresent();
    if (!transcoder) {
      if (skip) {
        throw new IllegalArgumentException(
            config.name()
                + " has a W_skip without being a transcoder, which SAELens does not know");
      }
      return switch (config.architecture()) {
        case RELU -> "standard";
        case TOP_K -> "topk";
        case JUMP_RELU -> "jumprelu";
        case GATED -> "gated";
      };
    }
    return switch (config.architecture()) {
      case RELU -> skip ? "skip_transcoder" : "transcoder";
      case JUMP_RELU -> skip ? "jumprelu_skip_transcoder" : "jumprelu_transcoder";
      case TOP_K, GATED ->
          throw new IllegalArgumentException(
              config.name()
                  + " is a transcoder of architecture "
                  + config.architecture()
                  + ", which SAELens does not know");
    };
  }

  private static Map<String, Object> metadata(SaeConfig config, boolean transcoder) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("sae_lens_version", LAYOUT_VERSION);
    metadata.put("sae_lens_training_version", null);
    metadata.put("model_name", config.provenance().model().orElse(null));
    metadata.put("hook_name", config.point().name());
    metadata.put("hook_head_index", null);
    if (transcoder) {
      metadata.put("hook_name_out", config.outputPoint().name());
    }
    config
        .provenance()
        .beginningOfText()
        .ifPresent(begin -> metadata.put("prepend_bos", begin == BeginningOfText.PREPENDED));
    config.provenance().contextLength().ifPresent(n -> metadata.put("context_size", n));
    config.provenance().neuronpediaId().ifPresent(id -> metadata.put("neuronpedia_id", id));
    config
        .weights()
        .ifPresent(
            state -> {
              Map<String, Object> loading = new LinkedHashMap<>();
              for (WeightTransform transform : WeightTransform.values()) {
                loading.put(LoadingArguments.keyOf(transform), state.applied().contains(transform));
              }
              metadata.put("model_from_pretrained_kwargs", loading);
            });
    return metadata;
  }
}

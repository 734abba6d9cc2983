package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.WeightsState;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig.BeginningOfText;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads the cfg.json of a SAELens folder, of any generation. Generations 1 and 2 are a dump of the
 * training configuration with {@code hook_point}, 3 to 5 a flat object with {@code hook_name}, 6
 * keeps what does not change the computation in {@code metadata}.
 *
 * @source SAELens 1.8.0, 3.24.0, 5.11.0 and 6.18.0, their saved files
 */
final class SaeLensConfig {
  /** What SAELens calls an architecture, and what it is here. */
  private record Kind(Architecture architecture, boolean transcoder, boolean skip) {}

  private static final Map<String, Kind> KINDS =
      Map.of(
          "standard", new Kind(Architecture.RELU, false, false),
          "topk", new Kind(Architecture.TOP_K, false, false),
          "jumprelu", new Kind(Architecture.JUMP_RELU, false, false),
          "gated", new Kind(Architecture.GATED, false, false),
          "transcoder", new Kind(Architecture.RELU, true, false),
          "skip_transcoder", new Kind(Architecture.RELU, true, true),
          "jumprelu_transcoder", new Kind(Architecture.JUMP_RELU, true, false),
          "jumprelu_skip_transcoder", new Kind(Architecture.JUMP_RELU, true, true));

  /** All keys of generation 6 beside metadata: those that change what is computed, and two more. */
  private static final Set<String> NEWEST_KEYS =
      Set.of(
          "architecture",
          "d_in",
          "d_sae",
          "d_out",
          "dtype",
          "device",
          "apply_b_dec_to_input",
          "normalize_activations",
          "reshape_activations",
          "k",
          "rescale_acts_by_decoder_norm",
          "metadata");

  private static final Set<String> DTYPES = Set.of("float16", "bfloat16", "float32", "float64");

  private final SaeJson json;
  private final SaeJson facts;
  private final int generation;
  private final Kind kind;

  private SaeLensConfig(SaeJson json) throws SaeCheckpointException {
    this.json = json;
    generation = generationOf(json);
    facts = generation == 6 ? json.object("metadata") : json;
    refuseUnknownKeys();
    kind = kind();
    checkActivation();
    checkDtype();
  }

  /**
   * Returns the configuration.
   *
   * @throws SaeCheckpointException if it is none of SAELens', or states something unknown
   */
  static SaeLensConfig of(SaeJson json) throws SaeCheckpointException {
    return new SaeLensConfig(json);
  }

  int generation() {
    return generation;
  }

  Architecture architecture() {
    return kind.architecture();
  }

  boolean isTranscoder() {
    return kind.transcoder();
  }

  boolean hasSkip() {
    return kind.skip();
  }

  OptionalInt dIn() throws SaeCheckpointException {
    return json.integer("d_in");
  }

  OptionalInt dOut() throws SaeCheckpointException {
    return json.integer("d_out");
  }

  /** Returns d_sae, which the oldest files give as a multiple of d_in only. */
  OptionalInt dSae() throws SaeCheckpointException {
    OptionalInt stated = json.integer("d_sae");
    OptionalInt factor = generation <= 2 ? json.integer("expansion_factor") : OptionalInt.empty();
    if (stated.isPresent() || factor.isEmpty() || dIn().isEmpty()) {
      return stated;
    }
    try {
      return OptionalInt.of(Math.multiplyExact(factor.getAsInt(), dIn().getAsInt()));
    } catch (ArithmeticException e) {
      throw json.error("expansion_factor", "is " + factor.getAsInt() + ", more than any SAE has");
    }
  }

  /** Returns k, for a top-k SAE. */
  OptionalInt k() throws SaeCheckpointException {
    OptionalInt top = json.integer("k");
    OptionalInt nested = json.object("activation_fn_kwargs").integer("k");
    if (top.isPresent() && nested.isPresent() && top.getAsInt() != nested.getAsInt()) {
      throw json.error(
          "k",
          "is " + top.getAsInt() + " but activation_fn_kwargs.k is " + nested.getAsInt() + FIX);
    }
    OptionalInt k = top.isPresent() ? top : nested;
    if (kind.architecture() == Architecture.TOP_K && k.isEmpty()) {
      throw json.error(
          "k",
          "is missing, and a top-k SAE cannot be run without it. Add what it was trained with");
    }
    if (kind.architecture() != Architecture.TOP_K && k.isPresent()) {
      throw json.error("k", "is " + k.getAsInt() + " but the SAE is not a top-k one" + FIX);
    }
    return k;
  }

  TopKScale topKScale() throws SaeCheckpointException {
    boolean scaled = json.flag("rescale_acts_by_decoder_norm").orElse(false);
    if (scaled && kind.architecture() != Architecture.TOP_K) {
      throw json.error(
          "rescale_acts_by_decoder_norm", "is true but the SAE is not a top-k one" + FIX);
    }
    return scaled ? TopKScale.DECODER_NORM : TopKScale.PLAIN;
  }

  Normalization normalization() throws SaeCheckpointException {
    String key = "normalize_activations";
    if (json.isFlag(key)) {
      return json.flag(key).orElseThrow()
          ? Normalization.EXPECTED_AVERAGE_NORM
          : Normalization.NONE;
    }
    Normalization found =
        switch (json.text(key).orElse("none")) {
          case "none" -> Normalization.NONE;
          case "expected_average_only_in" -> Normalization.EXPECTED_AVERAGE_NORM;
          case "constant_norm_rescale" -> Normalization.CONSTANT_NORM;
          case "layer_norm" -> Normalization.LAYER_NORM;
          default ->
              throw json.error(
                  key,
                  "is "
                      + json.value(key)
                      + ", known are none, expected_average_only_in, constant_norm_rescale and"
                      + " layer_norm"
                      + FIX);
        };
    if (kind.transcoder()
        && (found == Normalization.CONSTANT_NORM || found == Normalization.LAYER_NORM)) {
      throw json.error(
          key, "is " + json.value(key) + ", which is not supported for transcoders" + FIX);
    }
    return found;
  }

  DecoderBias decoderBias() throws SaeCheckpointException {
    Optional<Boolean> stated = json.flag("apply_b_dec_to_input");
    if (kind.transcoder() && stated.orElse(false)) {
      throw json.error(
          "apply_b_dec_to_input", "is true, but b_dec of a transcoder belongs to its output" + FIX);
    }
    return stated.orElse(!kind.transcoder()) ? DecoderBias.SUBTRACTED_AND_ADDED : DecoderBias.ADDED;
  }

  /** Returns whether features are multiplied by a stored factor before decoding. */
  boolean hasScalingFactor() throws SaeCheckpointException {
    return json.flag("finetuning_scaling_factor").orElse(false);
  }

  /** Returns the activation it reads, if the file states one. */
  Optional<HookPoint> point() throws SaeCheckpointException {
    Optional<String> old = facts.text("hook_point");
    Optional<String> name = facts.text("hook_name");
    if (old.isPresent() && name.isPresent() && !old.equals(name)) {
      throw facts.error(
          "hook_point",
          "is "
              + facts.value("hook_point")
              + " but hook_name is "
              + facts.value("hook_name")
              + FIX);
    }
    String key = name.isPresent() ? "hook_name" : "hook_point";
    Optional<HookPoint> point = point(key);
    if (point.isEmpty()) {
      return point;
    }
    checkLayer(point.get());
    checkHead();
    checkReshape(point.get());
    return point;
  }

  /** Returns the activation a transcoder writes, if the file states one. */
  Optional<HookPoint> outputPoint() throws SaeCheckpointException {
    return point("hook_name_out");
  }

  Provenance provenance() throws SaeCheckpointException {
    Optional<Boolean> begins = facts.flag("prepend_bos");
    if (begins.isEmpty() && generation < 6) {
      begins = Optional.of(true); // SAELens' own default for a file without the key
    }
    return new Provenance(
        facts.text("model_name"),
        facts.integer("context_size"),
        begins.map(b -> b ? BeginningOfText.PREPENDED : BeginningOfText.NOT_PREPENDED),
        facts.text("neuronpedia_id"));
  }

  /** Returns the state of the model's weights, if the file states it for this activation. */
  Optional<WeightsState> weights(HookPoint point) throws SaeCheckpointException {
    return LoadingArguments.weights(facts.object("model_from_pretrained_kwargs"), point);
  }

  private static final String FIX = ". Correct the file, or fetch it again";

  private static int generationOf(SaeJson json) throws SaeCheckpointException {
    if (json.has("metadata")) {
      return 6;
    }
    if (json.has("hook_point")) {
      return 1;
    }
    if (json.has("hook_name")) {
      return json.has("architecture") ? 4 : 3;
    }
    throw json.error(
        "hook_name",
        "is missing, and so are hook_point and metadata: this is no cfg.json of SAELens. Name the"
            + " folder of an SAE");
  }

  private void refuseUnknownKeys() throws SaeCheckpointException {
    for (String key : json.keys()) {
      boolean known = generation == 6 ? NEWEST_KEYS.contains(key) : SaeLensTraining.isKnown(key);
      if (!known) {
        throw json.error(
            SaeJson.shown(key),
            "is not known to this version, and it could change what the SAE computes. Remove it if"
                + " it does not");
      }
    }
  }

  private Kind kind() throws SaeCheckpointException {
    String name = json.text("architecture").orElse(generation == 6 ? "" : "standard");
    Kind found = KINDS.get(name);
    if (found == null) {
      String hint =
          name.toLowerCase(Locale.ROOT).contains("batchtopk")
              ? ". Save it with SAELens for inference, which writes it as jumprelu"
              : FIX;
      throw json.error(
          "architecture",
          (name.isEmpty() ? "is missing" : "is " + json.value("architecture"))
              + ", known are "
              + String.join(", ", KINDS.keySet().stream().sorted().toList())
              + hint);
    }
    // Before there was an architecture key, a top-k SAE was a standard one with that activation.
    return name.equals("standard") && "topk".equals(activation()) ? KINDS.get("topk") : found;
  }

  private String activation() throws SaeCheckpointException {
    return json.text(activationKey()).orElse("relu");
  }

  private String activationKey() {
    return json.has("activation_fn_str") ? "activation_fn_str" : "activation_fn";
  }

  private void checkActivation() throws SaeCheckpointException {
    if (generation == 6) {
      return; // there the architecture implies it
    }
    String expected = kind.architecture() == Architecture.TOP_K ? "topk" : "relu";
    if (json.has(activationKey()) && !activation().equals(expected)) {
      throw json.error(
          activationKey(),
          "is "
              + json.value(activationKey())
              + ", expected "
              + expected
              + " for architecture "
              + json.text("architecture").orElse("standard")
              + FIX);
    }
    for (String key : json.object("activation_fn_kwargs").keys()) {
      if (!key.equals("k")) {
        throw json.object("activation_fn_kwargs").error(key, "is not known; known is k" + FIX);
      }
    }
  }

  private void checkDtype() throws SaeCheckpointException {
    Optional<String> dtype = json.text("dtype");
    if (dtype.isPresent() && !DTYPES.contains(dtype.get().replaceFirst("^torch\\.", ""))) {
      throw json.error(
          "dtype",
          "is "
              + json.value("dtype")
              + ", known are "
              + String.join(", ", DTYPES.stream().sorted().toList())
              + FIX);
    }
  }

  private Optional<HookPoint> point(String key) throws SaeCheckpointException {
    Optional<String> name = facts.text(key);
    if (name.isEmpty()) {
      return Optional.empty();
    }
    Optional<HookPoint> point = Points.parse(name.get());
    if (point.isEmpty()) {
      throw facts.error(key, "is " + facts.value(key) + Points.UNKNOWN);
    }
    return point;
  }

  private void checkLayer(HookPoint point) throws SaeCheckpointException {
    for (String key : List.of("hook_layer", "hook_point_layer")) {
      OptionalInt layer = facts.integer(key);
      if (layer.isPresent() && point.site().inBlock() && layer.getAsInt() != point.layer()) {
        throw facts.error(key, "is " + layer.getAsInt() + " but the hook is " + point + FIX);
      }
    }
  }

  private void checkHead() throws SaeCheckpointException {
    for (String key : List.of("hook_head_index", "hook_point_head_index")) {
      if (facts.has(key)) {
        throw facts.error(
            key,
            "is " + facts.value(key) + "; SAEs on a single head are not supported. Use one on all");
      }
    }
  }

  private void checkReshape(HookPoint point) throws SaeCheckpointException {
    String reshape =
        json.text("reshape_activations").orElse(point.site() == Site.Z ? "hook_z" : "none");
    boolean fits =
        switch (reshape) {
          case "none" -> true;
          case "hook_z" -> point.site() == Site.Z;
          default -> false;
        };
    if (!fits) {
      throw json.error(
          "reshape_activations",
          "is " + json.value("reshape_activations") + " at " + point + ", expected none" + FIX);
    }
  }
}

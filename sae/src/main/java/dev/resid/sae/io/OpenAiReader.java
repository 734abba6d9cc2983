package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.io.TorchCheckpoint;
import dev.resid.model.WeightsState;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads a file of OpenAI's GPT-2 release: encoder.weight [d_sae, d_in], decoder.weight [d_in,
 * d_sae], pre_bias, latent_bias, statistics, and the activation by name. Inputs are normalised
 * where that is TopK. The file does not state what it reads; the release keeps it in the path,
 * {@code gpt2-small/LOCATION_v5_32k/autoencoders/LAYER.pt}.
 *
 * @source openai/sparse_autoencoder, model.py at 764586a
 */
final class OpenAiReader {
  private static final Pattern PATH =
      Pattern.compile("gpt2-small/(\\w+?)(?:_v\\d+\\w*)?/autoencoders/(\\d{1,3})\\.pt");

  private static final Map<String, Site> LOCATIONS =
      Map.of(
          "resid_delta_attn", Site.ATTN_OUT,
          "resid_post_attn", Site.RESID_MID,
          "resid_delta_mlp", Site.MLP_OUT,
          "resid_post_mlp", Site.RESID_POST,
          "mlp_post_act", Site.MLP_POST);

  private static final Set<String> STATISTICS =
      Set.of("stats_last_nonzero", "latents_activation_frequency", "latents_mean_square");

  private static final Set<String> SCALARS =
      Set.of("activation", "activation_state_dict.k", "activation_state_dict.postact_fn");

  private final TorchCheckpoint file;

  private OpenAiReader(TorchCheckpoint file) {
    this.file = file;
  }

  /** Returns whether the keys are those of such a file. */
  static boolean recognises(TorchCheckpoint file) {
    return file.has("latent_bias") && file.has("pre_bias");
  }

  static SaeContents read(TorchCheckpoint file, Stated stated) throws IOException {
    return new OpenAiReader(file).read(stated);
  }

  private SaeContents read(Stated stated) throws IOException {
    Map<SaeWeight, StoredWeight> table = new EnumMap<>(SaeWeight.class);
    StoredWeight.put(
        table, file, SaeWeight.W_enc, "encoder.weight", StoredWeight.Layout.TRANSPOSED);
    StoredWeight.put(
        table, file, SaeWeight.W_dec, "decoder.weight", StoredWeight.Layout.TRANSPOSED);
    StoredWeight.put(table, file, SaeWeight.b_dec, "pre_bias", StoredWeight.Layout.AS_IS);
    StoredWeight.put(table, file, SaeWeight.b_enc, "latent_bias", StoredWeight.Layout.AS_IS);
    Map<SaeWeight, StoredWeight> stored =
        SaeContents.find(file, table, EnumSet.noneOf(SaeWeight.class), STATISTICS);
    for (String name : file.scalars().keySet()) {
      if (!SCALARS.contains(name)) {
        throw fail(name, "is not known, and it could change what the SAE computes. Remove it");
      }
    }
    int[] encoder = stored.get(SaeWeight.W_enc).matrixSizes();
    Optional<HookPoint> place = place();
    HookPoint point = Points.settle(file.file(), place, stated);
    OptionalInt k = k(encoder[1]);
    // The release hooked the model as it is, without centring (its README loads it so).
    Optional<WeightsState> state = place.map(known -> WeightsState.RAW);
    SaeConfig config =
        SaeFacts.of(
            file.file(),
            () ->
                new SaeConfig(
                    Points.nameOf(file.file()),
                    k.isPresent() ? Architecture.TOP_K : Architecture.RELU,
                    encoder[0],
                    encoder[1],
                    encoder[0],
                    k,
                    TopKScale.PLAIN,
                    k.isPresent() ? Normalization.LAYER_NORM : Normalization.NONE,
                    1,
                    DecoderBias.SUBTRACTED_AND_ADDED,
                    point,
                    point,
                    Points.settle(file.file(), state, stated.weights()),
                    place.isPresent()
                        ? new Provenance(
                            Optional.of("gpt2-small"),
                            OptionalInt.of(64),
                            Optional.empty(),
                            Optional.empty())
                        : Provenance.UNKNOWN));
    return new SaeContents(
        "OpenAI", config, file, Points.nameOf(file.file()), stored, SaeContents.Conversion.NONE);
  }

  /** Returns k for TopK, nothing for ReLU. */
  private OptionalInt k(int dSae) throws SaeCheckpointException {
    Object activation = file.scalars().get("activation");
    if ("ReLU".equals(activation)) {
      return OptionalInt.empty();
    }
    if (!"TopK".equals(activation)) {
      throw fail(
          "activation",
          (activation == null ? "is missing" : "is " + SaeJson.shown(activation.toString()))
              + ", known are TopK and ReLU. Fetch the file again");
    }
    Object after = file.scalars().get("activation_state_dict.postact_fn");
    if (!"ReLU".equals(after)) {
      throw fail(
          "activation_state_dict.postact_fn",
          (after == null ? "is missing" : "is " + SaeJson.shown(after.toString()))
              + ", known is ReLU. Fetch the file again");
    }
    Object k = file.scalars().get("activation_state_dict.k");
    if (!(k instanceof Long count) || count < 1 || count > dSae) {
      throw fail(
          "activation_state_dict.k",
          (k == null ? "is missing" : "is " + SaeJson.shown(k.toString()))
              + ", must be a number from 1 to "
              + dSae
              + ". Fetch the file again");
    }
    return OptionalInt.of(Math.toIntExact(count));
  }

  private Optional<HookPoint> place() {
    Path path = file.file().toAbsolutePath().normalize();
    int parts = path.getNameCount();
    if (parts < 4) {
      return Optional.empty();
    }
    String end = path.subpath(parts - 4, parts).toString().replace('\\', '/');
    Matcher matcher = PATH.matcher(end);
    if (!matcher.matches() || !LOCATIONS.containsKey(matcher.group(1))) {
      return Optional.empty();
    }
    return Optional.of(
        HookPoint.at(LOCATIONS.get(matcher.group(1)), Integer.parseInt(matcher.group(2))));
  }

  private SaeCheckpointException fail(String key, String what) {
    return new SaeCheckpointException(file.file() + ": " + SaeJson.shown(key) + " " + what);
  }
}

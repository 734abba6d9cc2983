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
 * Reads a folder of EleutherAI's sparsify: cfg.json and sae.safetensors. What the SAE reads is the
 * folder's name there, {@code h.6} being what block 6 returns; a transcoder reads what that module
 * is given, and writes what it returns.
 *
 * @source EleutherAI/sparsify, config.py at 069227e and sparse_coder.py at 001d98e
 */
final class SparsifyReader {
  static final String CONFIG = "cfg.json";
  static final String WEIGHTS = "sae.safetensors";

  /** Keys that are read below, and those that matter to training only. */
  private static final Set<String> KNOWN =
      Set.of(
          "activation",
          "expansion_factor",
          "normalize_decoder",
          "num_latents",
          "k",
          "multi_topk",
          "skip_connection",
          "transcode",
          "d_in",
          "signed",
          "embed_skip",
          "gram_lookup",
          "lookup_max_order",
          "gram_table_hash");

  private final SaeFolder folder;
  private final SaeJson json;

  private SparsifyReader(SaeFolder folder) throws IOException {
    this.folder = folder;
    json = SaeJson.parse(folder.path(CONFIG), folder.json(CONFIG));
  }

  static SaeContents read(SaeFolder folder, Stated stated) throws IOException {
    SparsifyReader reader = new SparsifyReader(folder);
    reader.checkConfig();
    TensorFile file = folder.tensors(WEIGHTS);
    try {
      SaeContents contents = reader.read(file, stated);
      contents.check();
      return contents;
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private void checkConfig() throws SaeCheckpointException {
    for (String key : json.keys()) {
      if (!KNOWN.contains(key)) {
        throw json.error(
            SaeJson.shown(key),
            "is not known to this version, and it could change what the SAE computes. Remove it if"
                + " it does not");
      }
    }
    if (!json.text("activation").orElse("topk").equals("topk")) {
      throw json.error(
          "activation", "is " + json.value("activation") + ", known is topk. Use another SAE");
    }
    for (String key : List.of("signed", "embed_skip", "gram_lookup")) {
      if (json.flag(key).orElse(false)) {
        throw json.error(key, "is true, which is not supported. Use an SAE without it");
      }
    }
  }

  private SaeContents read(TensorFile file, Stated stated) throws IOException {
    Map<SaeWeight, StoredWeight> table = new EnumMap<>(SaeWeight.class);
    StoredWeight.put(
        table, file, SaeWeight.W_enc, "encoder.weight", StoredWeight.Layout.TRANSPOSED);
    StoredWeight.put(table, file, SaeWeight.b_enc, "encoder.bias", StoredWeight.Layout.AS_IS);
    StoredWeight.put(table, file, SaeWeight.W_dec, "W_dec", StoredWeight.Layout.AS_IS);
    StoredWeight.put(table, file, SaeWeight.b_dec, "b_dec", StoredWeight.Layout.AS_IS);
    if (json.flag("skip_connection").orElse(false)) {
      StoredWeight.put(table, file, SaeWeight.W_skip, "W_skip", StoredWeight.Layout.AS_IS);
    }
    Map<SaeWeight, StoredWeight> stored =
        SaeContents.find(file, table, EnumSet.noneOf(SaeWeight.class), Set.of());
    int[] encoder = stored.get(SaeWeight.W_enc).matrixSizes();
    json.requireOfTensors("d_in", encoder[0]);
    json.requireOfTensors("num_latents", latents(encoder[0]), encoder[1]);
    OptionalInt k = json.integer("k");
    if (k.isEmpty() || k.getAsInt() < 1 || k.getAsInt() > encoder[1]) {
      throw json.error(
          "k",
          (k.isEmpty() ? "is missing" : "is " + k.getAsInt())
              + ", must be a number from 1 to "
              + encoder[1]
              + ". Add what it was trained with");
    }
    boolean transcodes = json.flag("transcode").orElse(false);
    Optional<HookPoint> returned = ModulePoints.named(Points.nameOf(folder.path("")));
    HookPoint point =
        Points.settle(
            folder.path(CONFIG),
            transcodes ? returned.map(ModulePoints::inputOf) : returned,
            stated);
    HookPoint outputPoint = transcodes ? returned.orElseThrow(this::unplaced) : point;
    SaeConfig config =
        SaeFacts.of(
            folder.path(CONFIG),
            () ->
                new SaeConfig(
                    Points.nameOf(folder.path("")),
                    Architecture.TOP_K,
                    encoder[0],
                    encoder[1],
                    encoder[0],
                    k,
                    TopKScale.PLAIN,
                    Normalization.NONE,
                    1,
                    transcodes ? DecoderBias.ADDED : DecoderBias.SUBTRACTED_AND_ADDED,
                    point,
                    outputPoint,
                    stated.weights(),
                    Provenance.UNKNOWN));
    return new SaeContents("sparsify", config, file, WEIGHTS, stored, SaeContents.Conversion.NONE);
  }

  private SaeCheckpointException unplaced() {
    return json.error(
        "transcode",
        "is true, and where a transcoder writes is the name of its folder, h.6.mlp for example, not"
            + " "
            + Points.nameOf(folder.path(""))
            + ". Rename the folder");
  }

  /** Returns d_sae, given as itself or as a multiple of d_in; 0 means not given. */
  private OptionalInt latents(int dIn) throws SaeCheckpointException {
    OptionalInt latents = json.integer("num_latents");
    if (latents.isPresent() && latents.getAsInt() > 0) {
      return latents;
    }
    OptionalInt factor = json.integer("expansion_factor");
    if (factor.isEmpty()) {
      return factor;
    }
    try {
      return OptionalInt.of(Math.multiplyExact(factor.getAsInt(), dIn));
    } catch (ArithmeticException e) {
      throw json.error("expansion_factor", "is " + factor.getAsInt() + ", more than any SAE has");
    }
  }
}

package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.io.TensorFile;
import dev.resid.io.TensorInfo;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads a folder of dictionary_learning: config.json, whose {@code trainer} names the class, and
 * ae.pt. A batch top-k dictionary is used by its threshold, as that library does. Features of gated
 * and jump-ReLU ones are multiplied by their decoder row's norm there; here that is done to the
 * parameters, so features agree with that library's and decoder rows have norm 1.
 *
 * @source saprmarks/dictionary_learning, dictionary.py at 088e587 and trainers/batch_top_k.py at
 *     5ebe376
 */
final class DictionaryLearningReader {
  static final String CONFIG = "config.json";
  static final String WEIGHTS = "ae.pt";

  /** The dictionary classes, their parameters by name, and other tensors they keep. */
  private enum Kind {
    AUTO_ENCODER(
        "AutoEncoder",
        Architecture.RELU,
        DecoderBias.SUBTRACTED_AND_ADDED,
        Map.of(
            SaeWeight.W_enc, "encoder.weight",
            SaeWeight.b_enc, "encoder.bias",
            SaeWeight.W_dec, "decoder.weight",
            SaeWeight.b_dec, "bias"),
        Set.of()),
    AUTO_ENCODER_NEW(
        "AutoEncoderNew",
        Architecture.RELU,
        DecoderBias.ADDED,
        Map.of(
            SaeWeight.W_enc, "encoder.weight",
            SaeWeight.b_enc, "encoder.bias",
            SaeWeight.W_dec, "decoder.weight",
            SaeWeight.b_dec, "decoder.bias"),
        Set.of()),
    TOP_K(
        "AutoEncoderTopK",
        Architecture.TOP_K,
        DecoderBias.SUBTRACTED_AND_ADDED,
        Map.of(
            SaeWeight.W_enc, "encoder.weight",
            SaeWeight.b_enc, "encoder.bias",
            SaeWeight.W_dec, "decoder.weight",
            SaeWeight.b_dec, "b_dec"),
        Set.of("k", "threshold")),
    BATCH_TOP_K(
        "BatchTopKSAE",
        Architecture.JUMP_RELU,
        DecoderBias.SUBTRACTED_AND_ADDED,
        TOP_K.keys,
        Set.of("k", "threshold")),
    MATRYOSHKA(
        "MatryoshkaBatchTopKSAE",
        Architecture.JUMP_RELU,
        DecoderBias.SUBTRACTED_AND_ADDED,
        Map.of(
            SaeWeight.W_enc, "W_enc",
            SaeWeight.b_enc, "b_enc",
            SaeWeight.W_dec, "W_dec",
            SaeWeight.b_dec, "b_dec"),
        Set.of("k", "threshold", "group_sizes")),
    GATED(
        "GatedAutoEncoder",
        Architecture.GATED,
        DecoderBias.SUBTRACTED_AND_ADDED,
        Map.of(
            SaeWeight.W_enc, "encoder.weight",
            SaeWeight.W_dec, "decoder.weight",
            SaeWeight.b_dec, "decoder_bias",
            SaeWeight.b_gate, "gate_bias",
            SaeWeight.b_mag, "mag_bias",
            SaeWeight.r_mag, "r_mag"),
        Set.of()),
    JUMP_RELU(
        "JumpReluAutoEncoder",
        Architecture.JUMP_RELU,
        DecoderBias.ADDED,
        Map.of(
            SaeWeight.W_enc, "W_enc",
            SaeWeight.b_enc, "b_enc",
            SaeWeight.W_dec, "W_dec",
            SaeWeight.b_dec, "b_dec",
            SaeWeight.threshold, "threshold"),
        Set.of());

    private final String className;
    private final Architecture architecture;
    private final DecoderBias decoderBias;
    private final Map<SaeWeight, String> keys;
    private final Set<String> others;

    Kind(
        String className,
        Architecture architecture,
        DecoderBias decoderBias,
        Map<SaeWeight, String> keys,
        Set<String> others) {
      this.className = className;
      this.architecture = architecture;
      this.decoderBias = decoderBias;
      this.keys = keys;
      this.others = others;
    }

    boolean isBatchTopK() {
      return this == BATCH_TOP_K || this == MATRYOSHKA;
    }

    boolean hasScaledFeatures() {
      return this == GATED || this == JUMP_RELU;
    }
  }

  private final SaeFolder folder;
  private final SaeJson json;
  private final SaeJson trainer;
  private final TensorFile file;
  private final Kind kind;

  private DictionaryLearningReader(SaeFolder folder, SaeJson json, TensorFile file)
      throws SaeCheckpointException {
    this.folder = folder;
    this.json = json;
    this.file = file;
    trainer = json.object("trainer");
    kind = kind();
  }

  static SaeContents read(SaeFolder folder, Stated stated) throws IOException {
    SaeJson json = SaeJson.parse(folder.path(CONFIG), folder.json(CONFIG));
    TensorFile file = folder.tensors(WEIGHTS);
    try {
      SaeContents contents = new DictionaryLearningReader(folder, json, file).read(stated);
      contents.check();
      return contents;
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private SaeContents read(Stated stated) throws IOException {
    Map<SaeWeight, StoredWeight> table = new EnumMap<>(SaeWeight.class);
    kind.keys.forEach(
        (weight, key) ->
            StoredWeight.put(
                table,
                file,
                weight,
                key,
                key.endsWith(".weight")
                    ? StoredWeight.Layout.TRANSPOSED
                    : StoredWeight.Layout.AS_IS));
    Map<SaeWeight, StoredWeight> stored =
        SaeContents.find(file, table, EnumSet.noneOf(SaeWeight.class), kind.others);
    int[] encoder = stored.get(SaeWeight.W_enc).matrixSizes();
    trainer.requireOfTensors("activation_dim", encoder[0]);
    trainer.requireOfTensors("dict_size", encoder[1]);
    OptionalInt k = k();
    if (k.isPresent() && (k.getAsInt() < 1 || k.getAsInt() > encoder[1])) {
      throw trainer.error("k", "is " + k.getAsInt() + ", must lie from 1 to " + encoder[1]);
    }
    SaeContents.Conversion conversion =
        kind.hasScaledFeatures()
            ? DictionaryLearningReader::scaleFeatures
            : SaeContents.Conversion.NONE;
    if (kind.isBatchTopK()) {
      float threshold = threshold();
      conversion = weights -> weights.put(SaeWeight.threshold, same(threshold, encoder));
    }
    HookPoint point = Points.settle(folder.path(CONFIG), ModulePoints.find(trainer), stated);
    SaeConfig config =
        SaeFacts.of(
            folder.path(CONFIG),
            () ->
                new SaeConfig(
                    Points.nameOf(folder.path("")),
                    kind.architecture,
                    encoder[0],
                    encoder[1],
                    encoder[0],
                    kind.architecture == Architecture.TOP_K ? k : OptionalInt.empty(),
                    TopKScale.PLAIN,
                    Normalization.NONE,
                    1,
                    kind.decoderBias,
                    point,
                    point,
                    stated.weights(),
                    new Provenance(
                        trainer.text("lm_name"),
                        json.object("buffer").integer("ctx_len"),
                        Optional.empty(),
                        Optional.empty())));
    return new SaeContents(
        "dictionary_learning " + kind.className, config, file, WEIGHTS, stored, conversion);
  }

  private Kind kind() throws SaeCheckpointException {
    Optional<String> name = trainer.text("dict_class");
    for (Kind each : Kind.values()) {
      if (name.isPresent() && each.className.equals(name.get())) {
        return each;
      }
    }
    throw trainer.error(
        "dict_class",
        (name.isEmpty() ? "is missing" : "is " + trainer.value("dict_class"))
            + ", known are "
            + String.join(", ", Arrays.stream(Kind.values()).map(each -> each.className).toList())
            + ". Use an SAE of one of these classes");
  }

  /** Returns k of a top-k or batch top-k dictionary, from the configuration and the tensor. */
  private OptionalInt k() throws IOException {
    if (!kind.others.contains("k")) {
      return OptionalInt.empty();
    }
    OptionalInt stated = trainer.integer("k");
    OptionalInt kept = OptionalInt.empty();
    if (file.has("k")) {
      requireOneValue("k");
      long value = file.longs("k")[0];
      if (value < 1 || value > Integer.MAX_VALUE) {
        throw tensor("k", "is " + value + ", must be a positive number");
      }
      kept = OptionalInt.of((int) value);
    }
    if (stated.isPresent() && kept.isPresent() && stated.getAsInt() != kept.getAsInt()) {
      throw trainer.error(
          "k",
          "is "
              + stated.getAsInt()
              + ", but the tensor k of "
              + WEIGHTS
              + " is "
              + kept.getAsInt()
              + "; the files do not belong together. Fetch them again");
    }
    OptionalInt k = stated.isPresent() ? stated : kept;
    if (k.isEmpty() && kind.architecture == Architecture.TOP_K) {
      throw trainer.error(
          "k",
          "is missing, and a top-k SAE cannot be run without it. Add what it was trained with");
    }
    return k;
  }

  private float threshold() throws IOException {
    if (!file.has("threshold")) {
      throw tensor(
          "threshold",
          "is missing, and a batch top-k SAE cannot be run on single rows without it. Train it with"
              + " a version that keeps one");
    }
    requireOneValue("threshold");
    double value = file.doubles("threshold")[0];
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw tensor(
          "threshold",
          "is "
              + value
              + ", which means that training ended before one was found. Train it for longer");
    }
    return (float) value;
  }

  private void requireOneValue(String key) throws IOException {
    TensorInfo info = file.entry(key);
    if (info.elements() != 1) {
      throw tensor(key, "has shape " + info.shape() + ", expected one value");
    }
  }

  private SaeCheckpointException tensor(String key, String what) {
    return new SaeCheckpointException(folder.path(WEIGHTS) + ": tensor " + key + " " + what);
  }

  private static Tensor same(float value, int[] encoder) {
    float[] all = new float[encoder[1]];
    Arrays.fill(all, value);
    return Tensor.wrap(SaeWeight.threshold.shape(encoder[0], encoder[1], encoder[0]), all);
  }

  /** Moves the norm of each decoder row to where the feature's value comes from. */
  private static void scaleFeatures(Map<SaeWeight, Tensor> weights) {
    Tensor decoder = weights.get(SaeWeight.W_dec);
    double[] norms = Rows.norms(decoder);
    weights.put(SaeWeight.W_dec, Rows.divided(decoder, norms));
    if (weights.containsKey(SaeWeight.r_mag)) {
      weights.compute(
          SaeWeight.r_mag, (w, t) -> Rows.eachFeature(t, (v, f) -> v + Math.log(norms[f])));
      weights.compute(SaeWeight.b_mag, (w, t) -> Rows.eachFeature(t, (v, f) -> v * norms[f]));
      return;
    }
    for (SaeWeight weight :
        new SaeWeight[] {SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.threshold}) {
      weights.compute(weight, (w, t) -> Rows.eachFeature(t, (v, f) -> v * norms[f]));
    }
  }
}

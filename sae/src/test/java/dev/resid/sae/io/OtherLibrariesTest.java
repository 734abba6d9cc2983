package dev.resid.sae.io;

import static dev.resid.sae.io.Numbers.D_IN;
import static dev.resid.sae.io.Numbers.D_SAE;
import static dev.resid.sae.io.Numbers.ROWS;
import static dev.resid.sae.io.Numbers.flat;
import static dev.resid.sae.io.Numbers.norm;
import static dev.resid.sae.io.Numbers.normal;
import static dev.resid.sae.io.Numbers.plus;
import static dev.resid.sae.io.Numbers.rows;
import static dev.resid.sae.io.Numbers.times;
import static dev.resid.sae.io.Numbers.transposed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.WeightsState;
import dev.resid.sae.Architecture;
import dev.resid.sae.Sae;
import dev.resid.sae.io.PtFile.Values;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files in the layouts of libraries other than SAELens, made here, against each library's own
 * formula in float64.
 */
class OtherLibrariesTest {
  /** d_sae rows of width d_in, as PyTorch's encoder has it. */
  private static final float[] ENCODER = normal(1, D_SAE * D_IN);

  /** d_in rows of width d_sae, as PyTorch's decoder has it. */
  private static final float[] DECODER = normal(2, D_IN * D_SAE);

  private static final float[] B_ENC = normal(3, D_SAE);
  private static final float[] B_DEC = normal(4, D_IN);
  private static final float[] EXTRA = normal(5, D_SAE);
  private static final float[] MORE = normal(6, D_SAE);

  /** Float32 products of at most nine terms, in the order of tens, a few times over. */
  private static final Tolerance CLOSE = Tolerance.within(2e-5, 2e-5);

  @TempDir Path temp;
  private Backend backend;

  /** One library's forward pass of one row. */
  @FunctionalInterface
  private interface Forward {
    /** Returns features and reconstruction. */
    double[][] apply(double[] x);
  }

  @BeforeEach
  void open() {
    backend = Backends.named("scalar");
  }

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void apolloDividesDecoderColumnsByTheirNormAndSubtractsNoBias() throws IOException {
    Path file = temp.resolve("saes.safetensors");
    new SafetensorsWriter()
        .add("saes.blocks-3-hook_resid_pre.encoder.0.weight", matrix(ENCODER, D_SAE, D_IN))
        .add("saes.blocks-3-hook_resid_pre.encoder.0.bias", vector(B_ENC))
        .add("saes.blocks-3-hook_resid_pre.decoder.weight", matrix(DECODER, D_IN, D_SAE))
        .add("saes.blocks-3-hook_resid_pre.decoder.bias", vector(B_DEC))
        .write(file);
    Sae sae = SaeCheckpoint.load(file, backend);
    assertEquals(HookPoint.residPre(3), sae.hookPoint());
    double[][] columns = transposed(rows(DECODER, D_SAE));
    for (double[] column : columns) {
      double norm = norm(column);
      Arrays.setAll(column, i -> column[i] / norm);
    }
    requireSame(
        sae,
        x -> {
          double[] c = relu(plus(times(rows(ENCODER, D_IN), x), B_ENC, 1));
          return new double[][] {c, plus(times(transposed(columns), c), B_DEC, 1)};
        });
  }

  @Test
  void openAiNormalisesInputsOfTopKAndTakesThePlaceFromThePath() throws IOException {
    Path file = temp.resolve("gpt2-small/resid_post_mlp_v5_32k/autoencoders/6.pt");
    Files.createDirectories(file.getParent());
    PtFile.write(file, openAi("TopK", 3));
    Sae sae = SaeCheckpoint.load(file, backend);
    assertEquals(HookPoint.residPost(6), sae.hookPoint());
    assertEquals(Optional.of(WeightsState.RAW), sae.config().weights());
    requireSame(
        sae,
        x -> {
          double mean = Arrays.stream(x).average().getAsDouble();
          double[] centred = Arrays.stream(x).map(v -> v - mean).toArray();
          double deviation = norm(centred) / Math.sqrt(D_IN - 1);
          double[] in = Arrays.stream(centred).map(v -> v / (deviation + 1e-5)).toArray();
          double[] pre = plus(times(rows(ENCODER, D_IN), plus(in, B_DEC, -1)), B_ENC, 1);
          double[] f = topK(pre, 3);
          double[] out = plus(times(rows(DECODER, D_SAE), f), B_DEC, 1);
          return new double[][] {f, Arrays.stream(out).map(v -> v * deviation + mean).toArray()};
        });
  }

  @Test
  void openAiWithReluDoesNotNormalise() throws IOException {
    Path file = PtFile.write(temp.resolve("any.pt"), openAi("ReLU", 0));
    SaeCheckpointException nowhere =
        assertThrows(SaeCheckpointException.class, () -> SaeCheckpoint.open(file));
    assertTrue(nowhere.getMessage().contains("--at"), nowhere.getMessage());
    Sae sae = SaeCheckpoint.load(file, Stated.nothing().at(HookPoint.mlpOut(2)), backend);
    assertEquals(Optional.empty(), sae.config().weights());
    requireSame(sae, OtherLibrariesTest::standard);
  }

  @Test
  void dictionaryLearningAutoEncoder() throws IOException {
    Map<String, Object> tensors = linear();
    tensors.put("encoder.bias", Values.floats(new int[] {D_SAE}, B_ENC));
    tensors.put("bias", Values.floats(new int[] {D_IN}, B_DEC));
    requireSame(dictionary("AutoEncoder", "", tensors), OtherLibrariesTest::standard);
  }

  @Test
  void dictionaryLearningAutoEncoderNewSubtractsNothing() throws IOException {
    Map<String, Object> tensors = linear();
    tensors.put("encoder.bias", Values.floats(new int[] {D_SAE}, B_ENC));
    tensors.put("decoder.bias", Values.floats(new int[] {D_IN}, B_DEC));
    requireSame(
        dictionary("AutoEncoderNew", "", tensors),
        x -> {
          double[] f = relu(plus(times(rows(ENCODER, D_IN), x), B_ENC, 1));
          return new double[][] {f, plus(times(rows(DECODER, D_SAE), f), B_DEC, 1)};
        });
  }

  @Test
  void dictionaryLearningTopK() throws IOException {
    Map<String, Object> tensors = topKTensors();
    tensors.put("k", Values.integer(2));
    Sae sae = dictionary("AutoEncoderTopK", ", \"k\": 2", tensors);
    assertEquals(OptionalInt.of(2), sae.config().k());
    requireSame(
        sae,
        x -> {
          double[] f = topK(preActivations(x), 2);
          return new double[][] {f, plus(times(rows(DECODER, D_SAE), f), B_DEC, 1)};
        });
  }

  @Test
  void dictionaryLearningBatchTopKIsUsedByItsThreshold() throws IOException {
    Map<String, Object> tensors = topKTensors();
    tensors.put("k", Values.integer(2));
    tensors.put("threshold", Values.floats(new int[0], 1.25f));
    Sae sae = dictionary("BatchTopKSAE", ", \"k\": 2", tensors);
    assertEquals(Architecture.JUMP_RELU, sae.config().architecture());
    requireSame(
        sae,
        x -> {
          double[] f = Arrays.stream(preActivations(x)).map(v -> v > 1.25 ? v : 0).toArray();
          return new double[][] {f, plus(times(rows(DECODER, D_SAE), f), B_DEC, 1)};
        });
  }

  @Test
  void aBatchTopKWithoutAThresholdIsRefused() throws IOException {
    Map<String, Object> tensors = topKTensors();
    tensors.put("k", Values.integer(2));
    tensors.put("threshold", Values.floats(new int[0], -1f));
    IOException refused =
        assertThrows(
            SaeCheckpointException.class, () -> dictionary("BatchTopKSAE", ", \"k\": 2", tensors));
    assertTrue(refused.getMessage().contains("tensor threshold is -1.0"), refused.getMessage());
  }

  @Test
  void dictionaryLearningGatedScalesFeaturesByDecoderNorms() throws IOException {
    Map<String, Object> tensors = linear();
    tensors.put("decoder_bias", Values.floats(new int[] {D_IN}, B_DEC));
    tensors.put("gate_bias", Values.floats(new int[] {D_SAE}, B_ENC));
    tensors.put("mag_bias", Values.floats(new int[] {D_SAE}, EXTRA));
    tensors.put("r_mag", Values.floats(new int[] {D_SAE}, MORE));
    double[][] columns = transposed(rows(DECODER, D_SAE));
    requireSame(
        dictionary("GatedAutoEncoder", "", tensors),
        x -> {
          double[] pre = times(rows(ENCODER, D_IN), plus(x, B_DEC, -1));
          double[] plain = new double[D_SAE];
          double[] f = new double[D_SAE];
          for (int i = 0; i < D_SAE; i++) {
            boolean open = pre[i] + B_ENC[i] > 0;
            plain[i] = open ? Math.max(0, Math.exp(MORE[i]) * pre[i] + EXTRA[i]) : 0;
            f[i] = plain[i] * norm(columns[i]);
          }
          return new double[][] {f, plus(times(rows(DECODER, D_SAE), plain), B_DEC, 1)};
        });
  }

  @Test
  void dictionaryLearningJumpReluScalesFeaturesByDecoderNorms() throws IOException {
    float[] thresholds = new float[D_SAE];
    for (int i = 0; i < D_SAE; i++) {
      thresholds[i] = Math.abs(EXTRA[i]);
    }
    Map<String, Object> tensors = new HashMap<>();
    tensors.put("W_enc", Values.floats(new int[] {D_IN, D_SAE}, DECODER));
    tensors.put("W_dec", Values.floats(new int[] {D_SAE, D_IN}, ENCODER));
    tensors.put("b_enc", Values.floats(new int[] {D_SAE}, B_ENC));
    tensors.put("b_dec", Values.floats(new int[] {D_IN}, B_DEC));
    tensors.put("threshold", Values.floats(new int[] {D_SAE}, thresholds));
    double[][] directions = rows(ENCODER, D_IN);
    requireSame(
        dictionary("JumpReluAutoEncoder", "", tensors),
        x -> {
          double[] pre = plus(times(transposed(rows(DECODER, D_SAE)), x), B_ENC, 1);
          double[] plain = new double[D_SAE];
          double[] f = new double[D_SAE];
          for (int i = 0; i < D_SAE; i++) {
            plain[i] = pre[i] > thresholds[i] ? Math.max(pre[i], 0) : 0;
            f[i] = plain[i] * norm(directions[i]);
          }
          return new double[][] {f, plus(times(transposed(directions), plain), B_DEC, 1)};
        });
  }

  @Test
  void sparsifyTakesThePlaceFromTheFolder() throws IOException {
    Path dir = Files.createDirectories(temp.resolve("h.4.mlp"));
    Files.writeString(
        dir.resolve("cfg.json"),
        """
        {"activation": "topk", "expansion_factor": 32, "normalize_decoder": true,
         "num_latents": %d, "k": 3, "multi_topk": false, "skip_connection": false, "d_in": %d}
        """
            .formatted(D_SAE, D_IN));
    new SafetensorsWriter()
        .add("encoder.weight", matrix(ENCODER, D_SAE, D_IN))
        .add("encoder.bias", vector(B_ENC))
        .add("W_dec", matrix(DECODER, D_SAE, D_IN))
        .add("b_dec", vector(B_DEC))
        .write(dir.resolve("sae.safetensors"));
    Sae sae = SaeCheckpoint.load(dir, backend);
    assertEquals(HookPoint.mlpOut(4), sae.hookPoint());
    requireSame(
        sae,
        x -> {
          double[] f = topK(preActivations(x), 3);
          return new double[][] {f, plus(times(transposed(rows(DECODER, D_IN)), f), B_DEC, 1)};
        });
  }

  @Test
  void sparsifysTranscodersReadWhatTheModuleIsGiven() throws IOException {
    Path dir = Files.createDirectories(temp.resolve("h.4.mlp"));
    Files.writeString(
        dir.resolve("cfg.json"),
        """
        {"activation": "topk", "num_latents": %d, "k": 3, "skip_connection": true,
         "transcode": true, "d_in": %d}
        """
            .formatted(D_SAE, D_IN));
    float[] skip = new float[D_IN * D_IN];
    for (int i = 0; i < skip.length; i++) {
      skip[i] = (i % 7 - 3) / 8f;
    }
    new SafetensorsWriter()
        .add("encoder.weight", matrix(ENCODER, D_SAE, D_IN))
        .add("encoder.bias", vector(B_ENC))
        .add("W_dec", matrix(DECODER, D_SAE, D_IN))
        .add("b_dec", vector(B_DEC))
        .add("W_skip", matrix(skip, D_IN, D_IN))
        .write(dir.resolve("sae.safetensors"));
    Sae sae = SaeCheckpoint.load(dir, backend);
    assertEquals(HookPoint.at(Site.LN2_NORMALIZED, 4), sae.hookPoint());
    assertEquals(HookPoint.mlpOut(4), sae.config().outputPoint());
    requireSame(
        sae,
        x -> {
          double[] f = topK(plus(times(rows(ENCODER, D_IN), x), B_ENC, 1), 3);
          double[] out = plus(times(rows(skip, D_IN), x), B_DEC, 1);
          double[] decoded = times(transposed(rows(DECODER, D_IN)), f);
          Arrays.setAll(out, i -> out[i] + decoded[i]);
          return new double[][] {f, out};
        });
    Path elsewhere = Files.move(dir, temp.resolve("transcoder"));
    SaeCheckpointException e =
        assertThrows(
            SaeCheckpointException.class,
            () ->
                SaeCheckpoint.load(
                    elsewhere, Stated.nothing().at(HookPoint.at(Site.LN2_NORMALIZED, 4)), backend));
    assertTrue(e.getMessage().contains("Rename the folder"), e.getMessage());
  }

  @Test
  void attentionSaesHaveTheirConfigurationBeside() throws IOException {
    Map<String, Object> tensors = new HashMap<>();
    tensors.put("W_enc", Values.floats(new int[] {D_IN, D_SAE}, DECODER));
    tensors.put("W_dec", Values.floats(new int[] {D_SAE, D_IN}, ENCODER));
    tensors.put("b_enc", Values.floats(new int[] {D_SAE}, B_ENC));
    tensors.put("b_dec", Values.floats(new int[] {D_IN}, B_DEC));
    Path file = PtFile.write(temp.resolve("gpt2-small_L5_v9.pt"), tensors);
    Files.writeString(
        temp.resolve("gpt2-small_L5_v9_cfg.json"),
        """
        {"act_name": "blocks.5.attn.hook_z", "act_size": %d, "dict_size": %d, "seq_len": 128,
         "model_name": "gpt2-small", "lr": 0.0012, "concat_heads": true}
        """
            .formatted(D_IN, D_SAE));
    Sae sae = SaeCheckpoint.load(file, backend);
    assertEquals(HookPoint.z(5), sae.hookPoint());
    requireSame(
        sae,
        x -> {
          double[] in = plus(x, B_DEC, -1);
          double[] f = relu(plus(times(transposed(rows(DECODER, D_SAE)), in), B_ENC, 1));
          return new double[][] {f, plus(times(transposed(rows(ENCODER, D_IN)), f), B_DEC, 1)};
        });
  }

  private static Map<String, Object> linear() {
    Map<String, Object> tensors = new HashMap<>();
    tensors.put("encoder.weight", Values.floats(new int[] {D_SAE, D_IN}, ENCODER));
    tensors.put("decoder.weight", Values.floats(new int[] {D_IN, D_SAE}, DECODER));
    return tensors;
  }

  private static Map<String, Object> topKTensors() {
    Map<String, Object> tensors = linear();
    tensors.put("encoder.bias", Values.floats(new int[] {D_SAE}, B_ENC));
    tensors.put("b_dec", Values.floats(new int[] {D_IN}, B_DEC));
    return tensors;
  }

  private static Map<String, Object> openAi(String activation, long k) {
    Map<String, Object> values = linear();
    values.put("pre_bias", Values.floats(new int[] {D_IN}, B_DEC));
    values.put("latent_bias", Values.floats(new int[] {D_SAE}, B_ENC));
    values.put("latents_mean_square", Values.floats(new int[] {D_SAE}, EXTRA));
    values.put("activation", activation);
    if (k > 0) {
      values.put("activation_state_dict", Map.of("k", k, "postact_fn", "ReLU"));
    }
    return values;
  }

  private Sae dictionary(String className, String more, Map<String, Object> tensors)
      throws IOException {
    Files.writeString(
        temp.resolve("config.json"),
        """
        {"trainer": {"dict_class": "%s", "activation_dim": %d, "dict_size": %d, "layer": 3,
         "lm_name": "gpt2", "submodule_name": "resid_post_layer_3"%s},
         "buffer": {"ctx_len": 128}}
        """
            .formatted(className, D_IN, D_SAE, more));
    PtFile.write(temp.resolve("ae.pt"), tensors);
    Sae sae = SaeCheckpoint.load(temp, backend);
    assertEquals(HookPoint.residPost(3), sae.hookPoint());
    assertEquals(OptionalInt.of(128), sae.config().provenance().contextLength());
    return sae;
  }

  private static double[] preActivations(double[] x) {
    return plus(times(rows(ENCODER, D_IN), plus(x, B_DEC, -1)), B_ENC, 1);
  }

  private static double[][] standard(double[] x) {
    double[] f = relu(preActivations(x));
    return new double[][] {f, plus(times(rows(DECODER, D_SAE), f), B_DEC, 1)};
  }

  private static double[] relu(double[] values) {
    return Arrays.stream(values).map(v -> Math.max(v, 0)).toArray();
  }

  private static double[] topK(double[] values, int k) {
    TreeSet<Double> kept = new TreeSet<>();
    Arrays.stream(values).forEach(kept::add);
    while (kept.size() > k) {
      kept.pollFirst();
    }
    return Arrays.stream(values).map(v -> kept.contains(v) ? Math.max(v, 0) : 0).toArray();
  }

  private static Tensor matrix(float[] values, int rows, int columns) {
    return Tensor.wrap(Shape.of(Axis.ROW, rows, Axis.OUT, columns), values);
  }

  private static Tensor vector(float[] values) {
    return Tensor.wrap(Shape.of(Axis.OUT, values.length), values);
  }

  private void requireSame(Sae sae, Forward library) {
    Tensor x = Numbers.activations();
    double[][] inputs = rows(x.toArray(), D_IN);
    double[][] features = new double[ROWS][];
    double[][] outputs = new double[ROWS][];
    int active = 0;
    for (int r = 0; r < ROWS; r++) {
      double[][] both = library.apply(inputs[r]);
      features[r] = both[0];
      outputs[r] = both[1];
      active += (int) Arrays.stream(features[r]).filter(v -> v > 0).count();
    }
    assertTrue(active > ROWS && active < ROWS * D_SAE, "a telling case has some active features");
    TensorAssert check = new TensorAssert("scalar", sae.config().name(), 20);
    check.close(flat(features), sae.encode(x).toDense(), CLOSE);
    check.close(flat(outputs), sae.reconstruct(x), CLOSE);
  }
}

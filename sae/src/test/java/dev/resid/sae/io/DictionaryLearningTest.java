package dev.resid.sae.io;

import static dev.resid.sae.io.Numbers.D_IN;
import static dev.resid.sae.io.Numbers.D_SAE;
import static dev.resid.sae.io.Numbers.norm;
import static dev.resid.sae.io.Numbers.plus;
import static dev.resid.sae.io.Numbers.rows;
import static dev.resid.sae.io.Numbers.times;
import static dev.resid.sae.io.Numbers.transposed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.sae.Architecture;
import dev.resid.sae.Sae;
import dev.resid.sae.io.PtFile.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Files of dictionary_learning. */
class DictionaryLearningTest extends LibraryCase {
  @Test
  void dictionaryLearningAutoEncoder() throws IOException {
    Map<String, Object> tensors = linear();
    tensors.put("encoder.bias", Values.floats(new int[] {D_SAE}, B_ENC));
    tensors.put("bias", Values.floats(new int[] {D_IN}, B_DEC));
    requireSame(dictionary("AutoEncoder", "", tensors), LibraryCase::standard);
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

  private static Map<String, Object> topKTensors() {
    Map<String, Object> tensors = linear();
    tensors.put("encoder.bias", Values.floats(new int[] {D_SAE}, B_ENC));
    tensors.put("b_dec", Values.floats(new int[] {D_IN}, B_DEC));
    return tensors;
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
}

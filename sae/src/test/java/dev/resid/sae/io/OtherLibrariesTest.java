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
import dev.resid.hook.Site;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.io.PtFile.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * Files in the layouts of libraries other than SAELens, made here, against each library's own
 * formula in float64.
 */
class OtherLibrariesTest extends LibraryCase {
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
    requireSame(sae, LibraryCase::standard);
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
}

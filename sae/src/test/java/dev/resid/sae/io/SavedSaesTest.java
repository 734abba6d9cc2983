package dev.resid.sae.io;

import static dev.resid.sae.io.Numbers.D_IN;
import static dev.resid.sae.io.Numbers.D_SAE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.io.Safetensors;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** SAELens folders as they are written: what is saved reads back. */
class SavedSaesTest {
  @TempDir Path temp;

  private Path dir;

  @BeforeEach
  void name() {
    dir = temp.resolve("tiny");
  }

  @ParameterizedTest
  @EnumSource(Architecture.class)
  void whatIsSavedReadsBackBitForBit(Architecture architecture) throws IOException {
    SaeConfig config = TinySae.config(architecture);
    SaeWeights weights = TinySae.weights(architecture);
    SaeCheckpoint.save(config, weights, DType.F32, dir);
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertEquals("SAELens 6", read.format());
      assertEquals(config, read.config());
      requireSameBits(weights, read.weights());
      assertEquals(Optional.empty(), read.logFrequencies());
      assertEquals(64, read.sha256().length());
    }
  }

  @Test
  void transcodersKeepTheirOutput() throws IOException {
    SaeConfig config = transcoder();
    SaeWeights weights =
        TinySae.weights(
            EnumSet.of(
                SaeWeight.W_enc,
                SaeWeight.b_enc,
                SaeWeight.W_dec,
                SaeWeight.b_dec,
                SaeWeight.W_skip),
            3);
    SaeCheckpoint.save(config, weights, DType.F32, dir);
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertEquals(config, read.config());
      requireSameBits(weights, read.weights());
    }
  }

  @Test
  void factorsWithoutAPlaceAreMultipliedIn() throws IOException {
    SaeConfig plain = TinySae.config(Architecture.RELU);
    SaeConfig scaled = scaled(plain, 0.25);
    SaeWeights weights =
        TinySae.weights(
            EnumSet.of(
                SaeWeight.W_enc,
                SaeWeight.b_enc,
                SaeWeight.W_dec,
                SaeWeight.b_dec,
                SaeWeight.scaling_factor),
            D_IN);
    SaeCheckpoint.save(scaled, weights, DType.F32, dir);
    Tensor x = Numbers.activations();
    try (Backend backend = Backends.named("scalar")) {
      Sae before = Sae.of(scaled, weights, backend);
      Sae after = SaeCheckpoint.load(dir, backend);
      assertEquals(Normalization.NONE, after.config().normalization());
      TensorAssert check = new TensorAssert("scalar", "folded", 0);
      // A quarter is a power of two, so only the factors' products are rounded anew.
      Tolerance close = Tolerance.within(1e-5, 1e-5);
      check.close(before.encode(x).toDense(), after.encode(x).toDense(), close);
      check.close(before.reconstruct(x), after.reconstruct(x), close);
    }
  }

  @Test
  void narrowerNumbersAreRoundedOnce() throws IOException {
    SaeWeights weights = TinySae.weights(Architecture.RELU);
    SaeCheckpoint.save(TinySae.config(Architecture.RELU), weights, DType.F16, dir);
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertEquals(DType.F16, read.tensors().get(SaeWeight.W_enc).dtype());
      float[] found = read.weights().get(SaeWeight.W_enc).toArray();
      float[] given = weights.get(SaeWeight.W_enc).toArray();
      for (int i = 0; i < found.length; i++) {
        assertEquals(Float.float16ToFloat(Float.floatToFloat16(given[i])), found[i]);
      }
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> SaeCheckpoint.save(TinySae.config(Architecture.RELU), weights, DType.F64, dir));
  }

  @Test
  void theHeaderIsWhatPythonExpects() throws IOException {
    SaeCheckpoint.save(
        TinySae.config(Architecture.RELU), TinySae.weights(Architecture.RELU), DType.F32, dir);
    try (Safetensors file = Safetensors.open(dir.resolve("sae_weights.safetensors"))) {
      assertEquals(List.of(5L, 9L), file.entry("W_enc").shape());
      assertEquals(List.of(9L, 5L), file.entry("W_dec").shape());
    }
    SaeJson json =
        SaeJson.parse(dir.resolve("cfg.json"), Files.readAllBytes(dir.resolve("cfg.json")));
    assertEquals(Optional.of("standard"), json.text("architecture"));
    assertEquals(Optional.of("float32"), json.text("dtype"));
    assertEquals(Optional.of("6.18.0"), json.object("metadata").text("sae_lens_version"));
    assertEquals(
        Optional.of(true),
        json.object("metadata")
            .object("model_from_pretrained_kwargs")
            .flag("center_writing_weights"));
  }

  private static void requireSameBits(SaeWeights expected, SaeWeights found) {
    assertEquals(expected.tensors().keySet(), found.tensors().keySet());
    expected
        .tensors()
        .forEach(
            (name, tensor) ->
                assertArrayEquals(
                    tensor.toArray(), found.get(name).toArray(), 0f, name.toString()));
  }

  private static SaeConfig transcoder() {
    return new SaeConfig(
        "tiny",
        Architecture.RELU,
        D_IN,
        D_SAE,
        3,
        OptionalInt.empty(),
        TopKScale.PLAIN,
        Normalization.NONE,
        1,
        DecoderBias.ADDED,
        HookPoint.residMid(1),
        HookPoint.mlpOut(1),
        Optional.empty(),
        Provenance.UNKNOWN);
  }

  private static SaeConfig scaled(SaeConfig config, double scale) {
    return new SaeConfig(
        config.name(),
        config.architecture(),
        config.dIn(),
        config.dSae(),
        config.dOut(),
        config.k(),
        config.topKScale(),
        Normalization.EXPECTED_AVERAGE_NORM,
        scale,
        config.decoderBias(),
        config.point(),
        config.outputPoint(),
        config.weights(),
        config.provenance());
  }
}

package dev.resid.sae.io;

import static dev.resid.sae.io.Numbers.D_IN;
import static dev.resid.sae.io.Numbers.D_SAE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.WeightsState;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig.BeginningOfText;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** SAELens folders as others write them: nothing is guessed. */
class SaeCheckpointTest {
  @TempDir Path temp;

  private Path dir;

  @BeforeEach
  void name() {
    dir = temp.resolve("tiny");
  }

  @Test
  void theOldestFilesCountFeaturesInMultiplesAndCallPlacesHookPoints() throws IOException {
    write(
        """
        {"hook_point": "blocks.2.hook_resid_pre", "hook_point_layer": 2, "d_in": 5,
         "hook_point_head_index": null, "expansion_factor": 2, "dtype": "torch.float32",
         "lr": 0.0004, "l1_coefficient": 8e-05, "use_ghost_grads": true, "context_size": 128}
        """,
        10,
        Map.of());
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertEquals(HookPoint.residPre(2), read.config().point());
      assertEquals(DecoderBias.SUBTRACTED_AND_ADDED, read.config().decoderBias());
      assertEquals(
          Optional.of(BeginningOfText.PREPENDED), read.config().provenance().beginningOfText());
      assertEquals(Optional.empty(), read.config().weights());
    }
  }

  @Test
  void theThirdGenerationCallsTopKAnActivation() throws IOException {
    write(flat("\"activation_fn_str\": \"topk\", \"activation_fn_kwargs\": {\"k\": 4}"));
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertEquals("SAELens 3", read.format());
      assertEquals(Architecture.TOP_K, read.config().architecture());
      assertEquals(OptionalInt.of(4), read.config().k());
    }
  }

  @Test
  void normalisationMayBeATruthValue() throws IOException {
    for (boolean normalized : new boolean[] {true, false}) {
      write(flat("\"normalize_activations\": " + normalized));
      try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
        assertEquals(
            normalized ? Normalization.EXPECTED_AVERAGE_NORM : Normalization.NONE,
            read.config().normalization());
      }
    }
  }

  @Test
  void theRewritingThatMattersAtThePlaceStatesTheWeights() throws IOException {
    requireWeights("blocks.1.hook_resid_pre", "center_writing_weights", true);
    requireWeights("blocks.1.hook_mlp_out", "center_writing_weights", false);
    requireWeights("blocks.1.attn.hook_z", "fold_value_biases", true);
    write(flat("\"model_from_pretrained_kwargs\": {\"fold_ln\": true}"));
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertEquals(Optional.empty(), read.config().weights());
    }
  }

  private void requireWeights(String point, String key, boolean applied) throws IOException {
    write(
        """
        {"hook_name": "%s", "hook_layer": 1, "d_in": 5, "d_sae": 9,
         "model_from_pretrained_kwargs": {"%s": %s}}
        """
            .formatted(point, key, applied));
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertEquals(
          Optional.of(applied ? WeightsState.TRANSFORMER_LENS : WeightsState.RAW),
          read.config().weights());
    }
  }

  @Test
  void theCallerStatesWhatFilesDoNotAndMayNotContradictThem() throws IOException {
    write(flat("\"model_name\": \"m\""));
    Stated raw = Stated.nothing().on(WeightsState.RAW).at(HookPoint.residPre(1));
    try (SaeCheckpoint read = SaeCheckpoint.open(dir, raw)) {
      assertEquals(Optional.of(WeightsState.RAW), read.config().weights());
    }
    requireRefused(Stated.nothing().at(HookPoint.residPre(2)), "blocks.1.hook_resid_pre, not");
    write(flat("\"model_from_pretrained_kwargs\": {\"center_writing_weights\": true}"));
    requireRefused(raw, "trained on transformerlens weights");
  }

  @TestFactory
  Stream<DynamicTest> configurationsThatAreUnknownOrContradictoryAreRefused() {
    return Stream.of(
            new String[] {"\"architecture\": \"crosscoder\"", "architecture is", "known are gated"},
            new String[] {"\"architecture\": \"batchtopk\"", "saved", "jumprelu"},
            new String[] {"\"activation_fn_str\": \"gelu\"", "activation_fn_str is", "relu"},
            new String[] {"\"activation_fn_str\": \"topk\"", "k is missing", "Add"},
            new String[] {
              "\"architecture\": \"topk\", \"activation_fn_str\": \"relu\"",
              "activation_fn_str",
              "topk"
            },
            new String[] {
              "\"architecture\": \"topk\", \"k\": 2, \"activation_fn_kwargs\": {\"k\": 3}",
              "k is 2",
              "is 3"
            },
            new String[] {"\"k\": 2", "k is 2", "not a top-k"},
            new String[] {"\"activation_fn_kwargs\": {\"beta\": 1}", "kwargs.beta", "known is k"},
            new String[] {"\"normalize_activations\": \"rms\"", "normalize_activations", "none"},
            new String[] {"\"reshape_activations\": \"hook_z\"", "reshape_activations", "none"},
            new String[] {"\"dtype\": \"int8\"", "dtype is", "float32"},
            new String[] {"\"d_in\": 6", "d_in", "duplicate"},
            new String[] {"\"hook_head_index\": 3", "hook_head_index", "single head"},
            new String[] {"\"hook_point\": \"blocks.2.hook_resid_pre\"", "hook_point", "hook_name"},
            new String[] {"\"rescale_acts_by_decoder_norm\": true", "rescale_acts", "top-k"},
            new String[] {"\"squash_features\": 2", "squash_features is not known", "Remove"},
            new String[] {"\"context_size\": \"long\"", "context_size", "whole number"},
            new String[] {"\"prepend_bos\": \"yes\"", "prepend_bos", "true or false"},
            new String[] {"\"model_from_pretrained_kwargs\": 3", "kwargs", "object"},
            new String[] {
              "\"finetuning_scaling_factor\": true", "scaling_factor is missing", "true"
            })
        .map(
            row ->
                DynamicTest.dynamicTest(
                    row[0],
                    () -> {
                      write(flat(row[0]));
                      IOException e =
                          assertThrows(
                              SaeCheckpointException.class,
                              () -> {
                                try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
                                  read.weights();
                                }
                              });
                      requireSentence(e, row[1].equals("saved") ? "Save it" : row[1]);
                      if (!row[2].equals("duplicate")) {
                        requireSentence(e, row[2]);
                      }
                    }));
  }

  @Test
  void widthsMustAgreeWithTheTensors() throws IOException {
    write("{\"hook_name\": \"blocks.1.hook_resid_pre\", \"d_in\": 5, \"d_sae\": 8}");
    requireRefused(Stated.nothing(), "d_sae is 8");
    write("{\"hook_name\": \"blocks.1.hook_resid_pre\", \"hook_layer\": 2}");
    requireRefused(Stated.nothing(), "hook_layer is 2");
    write("{\"d_in\": 5}");
    requireRefused(Stated.nothing(), "hook_name is missing");
    write("{\"architecture\": \"standard\", \"metadata\": {}}");
    requireRefused(Stated.nothing(), "--at");
    write("{\"metadata\": {\"hook_name\": \"blocks.1.hook_resid_pre\"}}");
    requireRefused(Stated.nothing(), "architecture is missing");
    write("{\"architecture\": \"standard\", \"d_hidden\": 3, \"metadata\": {}}");
    requireRefused(Stated.nothing(), "d_hidden is not known");
  }

  @Test
  void tensorsMustBeThoseOfTheArchitecture() throws IOException {
    write(flat("\"architecture\": \"jumprelu\""));
    requireRefused(Stated.nothing(), "tensor threshold is missing");
    write(flat("\"d_out\": 5"), D_SAE, Map.of("W_extra", ones(3)));
    requireRefused(Stated.nothing(), "tensor W_extra belongs to no parameter");
    write(flat("\"d_out\": 5"), D_SAE, Map.of("scaling_factor", ones(3)));
    requireRefused(Stated.nothing(), "tensor scaling_factor has shape [3]");
  }

  @Test
  void scalingFactorsOfOnesAreDroppedAndOthersMustBeAnnounced() throws IOException {
    write(flat("\"d_out\": 5"), D_SAE, Map.of("scaling_factor", ones(D_SAE)));
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertEquals(Optional.empty(), read.weights().find(SaeWeight.scaling_factor));
    }
    Tensor twos = ones(D_SAE).map(v -> 2 * v);
    write(flat("\"d_out\": 5"), D_SAE, Map.of("scaling_factor", twos));
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      requireSentence(assertThrows(IOException.class, read::weights), "not all ones");
    }
    write(flat("\"finetuning_scaling_factor\": true"), D_SAE, Map.of("scaling_factor", twos));
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertArrayEquals(twos.toArray(), read.weights().get(SaeWeight.scaling_factor).toArray());
    }
  }

  @Test
  void aValueThatIsNotFiniteIsNamed() throws IOException {
    SaeWeights weights = TinySae.weights(Architecture.RELU);
    Map<SaeWeight, Tensor> damaged = new EnumMap<>(weights.tensors());
    float[] bias = weights.get(SaeWeight.b_enc).toArray().clone();
    bias[7] = Float.NaN;
    damaged.put(SaeWeight.b_enc, Tensor.wrap(weights.get(SaeWeight.b_enc).shape(), bias));
    SaeCheckpoint.save(TinySae.config(Architecture.RELU), new SaeWeights(damaged), DType.F32, dir);
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      requireSentence(
          assertThrows(IOException.class, read::weights), "tensor b_enc holds NaN at element 7");
    }
  }

  @Test
  void frequenciesAreReadWhereTheyLieBeside() throws IOException {
    write(flat("\"d_out\": 5"));
    Tensor logs = ones(D_SAE).map(v -> -3 * v);
    new SafetensorsWriter().add("sparsity", logs).write(dir.resolve("sparsity.safetensors"));
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      assertArrayEquals(logs.toArray(), read.logFrequencies().orElseThrow());
    }
    new SafetensorsWriter().add("sparsity", ones(4)).write(dir.resolve("sparsity.safetensors"));
    try (SaeCheckpoint read = SaeCheckpoint.open(dir)) {
      requireSentence(assertThrows(IOException.class, read::logFrequencies), "sparsity");
    }
  }

  @Test
  void foldersWithoutOrWithSeveralSaesAreRefused() throws IOException {
    Files.createDirectories(dir);
    requireRefused(Stated.nothing(), "holds no SAE. Expected sae_weights.safetensors");
    write(flat("\"d_out\": 5"));
    Files.copy(dir.resolve("sae_weights.safetensors"), dir.resolve("sae.safetensors"));
    requireRefused(Stated.nothing(), "several kinds");
    Files.delete(dir.resolve("sae_weights.safetensors"));
    Files.delete(dir.resolve("cfg.json"));
    requireRefused(Stated.nothing(), "cfg.json: is missing");
    Files.move(dir.resolve("sae.safetensors"), dir.resolve("any.safetensors"));
    requireRefused(Stated.nothing(), "no known kind of SAE");
    Files.copy(dir.resolve("any.safetensors"), dir.resolve("other.safetensors"));
    requireRefused(Stated.nothing(), "2 files of tensors");
    dir = temp.resolve("nowhere");
    requireRefused(Stated.nothing(), "there is no such file or folder");
  }

  private static Tensor ones(int count) {
    return Tensor.zeros(Shape.of(Axis.D_SAE, count)).map(v -> 1);
  }

  /** Returns a flat configuration of the third or fourth generation with one more entry. */
  private static String flat(String entry) {
    return "{\"hook_name\": \"blocks.1.hook_resid_pre\", \"d_in\": 5, " + entry + "}";
  }

  private void write(String config) throws IOException {
    write(config, D_SAE, Map.of());
  }

  private void write(String config, int dSae, Map<String, Tensor> more) throws IOException {
    Files.createDirectories(dir);
    Files.writeString(dir.resolve("cfg.json"), config);
    SafetensorsWriter writer = new SafetensorsWriter();
    for (SaeWeight weight :
        List.of(SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.W_dec, SaeWeight.b_dec)) {
      writer.add(weight.name(), Tensor.zeros(weight.shape(D_IN, dSae, D_IN)).map(v -> 1));
    }
    more.forEach(writer::add);
    writer.write(dir.resolve("sae_weights.safetensors"));
  }

  private void requireRefused(Stated stated, String part) {
    requireSentence(
        assertThrows(
            SaeCheckpointException.class,
            () -> {
              try (SaeCheckpoint read = SaeCheckpoint.open(dir, stated)) {
                read.weights();
              }
            }),
        part);
  }

  private void requireSentence(Exception e, String part) {
    assertTrue(e.getMessage().startsWith(dir.toString()), e.getMessage());
    assertTrue(e.getMessage().contains(part), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
  }
}

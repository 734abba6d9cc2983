package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.io.Safetensors;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightTransforms;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.testing.TensorAssert;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunCommandTest {
  private static final TokenBatch EVEN =
      TokenBatch.of(new int[] {3, 200, 7}, new int[] {1, 2, 256});
  private static final TokenBatch RAGGED =
      TokenBatch.of(new int[] {3, 200, 7, 9, 11}, new int[] {42}, new int[] {1, 2, 256});

  @TempDir private Path folder;
  private Path model;
  private Path tokens;
  private Path out;

  @BeforeEach
  void save() throws IOException {
    model = TinyModel.save(folder.resolve("model"), 1);
    tokens = folder.resolve("tokens.json");
    out = folder.resolve("out.safetensors");
    EVEN.writeJson(tokens);
  }

  private CliRun run(Object... more) {
    Object[] usual = {"--model", model, "--tokens", tokens, "--out", out};
    return CliRun.line("run", Stream.concat(Arrays.stream(usual), Arrays.stream(more)).toArray());
  }

  private static Capture[] everything() {
    return HookPoint.all(TinyModel.CONFIG.nLayers()).stream()
        .map(HookPoint::capture)
        .toArray(Capture[]::new);
  }

  /** Requires that a file holds exactly these tensors, bit for bit, with these sizes. */
  private static void assertHolds(Safetensors file, Map<String, Tensor> expected)
      throws IOException {
    assertEquals(new TreeSet<>(expected.keySet()), new TreeSet<>(file.names()));
    for (Map.Entry<String, Tensor> entry : expected.entrySet()) {
      new TensorAssert("file", entry.getKey(), 0)
          .sameBits(entry.getValue(), file.tensor(entry.getKey(), entry.getValue().shape()));
    }
  }

  private static Map<String, Tensor> tensors(ForwardResult result, String suffix) {
    Map<String, Tensor> tensors =
        result.cache().points().stream()
            .collect(Collectors.toMap(p -> p.name() + suffix, result.cache()::get));
    tensors.put("logits" + suffix, result.logits());
    return tensors;
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void theFileHoldsWhatTheLibraryComputes(String backendName) throws IOException {
    run("--capture", "*", "--backend", backendName).ok();
    try (Backend backend = Backends.named(backendName);
        Safetensors file = Safetensors.open(out)) {
      Gpt2 gpt2 = Gpt2.load(model, backend);
      assertHolds(file, tensors(gpt2.forward(EVEN, everything()), ""));
      assertEquals(Map.of("model", model.toString(), "weights", "raw"), file.metadata());
    }
  }

  @Test
  void weightsCanBeThoseOfTransformerLens() throws IOException {
    run("--capture", "*", "--weights", "transformerlens").ok();
    try (Backend backend = Backends.fastest();
        Safetensors file = Safetensors.open(out)) {
      Gpt2 gpt2 = Gpt2.load(model, backend, WeightTransforms.transformerLens());
      ForwardResult expected = gpt2.forward(EVEN, everything());
      assertHolds(file, tensors(expected, ""));
      assertEquals("transformerlens", file.metadata().get("weights"));
      assertFalse(expected.logits().sameBits(Gpt2.load(model, backend).forward(EVEN).logits()));
    }
  }

  @Test
  void withoutNamesThereAreLogitsOnly() throws IOException {
    run().ok();
    try (Safetensors file = Safetensors.open(out)) {
      assertEquals(List.of("logits"), file.names());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void raggedRowsAreWrittenOneByOneAsEachAloneWouldBe(String backendName) throws IOException {
    RAGGED.writeJson(tokens);
    run("--capture", "*", "--backend", backendName).ok();
    try (Backend backend = Backends.named(backendName);
        Safetensors file = Safetensors.open(out)) {
      Gpt2 gpt2 = Gpt2.load(model, backend);
      Map<String, Tensor> expected = new HashMap<>();
      for (int row = 0; row < RAGGED.rows(); row++) {
        ForwardResult alone = gpt2.forward(TokenBatch.of(RAGGED.row(row)), everything());
        expected.putAll(tensors(alone, "." + row));
      }
      assertHolds(file, expected);
    }
  }

  @Test
  void moreRowsThanAreRunAtATimeGiveTheSame() throws IOException {
    int length = 24;
    int[][] rows = new int[2 * (4096 / length) + 3][length];
    for (int row = 0; row < rows.length; row++) {
      for (int pos = 0; pos < length; pos++) {
        rows[row][pos] = (row * 31 + pos * 7) % TinyModel.TOKENS;
      }
    }
    TokenBatch many = TokenBatch.of(rows);
    assertTrue(TokensMixin.rowsAtATime(many) * 2 < rows.length, "all in two pieces");
    many.writeJson(tokens);
    run("-q", "--capture", "hook_embed,blocks.1.attn.hook_pattern").ok();
    try (Backend backend = Backends.fastest();
        Safetensors file = Safetensors.open(out)) {
      assertHolds(
          file,
          tensors(
              Gpt2.load(model, backend)
                  .forward(many, HookPoint.embed().capture(), HookPoint.pattern(1).capture()),
              ""));
    }
  }

  @Test
  void threadsDoNotChangeTheFile() throws IOException {
    run("--capture", "*", "--threads", 1).ok();
    byte[] one = Files.readAllBytes(out);
    run("--capture", "*", "--threads", 3).ok();
    assertEquals(-1, Arrays.mismatch(one, Files.readAllBytes(out)));
  }

  @Test
  void namesCanBeRepeatedAndSeparatedByCommas() throws IOException {
    run("--capture", "hook_embed,blocks.1.hook_*_out", "--capture", "hook_embed").ok();
    try (Safetensors file = Safetensors.open(out)) {
      assertEquals(
          Set.of("logits", "hook_embed", "blocks.1.hook_attn_out", "blocks.1.hook_mlp_out"),
          Set.copyOf(file.names()));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "hook_embedd, no activation is called \"hook_embedd\"",
    "blocks.0.hook_pre, no activation is called \"blocks.0.hook_pre\"",
    "blocks.9*.hook_resid_pre, no activation matches \"blocks.9*.hook_resid_pre\""
  })
  void anUnknownNameIsRefusedWithThoseThereAre(String name, String message) {
    run("--capture", name)
        .refused(message, "hook_embed", "blocks.L.attn.hook_pattern", "ln_final.hook_scale");
    assertFalse(Files.exists(out));
  }

  @Test
  void aLayerTheModelLacksIsRefused() {
    run("--capture", "blocks.2.hook_resid_pre").refused("blocks.2.hook_resid_pre", "2 blocks");
  }

  @Test
  void aRowThatDoesNotFitIsNamedBeforeAnythingIsRun() throws IOException {
    TokenBatch.of(new int[] {1}, new int[] {1, 2, 3}, new int[] {5, 257}).writeJson(tokens);
    run().refused(tokens.toString(), "token 257 at row 2, position 1", "vocabulary of 257");
    TokenBatch.of(new int[] {1}, new int[25]).writeJson(tokens);
    run().refused(tokens.toString(), "row 1 has 25 tokens", "context is 24");
  }

  @Test
  void anOldFileIsReplacedOnSuccessAndKeptOnFailure() throws IOException {
    Files.writeString(out, "old");
    run("--capture", "nothing").refused();
    assertEquals("old", Files.readString(out));
    run().ok();
    try (Safetensors file = Safetensors.open(out)) {
      assertTrue(file.has("logits"));
    }
  }
}

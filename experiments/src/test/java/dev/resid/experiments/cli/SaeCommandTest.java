package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.WeightsState;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.metric.WeightsFit;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class SaeCommandTest {
  private static final int WIDTH = 16;

  /** More rows than are computed at a time. */
  private static final int ROWS = SaeRows.AT_A_TIME + 3;

  @TempDir Path temp;
  private Path sae;
  private Path x;
  private Path out;

  @BeforeEach
  void write() throws IOException {
    sae = temp.resolve("centring");
    x = temp.resolve("x.safetensors");
    out = temp.resolve("out.safetensors");
    save(sae, Normalization.NONE, Optional.empty());
    new SafetensorsWriter().add("x", activations()).write(x);
  }

  @Test
  void theCatalogueIsATable() {
    List<String> lines = CliRun.of("sae", "list").ok().out().lines().toList();
    assertEquals(160, lines.size());
    assertTrue(lines.getFirst().startsWith("release "), lines.getFirst());
    List<String> one =
        CliRun.line("sae list --release gpt2-small-res-jb").ok().out().lines().toList();
    assertEquals(14, one.size());
    assertTrue(one.getLast().contains("gpt2-small/12-res-jb"), one.getLast());
    JsonNode json =
        new JsonMapper()
            .readTree(CliRun.line("sae list --json --release gpt2-small-hook-z-kk").out());
    assertEquals(12, json.size());
    assertTrue(json.get(0).path("weights").isNull(), json.get(0).toString());
    CliRun.line("sae list --release gpt3").refused("gpt3", "gpt2-small-res-jb");
    CliRun.line("sae list --embedded").ok();
  }

  @Test
  void infoShowsWhatIsStated() {
    CliRun run = CliRun.line("sae info", sae).ok();
    assertTrue(run.out().contains("weights          not stated"), run.out());
    assertTrue(run.out().contains("hook             blocks.1.hook_resid_pre"), run.out());
    JsonNode json =
        new JsonMapper().readTree(CliRun.line("sae info --json --weights raw", sae).ok().out());
    assertEquals("raw", json.path("weights").asString());
    assertEquals("F32 [16, 32]", json.path("tensors").path("W_enc").asString());
  }

  @Test
  void encodeWritesDenseFeaturesAndDecodeTakesThem() throws IOException {
    CliRun.line("sae encode --sae", sae, "--in", x, "--out", out).ok();
    Path again = temp.resolve("again.safetensors");
    CliRun.line("sae decode --sae", sae, "--in", out, "--out", again).ok();
    try (Safetensors features = Safetensors.open(out);
        Safetensors decoded = Safetensors.open(again)) {
      assertEquals(List.of((long) ROWS, 32L), features.entry("features").shape());
      assertEquals("centring", features.metadata().get("sae"));
      float[] values = activations().toArray();
      float[] found = features.tensor("features").toArray();
      float[] reconstruction = decoded.tensor("reconstruction").toArray();
      for (int r = 0; r < ROWS; r++) {
        double mean = 0;
        for (int i = 0; i < WIDTH; i++) {
          float value = values[r * WIDTH + i];
          mean += value / (double) WIDTH;
          assertEquals(Math.max(value, 0), found[r * 32 + i]);
          assertEquals(Math.max(-value, 0), found[r * 32 + WIDTH + i]);
        }
        for (int i = 0; i < WIDTH; i++) {
          assertEquals(values[r * WIDTH + i] - mean, reconstruction[r * WIDTH + i], 1e-5);
        }
      }
    }
  }

  @Test
  void reconstructionAndErrorMakeTheActivation() throws IOException {
    CliRun.line("sae encode --reconstruct --sae", sae, "--in", x, "--out", out).ok();
    try (Safetensors file = Safetensors.open(out)) {
      assertEquals(List.of("error", "reconstruction"), file.names().stream().sorted().toList());
      Tensor sum = file.tensor("reconstruction").plus(file.tensor("error"));
      assertArrayEquals(activations().toArray(), sum.toArray(), 1e-6f);
    }
  }

  @Test
  void whatIsNormalisedByRowNeedsTheActivationsToDecode() throws IOException {
    Path normed = temp.resolve("normed");
    save(normed, Normalization.LAYER_NORM, Optional.empty());
    CliRun.line("sae encode --sae", normed, "--in", x, "--out", out).ok();
    Path again = temp.resolve("again.safetensors");
    CliRun.line("sae decode --sae", normed, "--in", out, "--out", again).refused("--x");
    CliRun.line("sae decode --sae", normed, "--in", out, "--x", x, "--out", again).ok();
    Path direct = temp.resolve("direct.safetensors");
    CliRun.line("sae encode --reconstruct --sae", normed, "--in", x, "--out", direct).ok();
    try (Safetensors one = Safetensors.open(again);
        Safetensors other = Safetensors.open(direct)) {
      assertArrayEquals(
          other.tensor("reconstruction").toArray(), one.tensor("reconstruction").toArray());
    }
  }

  @Test
  void checkFindsTheWeightsByReconstruction() throws IOException {
    Path model = TinyModel.saveWithTokenizer(temp.resolve("model"), 4);
    String centred = CliRun.line("sae check --sae", sae, "--model", model).ok().out();
    assertTrue(centred.contains("transformerlens fits"), centred);
    assertTrue(centred.contains("stated           nothing"), centred);
    Path tokens = Files.writeString(temp.resolve("t.json"), "[[256,1,2,3,4],[256,9,8]]");
    Path identity = temp.resolve("identity");
    SaeCheckpoint.save(
        config("identity", Normalization.NONE, Optional.empty()), weights(0), DType.F32, identity);
    String either =
        CliRun.line("sae check --sae", identity, "--model", model, "--tokens", tokens).ok().out();
    assertTrue(either.contains("both fit alike"), either);
    Path bare = TinyModel.save(temp.resolve("bare"), 4);
    CliRun.line("sae check --sae", sae, "--model", bare).refused("--tokens");
  }

  @Test
  void checkSaysHowItsFindingStandsToWhatIsStated() {
    Optional<WeightsState> raw = Optional.of(WeightsState.RAW);
    assertEquals("raw fits, as stated", SaeCheckCommand.verdict(new WeightsFit(0.1, 0.5), raw));
    assertEquals(
        "transformerlens fits, although raw is stated",
        SaeCheckCommand.verdict(new WeightsFit(0.5, 0.1), raw));
    assertEquals(
        "both fit alike; nothing speaks against the stated raw",
        SaeCheckCommand.verdict(new WeightsFit(0.0997, 0.0974), raw));
    assertEquals(
        "raw fits: add --weights raw",
        SaeCheckCommand.verdict(new WeightsFit(0.1, 0.5), Optional.empty()));
  }

  @Test
  void nameOfAnEmbeddedSaeWithoutItsPrefixIsExplained() {
    CliRun.line("sae info local-layer3-l0-30").refused("embedded:local-layer3-l0-30");
    CliRun.line("sae info embedded:local-layer3-l0-30").ok();
  }

  @Test
  void checkRefusesAModelOfAnotherWidthOrDepth() throws IOException {
    SaeCheckpoint.save(
        new SaeConfig(
            "deep",
            Architecture.RELU,
            WIDTH,
            2 * WIDTH,
            WIDTH,
            OptionalInt.empty(),
            TopKScale.PLAIN,
            Normalization.NONE,
            1,
            DecoderBias.ADDED,
            HookPoint.residPre(7),
            HookPoint.residPre(7),
            Optional.empty(),
            Provenance.UNKNOWN),
        weights(1),
        DType.F32,
        temp.resolve("deep"));
    Path model = TinyModel.saveWithTokenizer(temp.resolve("model"), 4);
    CliRun.line("sae check --sae", temp.resolve("deep"), "--model", model)
        .refused("blocks.7.hook_resid_pre", "blocks 0 to 1");
    CliRun.line("sae check --sae", sae).refused("width 16", "embedded", "width 192");
  }

  @Test
  void whatFilesStateMayNotBeContradicted() throws IOException {
    save(sae, Normalization.NONE, Optional.of(WeightsState.RAW));
    CliRun.line("sae info", sae).ok();
    CliRun.line("sae info --weights transformerlens", sae).refused("raw", "Leave");
    CliRun.line("sae info --at blocks.0.hook_resid_pre", sae).refused("blocks.1.hook_resid_pre");
    CliRun.line("sae info --at nowhere", sae).wrongUsage("--at", "nowhere");
  }

  @Test
  void badInputIsOneSentence() throws IOException {
    CliRun.line("sae info", temp.resolve("missing")).refused("missing", "no such");
    CliRun.line("sae info embedded:none").refused("none");
    CliRun.line("sae").wrongUsage("what to do");
    CliRun.line("sae encode --in a --out b").wrongUsage("--sae");
    Path narrow = temp.resolve("narrow.safetensors");
    new SafetensorsWriter().add("x", Tensor.zeros(Shape.of(Axis.ROW, 3, Axis.IN, 5))).write(narrow);
    CliRun.line("sae encode --sae", sae, "--in", narrow, "--out", out)
        .refused("narrow.safetensors", "[3, 5]", "[rows, 16]");
    CliRun.line("sae decode --sae", sae, "--in", narrow, "--out", out).refused("features");
    float[] bad = new float[2 * WIDTH];
    bad[WIDTH + 2] = Float.NaN;
    new SafetensorsWriter()
        .add("x", Tensor.wrap(Shape.of(Axis.ROW, 2, Axis.IN, WIDTH), bad))
        .write(narrow);
    CliRun.line("sae encode --sae", sae, "--in", narrow, "--out", out)
        .refused("NaN", "row 1, column 2");
    CliRun.line("sae encode --sae", sae, "--in", x, "--out", temp.resolve("no/where"))
        .refused("no folder");
    assertTrue(Files.notExists(out), "nothing was written");
  }

  /** Writes x ↦ x − mean(x), exact on what has no mean, as features relu(x) and relu(−x). */
  private static void save(Path dir, Normalization normalization, Optional<WeightsState> state)
      throws IOException {
    SaeCheckpoint.save(
        config(dir.getFileName().toString(), normalization, state), weights(1), DType.F32, dir);
  }

  private static SaeConfig config(
      String name, Normalization normalization, Optional<WeightsState> state) {
    return new SaeConfig(
        name,
        Architecture.RELU,
        WIDTH,
        2 * WIDTH,
        WIDTH,
        OptionalInt.empty(),
        TopKScale.PLAIN,
        normalization,
        1,
        DecoderBias.ADDED,
        HookPoint.residPre(1),
        HookPoint.residPre(1),
        state,
        Provenance.UNKNOWN);
  }

  /** Returns weights of x ↦ x − part·mean(x). */
  private static SaeWeights weights(float part) {
    int features = 2 * WIDTH;
    float[] encoder = new float[WIDTH * features];
    float[] decoder = new float[features * WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      encoder[i * features + i] = 1;
      encoder[i * features + WIDTH + i] = -1;
      for (int o = 0; o < WIDTH; o++) {
        float value = (i == o ? 1 : 0) - part / WIDTH;
        decoder[i * WIDTH + o] = value;
        decoder[(WIDTH + i) * WIDTH + o] = -value;
      }
    }
    return new SaeWeights(
        Map.of(
            SaeWeight.W_enc,
            Tensor.wrap(SaeWeight.W_enc.shape(WIDTH, features, WIDTH), encoder),
            SaeWeight.W_dec,
            Tensor.wrap(SaeWeight.W_dec.shape(WIDTH, features, WIDTH), decoder),
            SaeWeight.b_enc,
            Tensor.zeros(SaeWeight.b_enc.shape(WIDTH, features, WIDTH)),
            SaeWeight.b_dec,
            Tensor.zeros(SaeWeight.b_dec.shape(WIDTH, features, WIDTH))));
  }

  private static Tensor activations() {
    float[] values = new float[ROWS * WIDTH];
    new CounterRandom(5).fillNormal(0, 0, values);
    for (int i = 0; i < values.length; i++) {
      values[i] += 0.5f;
    }
    return Tensor.wrap(Shape.of(Axis.ROW, ROWS, Axis.IN, WIDTH), values);
  }
}

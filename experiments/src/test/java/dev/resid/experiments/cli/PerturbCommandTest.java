package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightTransforms;
import dev.resid.random.CounterRandom;
import dev.resid.reference.Distributions;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PerturbCommandTest {
  private static final TokenBatch EVEN =
      TokenBatch.of(new int[] {3, 200, 7}, new int[] {1, 2, 256});
  private static final int WIDTH = TinyModel.CONFIG.dModel();
  private static final String SITE = "blocks.1.hook_resid_pre";

  @TempDir private Path folder;
  private Path model;
  private Path tokens;
  private Path direction;
  private Path out;

  @BeforeEach
  void save() throws IOException {
    model = TinyModel.save(folder.resolve("model"), 2);
    tokens = folder.resolve("tokens.json");
    direction = folder.resolve("direction.safetensors");
    out = folder.resolve("out.safetensors");
    EVEN.writeJson(tokens);
    write(random(2, 3));
  }

  private static Tensor random(int rows, int pos) {
    float[] values = new float[rows * pos * WIDTH];
    new CounterRandom(7).fillNormal(0, 0, values);
    return Tensor.wrap(Shape.of(Axis.BATCH, rows, Axis.POS, pos, Axis.D_MODEL, WIDTH), values);
  }

  private Tensor write(Tensor tensor) throws IOException {
    new SafetensorsWriter().add("direction", tensor).write(direction);
    return tensor;
  }

  private CliRun perturb(String site, Object... more) {
    Object[] usual = {
      "--model", model, "--tokens", tokens, "--direction", direction, "--out", out, "--site", site
    };
    return CliRun.line(
        "perturb", Stream.concat(Arrays.stream(usual), Arrays.stream(more)).toArray());
  }

  /**
   * Requires that the numbers of one length are those of a forward pass whose activation is
   * replaced by activation + length·direction: KL and L2 computed here, in float64, from logits and
   * streams.
   */
  private void assertMeasures(
      Safetensors file, String suffix, int index, Gpt2 gpt2, TokenBatch batch, Tensor moved)
      throws IOException {
    HookPoint point = HookPoint.parse(file.metadata().get("site"));
    HookPoint last = HookPoint.residPost(1);
    ForwardResult clean = gpt2.forward(batch, last.capture());
    ForwardResult changed = gpt2.forward(batch, point.replace((x, at) -> moved), last.capture());
    int positions = batch.rows() * batch.maxLength();
    double[] kl = new double[positions];
    double[] l2 = new double[positions];
    for (int i = 0; i < positions; i++) {
      kl[i] = Distributions.kl(part(clean.logits(), i), part(changed.logits(), i));
      double[] a = part(clean.cache().get(last), i);
      double[] b = part(changed.cache().get(last), i);
      l2[i] = Distributions.distance(a, b);
    }
    Shape shape = Shape.of(Axis.BATCH, batch.rows(), Axis.POS, batch.maxLength());
    TensorAssert check = new TensorAssert("perturb", "length " + index, 0);
    // KL of float32 logits around 1: an error of 1e-6 each, next to KL of 1e-3 to 1e2.
    check.close(
        shape, kl, part(file, "kl" + suffix, index, positions), Tolerance.within(1e-5, 1e-4));
    check.close(
        shape, l2, part(file, "l2" + suffix, index, positions), Tolerance.within(1e-6, 1e-5));
    if (file.has("logits" + suffix)) {
      int count = positions * TinyModel.TOKENS;
      check.sameBits(
          changed.logits().shape(),
          doubles(changed.logits()),
          part(file, "logits" + suffix, index, count));
    }
  }

  private static double[] part(Tensor tensor, int index) {
    int width = tensor.shape().last();
    return Arrays.copyOfRange(doubles(tensor), index * width, (index + 1) * width);
  }

  private static double[] part(Safetensors file, String name, int index, int count)
      throws IOException {
    return Arrays.copyOfRange(file.doubles(name), index * count, (index + 1) * count);
  }

  private static double[] doubles(Tensor tensor) {
    float[] values = tensor.toArray();
    double[] wide = new double[values.length];
    Arrays.setAll(wide, i -> values[i]);
    return wide;
  }

  private static Tensor moved(Gpt2 gpt2, String site, TokenBatch batch, double a, Tensor along) {
    HookPoint point = HookPoint.parse(site);
    Tensor x = gpt2.capture(batch, point.capture()).get(point);
    float[] values = x.toArray();
    float[] direction = along.toArray();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (values[i] + a * direction[i]);
    }
    return Tensor.wrap(x.shape(), values);
  }

  @ParameterizedTest
  @CsvSource({
    "scalar, raw, blocks.1.hook_resid_pre",
    "vector, raw, blocks.0.hook_resid_mid",
    "vector, transformerlens, blocks.0.hook_resid_pre",
    "vector, raw, blocks.1.hook_mlp_out",
    "vector, raw, blocks.0.attn.hook_z"
  })
  void theNumbersAreThoseOfAPassWithTheActivationMoved(
      String backendName, String weights, String site) throws IOException {
    Tensor along = random(2, 3);
    perturb(
            site,
            "--lengths",
            "-2,0.5,30",
            "--logits",
            "--backend",
            backendName,
            "--weights",
            weights)
        .ok();
    try (Backend backend = Backends.named(backendName);
        Safetensors file = Safetensors.open(out)) {
      assertEquals(Set.of("kl", "l2", "logits"), Set.copyOf(file.names()));
      assertTrue(
          file.entry("logits")
              .fits(
                  Shape.of(
                      Axis.LENGTH, 3, Axis.BATCH, 2, Axis.POS, 3, Axis.D_VOCAB, TinyModel.TOKENS)));
      WeightTransforms transforms =
          weights.equals("raw") ? WeightTransforms.none() : WeightTransforms.transformerLens();
      Gpt2 gpt2 = Gpt2.load(model, backend, transforms);
      double[] lengths = {-2, 0.5, 30};
      for (int i = 0; i < lengths.length; i++) {
        assertMeasures(file, "", i, gpt2, EVEN, moved(gpt2, site, EVEN, lengths[i], along));
      }
      assertEquals(
          Map.of(
              "model",
              model.toString(),
              "weights",
              weights,
              "site",
              site,
              "lengths",
              "-2.0,0.5,30.0"),
          file.metadata());
    }
  }

  @Test
  void lengthZeroChangesNothingAtAll() throws IOException {
    perturb(SITE, "--lengths", "0,1").ok();
    try (Safetensors file = Safetensors.open(out)) {
      assertEquals(Set.of("kl", "l2"), Set.copyOf(file.names()));
      for (String name : file.names()) {
        double[] values = file.doubles(name);
        assertEquals(12, values.length);
        for (int i = 0; i < 12; i++) {
          assertEquals(i < 6, values[i] == 0, name + " " + i);
        }
      }
    }
  }

  @Test
  void positionsBeforeTheFirstChangeStayTheSame() throws IOException {
    float[] values = random(2, 3).toArray();
    Arrays.fill(values, 0, 2 * WIDTH, 0); // row 0: only the last position moves
    Arrays.fill(values, 3 * WIDTH, 4 * WIDTH, 0); // row 1: all but the first
    write(Tensor.wrap(random(2, 3).shape(), values));
    perturb(SITE, "--lengths", "3").ok();
    try (Safetensors file = Safetensors.open(out)) {
      for (String name : file.names()) {
        double[] found = file.doubles(name);
        boolean[] moves = {false, false, true, false, true, true};
        for (int i = 0; i < 6; i++) {
          assertEquals(moves[i], found[i] > 0, name + " " + i + ": " + found[i]);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void raggedRowsAreMeasuredOneByOne(String backendName) throws IOException {
    TokenBatch ragged = TokenBatch.of(new int[] {3, 200, 7, 9}, new int[] {42, 1});
    ragged.writeJson(tokens);
    float[] values = random(2, 4).toArray();
    Arrays.fill(values, 6 * WIDTH, 8 * WIDTH, Float.NaN); // past the end of row 1
    Tensor all = write(Tensor.wrap(random(2, 4).shape(), values));
    perturb(SITE, "--lengths", "1,-4", "--logits", "--backend", backendName).ok();
    try (Backend backend = Backends.named(backendName);
        Safetensors file = Safetensors.open(out)) {
      assertEquals(
          Set.of("kl.0", "l2.0", "logits.0", "kl.1", "l2.1", "logits.1"), Set.copyOf(file.names()));
      Gpt2 gpt2 = Gpt2.load(model, backend);
      for (int row = 0; row < 2; row++) {
        TokenBatch alone = ragged.slice(row, row + 1);
        Tensor along = all.slice(Axis.BATCH, row, row + 1).slice(Axis.POS, 0, alone.maxLength());
        double[] lengths = {1, -4};
        for (int i = 0; i < lengths.length; i++) {
          Tensor moved = moved(gpt2, SITE, alone, lengths[i], along);
          assertMeasures(file, "." + row, i, gpt2, alone, moved);
        }
      }
    }
  }

  @Test
  void moreRowsThanAreRunAtATimeGiveTheSameAsEachAlone() throws IOException {
    int count = 2 * 4096 / 24 + 5;
    int[][] rows = new int[count][24];
    for (int row = 0; row < count; row++) {
      Arrays.fill(rows[row], row % 250);
    }
    TokenBatch.of(rows).writeJson(tokens);
    Tensor all = write(random(count, 24));
    perturb(SITE, "--lengths", "1,2").ok();
    double[] kl;
    try (Safetensors file = Safetensors.open(out)) {
      kl = file.doubles("kl");
    }
    for (int row : new int[] {0, 170, count - 1}) {
      TokenBatch.of(rows[row]).writeJson(tokens);
      write(all.slice(Axis.BATCH, row, row + 1));
      perturb(SITE, "--lengths", "1,2").ok();
      try (Safetensors file = Safetensors.open(out)) {
        double[] alone = file.doubles("kl");
        for (int i = 0; i < 2; i++) {
          new TensorAssert("perturb", "row " + row + " length " + i, 0)
              .sameBits(
                  Shape.of(Axis.POS, 24),
                  Arrays.copyOfRange(alone, i * 24, (i + 1) * 24),
                  Arrays.copyOfRange(kl, (i * count + row) * 24, (i * count + row + 1) * 24));
        }
      }
    }
  }

  @Test
  void aDirectionOfAnotherShapeIsRefused() throws IOException {
    write(random(2, 4));
    perturb(SITE, "--lengths", "1")
        .refused(direction.toString(), "[2, 4, 16]", "[batch=2, pos=3, d_model=16]");
    assertFalse(Files.exists(out));
  }

  @Test
  void aFileWithoutADirectionIsRefused() throws IOException {
    new SafetensorsWriter().add("directions", random(2, 3)).write(direction);
    perturb(SITE, "--lengths", "1")
        .refused(direction.toString(), "\"direction\"", "\"directions\"");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
  void aDirectionThatIsNoNumberIsRefusedWithItsPlace(float bad) throws IOException {
    float[] values = random(2, 3).toArray();
    values[(3 + 2) * WIDTH + 5] = bad;
    write(Tensor.wrap(random(2, 3).shape(), values));
    perturb(SITE, "--lengths", "1").refused(direction.toString(), "direction[1, 2, 5] is " + bad);
  }

  @Test
  void aLengthThatOverflowsIsRefused() {
    perturb(SITE, "--lengths", "1,1e39").refused("length 1.0E39", "float32");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "1,,2", "1,", "nan", "1,Infinity", "-Infinity", "1e999", "0x1p3", "a"})
  void lengthsThatAreNoNumbersAreWrongUsage(String lengths) {
    perturb(SITE, "--lengths", lengths).wrongUsage("--lengths");
  }

  @ParameterizedTest
  @ValueSource(strings = {"blocks.0.mlp.hook_post", "hook_embed", "blocks.1.attn.hook_pattern"})
  void aSiteThatRunsCannotBeContinuedFromIsRefused(String site) {
    perturb(site, "--lengths", "1").refused(site, "hook_resid_pre, attn.hook_z, hook_attn_out");
  }

  @Test
  void anUnknownSiteIsRefused() {
    perturb("resid_pre", "--lengths", "1").refused("\"resid_pre\"", "blocks.L.hook_resid_pre");
    perturb("blocks.2.hook_resid_pre", "--lengths", "1").refused("has 2 blocks");
  }
}

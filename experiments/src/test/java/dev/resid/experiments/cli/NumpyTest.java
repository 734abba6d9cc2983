package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.resid.experiments.testing.TinySaes;
import dev.resid.io.DType;
import dev.resid.io.NpyWriter;
import dev.resid.io.TensorFile;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What commands write, read by numpy, and as its formats by Resid itself. */
class NumpyTest {
  @TempDir private Path folder;
  private Path model;
  private Path tokens;

  @BeforeEach
  void write() throws IOException {
    model = TinyModel.save(folder.resolve("model"), 3);
    tokens = Files.writeString(folder.resolve("tokens.json"), "[[1, 2, 3], [4, 5, 6]]");
  }

  private Path written(String name, String capture) {
    Path out = folder.resolve(name);
    if (capture.isEmpty()) {
      CliRun.line("run -q --model", model, "--tokens", tokens, "--out", out).ok();
    } else {
      CliRun.line("run -q --model", model, "--tokens", tokens, "--out", out, "--capture", capture)
          .ok();
    }
    return out;
  }

  @Test
  void numpyReadsEveryFormatAndFindsTheSameValues() throws Exception {
    String capture = "blocks.0.hook_resid_pre";
    Path gradients = folder.resolve("gradients.npz");
    CliRun.line("gradients --model", model, "--tokens", tokens, "--out", gradients).ok();
    Path study = folder.resolve("study");
    CliRun.line(
            "sensitivity -q --directions isotropic --lengths 0.1,1,10 --model",
            model,
            "--tokens",
            tokens,
            "--out",
            study)
        .ok();
    List<String> command =
        List.of(
            "python3",
            "-c",
            program(),
            written("run.safetensors", capture).toString(),
            written("run.npz", capture).toString(),
            written("run.npy", "").toString(),
            written("single.safetensors", "").toString(),
            gradients.toString(),
            features("features.npy").toString(),
            study.resolve("results.csv").toString(),
            inTwoFormats().toString());
    Process python;
    try {
      python = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      assumeTrue(false, "there is no python3 here");
      return;
    }
    String said = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = python.waitFor();
    assumeTrue(code != 77, "python3 has no numpy here");
    assertEquals("agreed", said.strip());
  }

  private static String program() throws IOException {
    try (InputStream in = NumpyTest.class.getResourceAsStream("numpy-reads.py")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Encodes an npy file of activations, whose only array has no name. */
  private Path features(String name) throws IOException {
    Path sae = folder.resolve("sae");
    SaeCheckpoint.save(TinySaes.both().getFirst().sae(), DType.F32, sae);
    Path x = folder.resolve("activations.npy");
    try (TensorFile run = TensorFile.open(written("x.npz", "blocks.1.hook_resid_pre"))) {
      Tensor rows = run.tensor("blocks.1.hook_resid_pre");
      NpyWriter.write(x, Tensor.wrap(Shape.of(Axis.ROW, 6, Axis.IN, 16), rows.toArray()));
    }
    Path out = folder.resolve(name);
    CliRun.line("sae encode --sae", sae, "--in", x, "--out", out).ok();
    return out;
  }

  /** Writes what the other commands make as safetensors and as npz, each under one name. */
  private Path inTwoFormats() throws IOException {
    Path out = Files.createDirectory(folder.resolve("both"));
    Path sae = folder.resolve("sae");
    Path x = folder.resolve("activations.npy");
    Path features = folder.resolve("features.npy");
    Path direction = written("direction.npz", "blocks.1.hook_resid_pre");
    try (TensorFile run = TensorFile.open(direction)) {
      NpyWriter.write(folder.resolve("direction.npy"), run.tensor("blocks.1.hook_resid_pre"));
    }
    String perturb = "perturb -q --logits --site blocks.1.hook_resid_pre --lengths 0,1 --direction";
    for (String ending : List.of(".safetensors", ".npz")) {
      CliRun.line("sae encode --sae", sae, "--in", x, "--out", out.resolve("encoded" + ending))
          .ok();
      CliRun.line(
              "sae encode --reconstruct --sae",
              sae,
              "--in",
              x,
              "--out",
              out.resolve("rec" + ending))
          .ok();
      CliRun.line(
              "sae decode --sae", sae, "--in", features, "--out", out.resolve("decoded" + ending))
          .ok();
      CliRun.line(
              perturb,
              folder.resolve("direction.npy"),
              "--model",
              model,
              "--tokens",
              tokens,
              "--out",
              out.resolve("perturbed" + ending))
          .ok();
    }
    return out;
  }

  @Test
  void anNpyFileForSeveralTensorsIsRefusedBeforeAnythingIsComputed() {
    Path out = folder.resolve("out.NPY");
    CliRun.line("run -q --model", model, "--tokens", tokens, "--out", out, "--capture", "*embed")
        .refused("holds one array", "3 to write", ".npz");
    CliRun.line("gradients --model", model, "--tokens", tokens, "--out", out)
        .refused("holds one array");
    assertFalse(Files.exists(out));
    assertTrue(Files.exists(written("one.NPY", "")));
  }
}

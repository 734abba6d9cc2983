package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.io.DType;
import dev.resid.io.PickleBuilder;
import dev.resid.io.Safetensors;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.TensorAssert;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Writing a checkpoint and reading it again. */
class SaveAndLoadTest extends OnEachCpuBackend {
  @TempDir Path temporary;

  private TensorAssert check(ModelCase c, Object what) {
    return check(what + " of " + c, c.seed());
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void savedAsFloat32EveryWeightKeepsItsBits(ModelCase c) throws IOException {
    Gpt2 before = c.on(backend());
    Gpt2Checkpoint.save(before.weights(), DType.F32, temporary);
    try (Gpt2Checkpoint checkpoint = Gpt2Checkpoint.open(temporary)) {
      assertEquals(c.config(), checkpoint.config());
      for (Weight weight : Weight.all(c.config())) {
        if (weight.name() != WeightNames.b_U) {
          check(c, weight).sameBits(c.weights().get(weight), checkpoint.weights().get(weight));
        }
      }
    }
    Gpt2 after = Gpt2.load(temporary, backend());
    for (Weight weight : Weight.all(c.config())) {
      if (weight.name() != WeightNames.b_U) {
        check(c, weight + " on the backend")
            .sameBits(c.weights().get(weight), after.weights().get(weight));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void savedTwiceTheFilesHaveTheSameBytes(ModelCase c) throws IOException {
    Path once = temporary.resolve("once");
    Path twice = temporary.resolve("twice");
    Gpt2Checkpoint.save(c.weights(), DType.F32, once);
    Gpt2Checkpoint.save(Gpt2.load(once, backend()).weights(), DType.F32, twice);
    for (String file : new String[] {"config.json", "model.safetensors"}) {
      assertArrayEquals(
          Files.readAllBytes(once.resolve(file)), Files.readAllBytes(twice.resolve(file)));
    }
  }

  /** The nearest of the values a narrow dtype has, by trying its neighbours. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void narrowDtypesRoundToTheNearest(ModelCase c) throws IOException {
    for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
      Gpt2Checkpoint.save(c.weights(), dtype, temporary);
      Gpt2 loaded = Gpt2.load(temporary, backend());
      for (Weight weight : Weight.all(c.config())) {
        if (weight.name() == WeightNames.b_U) {
          continue;
        }
        float[] exact = c.weights().get(weight).toArray();
        float[] rounded = loaded.weights().get(weight).toArray();
        for (int i = 0; i < exact.length; i++) {
          double error = Math.abs((double) exact[i] - rounded[i]);
          double up = Math.abs((double) exact[i] - neighbour(dtype, rounded[i], 1));
          double down = Math.abs((double) exact[i] - neighbour(dtype, rounded[i], -1));
          assertTrue(
              error <= up && error <= down,
              () -> dtype + " of " + weight + " of " + c + " is not the nearest");
        }
      }
      assertEquals(c.config(), loaded.config());
    }
  }

  /** Returns the next value of the dtype away from 0, or towards it. */
  private static float neighbour(DType dtype, float value, int step) {
    if (dtype == DType.BF16) {
      return Float.intBitsToFloat(Float.floatToRawIntBits(value) + step * 0x10000);
    }
    short bits = Float.floatToFloat16(value);
    return (bits & 0x7FFF) == 0 && step < 0
        ? -Float.float16ToFloat((short) 1)
        : Float.float16ToFloat((short) (bits + step));
  }

  @Test
  void narrowCheckpointsSaveAgainWithTheSameBytes() throws IOException {
    ModelCase c = ModelCase.of(41_004);
    for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
      Path once = temporary.resolve(dtype + "-once");
      Path twice = temporary.resolve(dtype + "-twice");
      Gpt2Checkpoint.save(c.weights(), dtype, once);
      Gpt2Checkpoint.save(Gpt2.load(once, backend()).weights(), dtype, twice);
      assertArrayEquals(
          Files.readAllBytes(once.resolve("model.safetensors")),
          Files.readAllBytes(twice.resolve("model.safetensors")));
      try (Safetensors file = Safetensors.open(once.resolve("model.safetensors"))) {
        assertTrue(file.entries().stream().allMatch(entry -> entry.dtype() == dtype));
      }
    }
  }

  @Test
  void identityOfAModelIsTheHashOfItsFiles() throws IOException {
    ModelCase c = ModelCase.of(41_000);
    TestCheckpoint checkpoint = new TestCheckpoint(temporary.resolve("model"), c);
    Gpt2 whole = Gpt2.load(checkpoint.dir(), backend());
    String hash = whole.sha256();
    assertEquals(64, hash.length());
    assertEquals(checkpoint.dir().toString(), whole.source());
    assertEquals(hash, Gpt2.load(checkpoint.dir(), backend()).sha256());
    checkpoint.shard();
    Gpt2 sharded = Gpt2.load(checkpoint.dir(), backend());
    assertEquals(2, sharded.sha256().split("\\+").length);
    assertNotEquals(hash, sharded.sha256());
    assertEquals("memory", c.on(backend()).source());
    assertEquals("", c.on(backend()).sha256());
  }

  @Test
  void weightsInPytorchsFileHaveTheSameBits() throws IOException {
    ModelCase c = ModelCase.of(41_004);
    TestCheckpoint checkpoint = new TestCheckpoint(temporary.resolve("model"), c);
    PickleBuilder.stateDict(checkpoint.dir().resolve("pytorch_model.bin"), checkpoint.tensors());
    Files.delete(checkpoint.dir().resolve("model.safetensors"));
    Gpt2 loaded = Gpt2.load(checkpoint.dir(), backend());
    for (Weight weight : Weight.all(c.config())) {
      if (weight.name() != WeightNames.b_U) {
        check(c, weight).sameBits(c.weights().get(weight), loaded.weights().get(weight));
      }
    }
    assertEquals(64, loaded.sha256().length());
  }

  @Test
  void saveOverAnOlderCheckpointReplacesIt() throws IOException {
    ModelCase old = ModelCase.of(41_001);
    ModelCase young = ModelCase.of(41_002);
    Gpt2Checkpoint.save(old.weights(), DType.F32, temporary);
    Gpt2Checkpoint.save(young.weights(), DType.F32, temporary);
    Gpt2 loaded = Gpt2.load(temporary, backend());
    assertEquals(young.config(), loaded.config());
    Weight weight = Weight.of(WeightNames.W_in, 1);
    check(young, weight).sameBits(young.weights().get(weight), loaded.weights().get(weight));
  }
}

package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.resid.io.DType;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

class InfoCommandTest {
  @TempDir private Path folder;

  @Test
  void aWordTooManyIsTakenForAModel() {
    CliRun.line("info openai-community/gpt2")
        .wrongUsage("'openai-community/gpt2'", "named with --model openai-community/gpt2");
    CliRun info = CliRun.line("info --modle=x");
    assertFalse(info.err().contains("is named with"), info.err());
    info = CliRun.line("tensors one two three").wrongUsage("three");
    assertFalse(info.err().contains("is named with"), info.err());
  }

  @Test
  void aModelIsDescribed() throws IOException {
    Path model = TinyModel.saveWithTokenizer(folder.resolve("tiny"), 1);
    assertEquals(
        List.of(
            "model          " + model,
            "blocks         2",
            "heads          2 of width 8",
            "d_model        16",
            "d_mlp          64",
            "d_vocab        257",
            "context        24",
            "activation     gelu_new",
            "layer norm ε   1.0E-5",
            "score scale    by_width",
            "embeddings     tied",
            "bos, eos       256, 256",
            "parameters     11,088",
            "tensors        28 F32",
            "weights        0.0 MiB in files, 0.0 MiB as float32",
            "tokenizer      byte-level BPE, 257 tokens"),
        CliRun.line("info --model", model).ok().out().lines().toList());
  }

  @Test
  void jsonHasTheSame() throws IOException {
    Path model = folder.resolve("tiny");
    Gpt2Checkpoint.save(TinyModel.random(TinyModel.CONFIG, 1), DType.BF16, model);
    JsonMapper mapper = new JsonMapper();
    assertEquals(
        mapper.readTree(
            """
            {"model": "%s", "nLayers": 2, "nHeads": 2, "dHead": 8, "dModel": 16, "dMlp": 64,
             "dVocab": 257, "nCtx": 24, "activation": "gelu_new", "layerNormEpsilon": 1e-5,
             "scoreScale": "by_width", "embeddings": "tied", "bosToken": 256, "eosToken": 256,
             "parameters": 11088, "tensorsByDtype": {"BF16": 28}, "tensorBytes": 22176,
             "tokenizerTokens": null}
            """
                .formatted(model)),
        mapper.readTree(CliRun.line("info --json --model", model).ok().out()));
  }

  /**
   * A file as large as GPT-2 large's weights, of which only the header was ever written. Reading
   * its three gigabytes would take seconds, and loading them more memory than a test has.
   */
  @Test
  void weightsAreNotLoaded() throws IOException {
    Gpt2Config large = Gpt2Config.of(36, 20, 1280, 50257, 1024);
    Path model = Files.createDirectory(folder.resolve("large"));
    Files.writeString(
        model.resolve("config.json"),
        """
        {"model_type": "gpt2", "n_layer": 36, "n_head": 20, "n_embd": 1280, "n_positions": 1024,
         "vocab_size": 50257}
        """);
    long bytes = writeHeaderOnly(model.resolve("model.safetensors"), large);
    assertEquals(4 * 774_030_080L, bytes);
    CliRun.line("info --model", model).ok(); // classes are loaded, once
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    CliRun run = CliRun.line("info --model", model).ok();
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(run.out().contains("parameters     774,030,080"), run.out());
    assertTrue(run.out().contains("tensors        436 F32"), run.out());
    assertTrue(run.out().contains("2952.7 MiB in files"), run.out());
    // Measured: 4.4 MB. A single matrix of a block is 20 MB.
    assertTrue(allocated < 16_000_000, "allocated " + allocated + " bytes");
  }

  /**
   * Writes a file that ends where its last tensor ends and has no data; returns its data's size.
   */
  private static long writeHeaderOnly(Path file, Gpt2Config config) throws IOException {
    Map<String, Object> header = new LinkedHashMap<>();
    long end = 0;
    for (Weight weight : Weight.all(config)) {
      boolean kept =
          switch (weight.name()) {
            case W_K, W_V, b_K, b_V, W_U, b_U -> false;
            default -> true;
          };
      if (kept) {
        int[] sizes = weight.name().shape(config).sizes();
        if (weight.name() == WeightNames.W_Q || weight.name() == WeightNames.b_Q) {
          sizes[sizes.length - 1] *= 3;
        }
        long begin = end;
        end += 4 * Arrays.stream(sizes).asLongStream().reduce(1, (a, b) -> a * b);
        header.put(
            weight.fileKey(),
            Map.of("dtype", "F32", "shape", sizes, "data_offsets", new long[] {begin, end}));
      }
    }
    byte[] json = new JsonMapper().writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
      out.write(json);
      out.setLength(8 + json.length + end); // a hole: takes no room on disk
    }
    return end;
  }
}

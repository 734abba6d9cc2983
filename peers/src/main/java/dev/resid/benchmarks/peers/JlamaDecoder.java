package dev.resid.benchmarks.peers;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import com.github.tjake.jlama.util.PhysicalCoreExecutor;
import dev.resid.benchmarks.work.DecodeWork;
import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.model.Gpt2Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/** Decoding by Jlama, which reads a model from a folder: a temporary one. */
final class JlamaDecoder implements DecodeWork.Decoder {
  // It wants a tokenizer, which is not used.
  private static final String TOKENIZER =
      """
      {"version": "1.0", "added_tokens": [], "normalizer": null,
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
       "post_processor": null, "decoder": {"type": "ByteLevel"},
       "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}
      """;

  private final Path folder;
  private final AbstractModel model;
  private final KvBufferCache cache;

  JlamaDecoder(Gpt2Weights weights, int threads) {
    try {
      folder = Files.createTempDirectory("resid-jlama");
      GeneratedModel.write(weights, folder);
      Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write a model for Jlama", e);
    }
    useThreads(threads);
    model = ModelSupport.loadModel(folder.toFile(), DType.F32, DType.F32);
    cache = new KvBufferCache(model);
  }

  private static void useThreads(int threads) {
    try {
      PhysicalCoreExecutor.overrideThreadCount(threads);
    } catch (IllegalStateException e) {
      // It has been used in this process before and keeps its threads.
      if (PhysicalCoreExecutor.instance.get().getCoreCount() != threads) {
        throw e;
      }
    }
  }

  @Override
  public int[] decode(int[] from, int tokens, IntConsumer listener) {
    int[] chosen = new int[tokens];
    int[] next = from;
    int first = 0;
    try (KvBufferCache.KvBuffer buffer = cache.getEphemeralKvBuffer()) {
      for (int i = 0; i < tokens; i++) {
        try (AbstractTensor<?, ?> streams = model.batchForward(next, first, buffer)) {
          chosen[i] = largest(model.getLogits(streams.slice(next.length - 1)));
        }
        listener.accept(chosen[i]);
        first += next.length;
        next = new int[] {chosen[i]};
      }
    }
    return chosen;
  }

  private static int largest(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  @Override
  public void close() {
    cache.close();
    model.close();
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + folder, e);
    }
  }
}

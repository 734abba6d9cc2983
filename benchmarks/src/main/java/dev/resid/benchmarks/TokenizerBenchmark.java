package dev.resid.benchmarks;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingRegistry;
import com.knuddels.jtokkit.api.GptBytePairEncodingParams;
import dev.resid.benchmarks.work.EnglishLikeText;
import dev.resid.benchmarks.work.Jvm;
import dev.resid.tokenizer.BpeTrainer;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.SpecialTokens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Encoding on one thread, beside jtokkit with the same vocabulary: the time for the whole text. For
 * GPT-2 on real English: {@code -p vocabulary=DIR -p text=FILE}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 2,
    jvmArgsAppend = {Jvm.VECTOR_API, Jvm.GC, Jvm.HEAP})
public class TokenizerBenchmark {
  private static final int TRAINED_TOKENS = 2048;
  private static final int GENERATED_CHARS = 1 << 18;

  /** GPT-2's words; jtokkit's own encoding of this vocabulary divides the text alike. */
  private static final Pattern WORDS =
      Pattern.compile(
          "'(?:[stmd]|re|ve|ll)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  /** A tokenizer's directory; by default a vocabulary is trained on the text. */
  @Param("trained")
  public String vocabulary;

  /** A UTF-8 file; by default a text is generated. */
  @Param("generated")
  public String text;

  private String input;
  private ByteLevelBpe resid;
  private Encoding jtokkit;

  /** Called by JMH. */
  public TokenizerBenchmark() {}

  /** Loads or makes text and vocabulary, and requires that both tokenizers give the same ids. */
  @Setup(Level.Trial)
  public void open() throws IOException {
    input =
        text.equals("generated")
            ? EnglishLikeText.ofLength(GENERATED_CHARS)
            : Files.readString(Path.of(text));
    resid = vocabulary.equals("trained") ? train(input) : ByteLevelBpe.load(Path.of(vocabulary));
    jtokkit = sameInJtokkit(resid);
    int[] expected = jtokkit.encodeOrdinary(input).toArray();
    if (!Arrays.equals(expected, resid())) {
      throw new IllegalStateException("the two tokenizers give different ids");
    }
  }

  private static ByteLevelBpe train(String text) throws IOException {
    Path file = Files.createTempFile("resid-benchmark", ".txt");
    try {
      Files.writeString(file, text);
      return new BpeTrainer(TRAINED_TOKENS).train(List.of(file));
    } finally {
      Files.delete(file);
    }
  }

  /** Jtokkit merges by the id of what comes out, which is the order of merges in GPT-2's files. */
  private static Encoding sameInJtokkit(ByteLevelBpe bpe) {
    Map<byte[], Integer> ranks = new HashMap<>();
    for (int id = 0; id < bpe.vocabularySize(); id++) {
      if (!bpe.isSpecial(id)) {
        ranks.put(bpe.bytes(id), id);
      }
    }
    EncodingRegistry registry = Encodings.newLazyEncodingRegistry();
    registry.registerGptBytePairEncoding(
        new GptBytePairEncodingParams("same", WORDS, ranks, Map.of()));
    return registry.getEncoding("same").orElseThrow();
  }

  /** Times this project's tokenizer. */
  @Benchmark
  public int[] resid() {
    return resid.encodeToIds(input, SpecialTokens.AS_TEXT);
  }

  /** Times jtokkit. */
  @Benchmark
  public Object jtokkit() {
    return jtokkit.encodeOrdinary(input);
  }
}

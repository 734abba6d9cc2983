package dev.resid.tokenizer;

import dev.resid.testing.Fuzz;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Files of tokenizers and of tokens, damaged at random and on purpose. */
class TokenizerFuzzTest {
  private static final String VOCAB =
      "{\"a\": 0, \"b\": 1, \"c\": 2, \"ab\": 3, \"abc\": 4, \"\u0120\": 5, \"<|endoftext|>\": 6}";

  private static final List<String> WORDS =
      Fuzz.json(
          "\"a\":",
          "\"abc\": 4",
          "\"model\":",
          "\"vocab\":",
          "\"merges\":",
          "\"added_tokens\":",
          "\"type\":",
          "\"ByteLevel\"",
          "\"BPE\"",
          "\"special\":",
          "\"lstrip\": true",
          "\\u000a",
          "\u00c4\u00a0",
          "#version: 0.2\n",
          "a b\n",
          "\n",
          "\r",
          " ");

  /** One file under test beside others that are sound. */
  private static void fuzz(String name, String sound, Map<String, String> beside) {
    Fuzz.ofText(
            name,
            WORDS,
            TokenizerFormatException.class,
            input -> use(ByteLevelBpe.load(source(name, input, beside))),
            sound)
        .run()
        .requireSearched(5);
  }

  private static void use(ByteLevelBpe bpe) {
    try {
      bpe.decode(bpe.encodeToIds("abc ab", SpecialTokens.ALLOW));
    } catch (IllegalArgumentException e) {
      // A vocabulary may lack what the text needs; ByteLevelBpeTest has the message.
    }
  }

  private static TokenizerSource source(String name, byte[] input, Map<String, String> beside) {
    return new TokenizerSource() {
      @Override
      public InputStream open(String file) {
        if (file.equals(name)) {
          return new ByteArrayInputStream(input);
        }
        String text = beside.get(file);
        return text == null
            ? null
            : new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
      }

      @Override
      public String describe(String file) {
        return Fuzz.NAME + "/" + file;
      }
    };
  }

  @Test
  void vocabularies() {
    fuzz("vocab.json", VOCAB, Map.of("merges.txt", "#version: 0.2\na b\nab c\n"));
  }

  @Test
  void merges() {
    fuzz("merges.txt", "#version: 0.2\na b\nab c\n", Map.of("vocab.json", VOCAB));
  }

  @Test
  void pipelines() {
    String pipeline =
        "{\"version\": \"1.0\", \"added_tokens\": [{\"id\": 6, \"content\": \"<|endoftext|>\","
            + " \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\":"
            + " true, \"special\": true}], \"normalizer\": null, \"pre_tokenizer\": {\"type\":"
            + " \"ByteLevel\", \"add_prefix_space\": false}, \"post_processor\": {\"type\":"
            + " \"ByteLevel\", \"trim_offsets\": false}, \"decoder\": {\"type\": \"ByteLevel\"},"
            + " \"model\": {\"type\": \"BPE\", \"dropout\": null, \"vocab\": VOCAB, \"merges\":"
            + " [\"a b\", [\"ab\", \"c\"]]}}";
    // Merges are of one kind in a file.
    String sound = pipeline.replace("VOCAB", VOCAB).replace("[\"ab\", \"c\"]", "\"ab c\"");
    fuzz("tokenizer.json", sound, Map.of());
  }

  @Test
  void tokens() {
    Fuzz.Reader reader =
        input -> TokenBatch.readJson(new ByteArrayInputStream(input), Fuzz.NAME).rows();
    Fuzz.ofText(
            "token JSON",
            WORDS,
            TokenizerFormatException.class,
            reader,
            "[[1, 2, 3], [4, 5]]",
            "[[50256]]\n")
        .run()
        .requireSearched(5);
  }
}

package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.backend.Backends;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.BpeTrainer;
import dev.resid.tokenizer.ByteLevelBpe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BeginOfTextTest {
  @TempDir Path temp;

  @Test
  void configurationGoesBeforeTheTokenizerAndTheBeginBeforeTheEnd() throws IOException {
    ByteLevelBpe tokenizer =
        new BpeTrainer(257).train(List.of(Files.writeString(temp.resolve("text"), "a text")));
    assertEquals(OptionalInt.of(3), begin(OptionalInt.of(3), OptionalInt.of(4), tokenizer));
    assertEquals(OptionalInt.of(4), begin(OptionalInt.empty(), OptionalInt.of(4), tokenizer));
    assertEquals(OptionalInt.of(256), begin(OptionalInt.empty(), OptionalInt.empty(), tokenizer));
  }

  @Test
  void modelWithoutNamesAndTokenizerHasNone() {
    Gpt2Config config = Gpt2Config.of(1, 1, 2, 257, 4);
    try (Backend backend = Backends.named("scalar")) {
      assertEquals(OptionalInt.empty(), ModelCase.of(1, config).on(backend).beginOfText());
    }
  }

  private static OptionalInt begin(OptionalInt bos, OptionalInt eos, ByteLevelBpe tokenizer) {
    Gpt2Config config = Gpt2Config.of(1, 1, 2, 257, 4).withSpecialTokens(bos, eos);
    try (Backend backend = Backends.named("scalar")) {
      return Gpt2.of(ModelCase.of(1, config).weights(), tokenizer, backend).beginOfText();
    }
  }
}

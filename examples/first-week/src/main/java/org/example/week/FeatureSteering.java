package org.example.week;

import static dev.resid.sae.SpliceMode.WITH_ERROR;

import dev.resid.backend.Backends;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.hook.Hook;
import dev.resid.model.Generator;
import dev.resid.model.Gpt2;
import dev.resid.model.Sampling;
import dev.resid.sae.FeatureEdits;
import dev.resid.sae.Sae;
import dev.resid.sae.Splice;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/** Where a feature of an SAE is active, and what the model writes if it is always active. */
public final class FeatureSteering {
  private FeatureSteering() {}

  public static void main(String[] args) throws IOException {
    try (Backend backend = Backends.fastest()) {
      System.out.print(page(Gpt2.embedded(backend), 135, 80));
    }
  }

  static String page(Gpt2 gpt2, int feature, int rows) throws IOException {
    Sae sae = EmbeddedSaes.ofLibrary().load("local-layer3-l0-30", gpt2.backend());
    TokenBatch tokens;
    try (Documents text = Documents.embedded()) {
      int bos = gpt2.beginOfText().orElseThrow();
      tokens = RowPacker.pack(text, gpt2.tokenizer(), bos, 64, rows);
    }
    FeatureActivations found = FeatureActivations.scan(gpt2, sae, tokens, feature).getFirst();
    StringBuilder page = new StringBuilder();
    for (Example example : found.topOfRows(5)) {
      String context = context(gpt2.tokenizer(), tokens, example);
      page.append(String.format(Locale.ROOT, "%6.2f  %s%n", example.activation(), context));
    }
    Splice steered =
        Splice.of(WITH_ERROR).edited(FeatureEdits.steer(feature, 0.7 * found.largest()));
    Hook[] steering = Sae.hooks(gpt2, steered, sae);
    Generator generator = gpt2.generator(Sampling.greedy()); // keeps keys and values of the past
    String prompt = "The captain looked at";
    page.append(String.format("as it is: %s%n", line(generator.generate(prompt, 12))));
    page.append(String.format("steered:  %s%n", line(generator.generate(prompt, 12, steering))));
    return page.toString();
  }

  private static String context(ByteLevelBpe tokenizer, TokenBatch tokens, Example example) {
    List<String> texts = tokenizer.texts(tokens.row(example.row()));
    int pos = example.pos();
    String before = String.join("", texts.subList(Math.max(0, pos - 8), pos));
    String after = String.join("", texts.subList(pos + 1, Math.min(texts.size(), pos + 5)));
    return line(before + "[" + texts.get(pos) + "]" + after);
  }

  private static String line(String text) {
    return text.replace('\n', ' ');
  }
}

package dev.resid.experiments.cli;

import dev.resid.experiments.feature.FeatureOptions;
import dev.resid.experiments.feature.FeatureStudy;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid feature}: a page about one feature of an SAE. */
@Command(
    name = "feature",
    description = {
      "Make a page about one feature of an SAE.",
      "It has a histogram of activations, examples, tokens that the feature promotes and"
          + " suppresses,",
      "what in a text activates it, and the nearest features."
    },
    footer = {
      "",
      "The page is one HTML file that needs nothing else.",
      "",
      "Examples:",
      "  resid feature --sae my-sae --index 17",
      "  resid feature --sae saes/blocks.8.hook_resid_pre --model models/gpt2 --index 22 \\",
      "    --text openwebtext.txt --out feature22.html"
    })
final class FeatureCommand implements Callable<Integer> {
  /** A page with more could not be looked at. */
  private static final int MOST_EXAMPLES = 10_000;

  @Spec private CommandSpec spec;
  @Mixin private SaeMixin sae;
  @Mixin private ModelFolderMixin model;
  @Mixin private RowsMixin text;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private ProgressMixin progress;

  @Option(
      names = "--index",
      required = true,
      paramLabel = "I",
      description = "Which feature, from 0.")
  private int index;

  @Option(
      names = "--examples",
      paramLabel = "N",
      description =
          "How many of the most active examples, and bins of the others; ${DEFAULT-VALUE} if left"
              + " out.")
  private int examples = 10;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of the examples that are drawn; ${DEFAULT-VALUE} if left out.")
  private long seed;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Page to write, replaced if it exists; feature-NAME-I.html if left out.")
  private Path out;

  /** Called by picocli. */
  FeatureCommand() {}

  @Override
  public Integer call() throws IOException {
    Usage usage = new Usage(spec);
    usage.requireAtLeast("--index", index, 0);
    usage.requireAtLeast("--examples", examples, 1);
    if (examples > MOST_EXAMPLES) {
      throw usage.wrong("--examples is " + examples + ", must be at most " + MOST_EXAMPLES);
    }
    Path page = out == null ? Path.of("feature-" + fileName() + "-" + index + ".html") : out;
    OutputPaths.requireFile(page);
    try (Backend backend = backends.open()) {
      Sae loaded = sae.load(backend);
      Gpt2 gpt2 = SaeMixin.model(model, loaded.config(), backend);
      FeatureOptions options =
          new FeatureOptions(
              index, text.tokens(gpt2, RowsMixin.EMBEDDED_ROWS), text.name(), examples, seed);
      new FeatureStudy(gpt2, loaded, sae.name(), options).write(page, progress.progress());
    }
    spec.commandLine().getOut().println("Page: " + page);
    return ResidCommand.OK;
  }

  /** Returns the SAE's name without what a file name had better not have. */
  private String fileName() {
    return sae.name().replaceAll("[^A-Za-z0-9._-]+", "-");
  }
}

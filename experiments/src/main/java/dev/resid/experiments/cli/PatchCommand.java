package dev.resid.experiments.cli;

import dev.resid.experiments.patch.PatchOptions;
import dev.resid.experiments.patch.PatchStudy;
import dev.resid.experiments.patch.PromptPair;
import dev.resid.experiments.patch.TokenPair;
import dev.resid.model.Gpt2;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid patch}: which activations carry the difference between two prompts. */
@Command(
    name = "patch",
    description = {
      "Find the activations that carry the difference between two prompts.",
      "Activation patching over layer, position and component, attribution patching, direct logit",
      "attribution, logit lens.",
      "Without options it runs the model that ships with Resid on pairs of prompts made for it."
    },
    footer = {
      "",
      "The folder gets report.html, tables, figures and run.json. Stopped at any moment, the same",
      "command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid patch",
      "  resid patch --clean 'When Mary and John went out, John spoke to' \\",
      "    --corrupted 'When Mary and John went out, Mary spoke to' --answer ' Mary' \\",
      "    --against ' John' --model models/gpt2",
      "  resid patch --pairs pairs.jsonl --out pairs"
    })
final class PatchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private StudyMixin run;

  @ArgGroup private Source source;

  /** Where prompts come from; the pairs that ship with Resid if nothing is given. */
  private static final class Source {
    @Option(
        names = "--pairs",
        paramLabel = "FILE",
        description =
            "Pairs, one a line: {\"clean\": ..., \"corrupted\": ..., \"answer\": ..., \"against\":"
                + " ...}.")
    private Path pairs;

    @ArgGroup(exclusive = false)
    private One one;
  }

  /** One pair on the command line. */
  private static final class One {
    @Option(
        names = "--clean",
        required = true,
        paramLabel = "TEXT",
        description = "Prompt whose activations are put into the other run.")
    private String clean;

    @Option(
        names = "--corrupted",
        required = true,
        paramLabel = "TEXT",
        description = "Prompt that is patched, with as many tokens.")
    private String corrupted;

    @Option(
        names = "--answer",
        required = true,
        paramLabel = "TEXT",
        description =
            "What follows the clean prompt, with its leading space; its first token counts.")
    private String answer;

    @Option(
        names = "--against",
        required = true,
        paramLabel = "TEXT",
        description = "What follows the corrupted prompt; its logit is subtracted.")
    private String against;
  }

  @Option(
      names = "--no-bos",
      description = "Put no begin-of-text token before the prompts; one is put there otherwise.")
  private boolean noBos;

  @Option(
      names = "--at-once",
      paramLabel = "N",
      description =
          "Patches that run as one batch; ${DEFAULT-VALUE} if left out. Results do not depend on"
              + " it.")
  private int atOnce = PatchOptions.DEFAULT_COPIES;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the resamples for intervals; ${DEFAULT-VALUE} if left out.")
  private long seed = 1;

  /** Called by picocli. */
  PatchCommand() {}

  @Override
  public Integer call() throws IOException {
    if (atOnce < 1) {
      throw new ParameterException(
          spec.commandLine(), "--at-once is " + atOnce + ", must be at least 1");
    }
    return run.run(
        spec,
        PatchStudy.COMMAND,
        backend -> {
          Gpt2 gpt2 = model.load(backend);
          return new PatchStudy(gpt2, new PatchOptions(pairs(gpt2), data(), seed, atOnce));
        });
  }

  private List<TokenPair> pairs(Gpt2 gpt2) throws IOException {
    OptionalInt bos =
        noBos ? OptionalInt.empty() : OptionalInt.of(BeginOfText.of(gpt2, "add --no-bos"));
    List<TokenPair> tokens = new ArrayList<>();
    for (PromptPair pair : texts()) {
      tokens.add(TokenPair.of(pair, gpt2.tokenizer(), bos));
    }
    return tokens;
  }

  private List<PromptPair> texts() throws IOException {
    if (source == null) {
      return PromptPair.builtIn();
    }
    if (source.pairs != null) {
      return PromptPair.read(source.pairs);
    }
    One one = source.one;
    return List.of(new PromptPair(one.clean, one.corrupted, one.answer, one.against));
  }

  /** Returns the file's name without its folder, which differs between machines. */
  private String data() {
    if (source == null) {
      return "pairs that ship with Resid";
    }
    return source.pairs == null ? "command line" : source.pairs.getFileName().toString();
  }
}

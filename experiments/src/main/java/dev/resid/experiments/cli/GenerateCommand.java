package dev.resid.experiments.cli;

import dev.resid.model.Generator;
import dev.resid.model.Gpt2;
import dev.resid.model.Sampling;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.StreamingDecoder;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid generate}: text that continues a prompt. */
@Command(
    name = "generate",
    description = {
      "Continue a prompt.",
      "Without --temperature the most probable token is taken each time. The text ends early at the"
          + " model's end-of-text token, which is not printed."
    },
    footer = {
      "",
      "Example:",
      "  resid generate --prompt 'The ship left the harbour' --max-new 40 --temperature 0.8"
    })
final class GenerateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backends;

  @ArgGroup(multiplicity = "1")
  private Prompt prompt = new Prompt();

  @Option(
      names = "--max-new",
      required = true,
      paramLabel = "N",
      description = "Tokens to add at most; with the prompt they must fit the model's context.")
  private int maxNew;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description =
          "Draw tokens, from logits divided by T. 1 draws as the model predicts, less is more"
              + " cautious, 0 takes the most probable.")
  private Double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Draw from the K most probable tokens only; all if left out.")
  private Integer topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description =
          "Draw from the fewest most probable tokens whose probabilities add up to P; all if left"
              + " out.")
  private Double topP;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of the draws; ${DEFAULT-VALUE} if left out. Same seed, same text.")
  private long seed;

  @Option(names = "--ids", description = "Print the ids of the new tokens, not text.")
  private boolean ids;

  /** Called by picocli. */
  GenerateCommand() {}

  /** The prompt, as text or as ids. */
  static final class Prompt {
    @Option(
        names = "--prompt",
        paramLabel = "TEXT",
        description = "Text to continue. Special tokens written in it count as ordinary text.")
    private String text;

    @Option(
        names = "--prompt-ids",
        converter = IdList.Converter.class,
        paramLabel = "ID,...",
        description = "Token ids to continue, separated by commas.")
    private IdList tokens;

    /** Called by picocli. */
    Prompt() {}
  }

  @Override
  public Integer call() throws IOException {
    Sampling sampling = sampling();
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      if (prompt.text == null && !ids && !gpt2.hasTokenizer()) {
        throw new IllegalStateException(
            gpt2.source() + " has no tokenizer files, so ids cannot be shown as text; add --ids.");
      }
      int[] start =
          prompt.text == null
              ? prompt.tokens.toArray()
              : gpt2.tokenizer().encodeToIds(prompt.text, SpecialTokens.AS_TEXT);
      if (ids) {
        printIds(gpt2, gpt2.generator(sampling), start);
      } else {
        printText(gpt2, gpt2.generator(sampling), start);
      }
    }
    return ResidCommand.OK;
  }

  private Sampling sampling() {
    if (maxNew < 0) {
      throw wrong("--max-new is " + maxNew + ", must be at least 0");
    }
    if (temperature == null && (topK != null || topP != null)) {
      throw wrong(
          "--top-k and --top-p say what to draw from, but without --temperature nothing is drawn;"
              + " add --temperature 1");
    }
    try {
      return new Sampling(
          temperature == null ? 0 : temperature,
          topK == null ? Integer.MAX_VALUE : topK,
          topP == null ? 1 : topP,
          seed);
    } catch (IllegalArgumentException e) {
      throw wrong("--" + e.getMessage());
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private void printIds(Gpt2 gpt2, Generator generator, int[] start) {
    OptionalInt stop = gpt2.config().eosToken();
    int[] added = generator.generate(start, maxNew, stop, id -> {});
    spec.commandLine()
        .getOut()
        .println(Arrays.stream(added).mapToObj(String::valueOf).collect(Collectors.joining(" ")));
  }

  /** Prints text while it is made, complete characters only. */
  private void printText(Gpt2 gpt2, Generator generator, int[] start) {
    PrintWriter out = spec.commandLine().getOut();
    StreamingDecoder decoder = gpt2.tokenizer().streamingDecoder();
    StringBuilder waiting = new StringBuilder();
    if (prompt.text != null) {
      waiting.append(prompt.text); // printed with the first token, so not if there is an error
    }
    generator.generate(
        start,
        maxNew,
        gpt2.config().eosToken(),
        id -> {
          out.print(waiting.append(decoder.append(id)));
          out.flush();
          waiting.setLength(0);
        });
    out.println(waiting + decoder.finish());
  }
}

package dev.resid.experiments.cli;

import dev.resid.model.Generator;
import dev.resid.model.Gpt2;
import dev.resid.model.Sampling;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.StreamingDecoder;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
      description = "Tokens to add at most.")
  private int maxNew;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Divides the logits before a token is drawn; 0 takes the most probable.")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Draw from the K most probable tokens only.")
  private int topK = Integer.MAX_VALUE;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Draw from the fewest tokens whose probabilities reach P.")
  private double topP = 1;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of the draws; ${DEFAULT-VALUE} if left out.")
  private long seed;

  @Option(names = "--ids", description = "Print the new token ids instead of text.")
  private boolean ids;

  /** Called by picocli. */
  GenerateCommand() {}

  /** The prompt, as text or as ids. */
  static final class Prompt {
    @Option(names = "--prompt", paramLabel = "TEXT", description = "Text to continue.")
    private String text;

    @Option(
        names = "--prompt-ids",
        split = ",",
        paramLabel = "ID",
        description = "Token ids to continue, separated by commas.")
    private int[] tokens;

    /** Called by picocli. */
    Prompt() {}
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Sampling sampling = new Sampling(temperature, topK, topP, seed);
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      int[] start = prompt.text == null ? prompt.tokens : gpt2.tokenizer().encodeToIds(prompt.text);
      Generator generator = gpt2.generator(sampling);
      OptionalInt stop = gpt2.config().eosToken();
      if (ids) {
        int[] added = generator.generate(start, maxNew, stop, id -> {});
        out.println(
            Arrays.stream(added).mapToObj(String::valueOf).collect(Collectors.joining(" ")));
        return ResidCommand.OK;
      }
      StreamingDecoder decoder = gpt2.tokenizer().streamingDecoder();
      if (prompt.text != null) {
        out.print(prompt.text);
      }
      IntConsumer print =
          id -> {
            out.print(decoder.append(id));
            out.flush();
          };
      generator.generate(start, maxNew, stop, print);
      out.println(decoder.finish());
    }
    return ResidCommand.OK;
  }
}

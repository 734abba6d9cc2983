package dev.resid.experiments.cli;

import dev.resid.io.AtomicFiles;
import dev.resid.io.ReadFailure;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.ForbiddenSpecialTokenException;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.TokenBatch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code resid tokenize}: text to token ids. */
@Command(
    name = "tokenize",
    description = {
      "Turn text into token ids.",
      "Prints the ids as a JSON array, or writes them to a token file [[id, ...]] with --out."
    },
    footer = {
      "",
      "With --jsonl each line in is {\"text\": ..., \"special\": true|false} and each line out"
          + " {\"ids\": [...]}.",
      "Where special is true, text such as <|endoftext|> becomes the special token; where it is"
          + " false,",
      "ordinary tokens; where it is missing, what --special says.",
      "",
      "Examples:",
      "  resid tokenize --tokenizer models/gpt2 'The Eiffel Tower is in the city of'",
      "  resid tokenize --tokenizer models/gpt2 --file book.txt --out tokens.json",
      "  resid tokenize --tokenizer models/gpt2 --jsonl texts.jsonl --out ids.jsonl"
    })
final class TokenizeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      required = true,
      description =
          "Folder with tokenizer.json, or vocab.json and merges.txt, or encoder.json and"
              + " vocab.bpe; or the name of a model that 'resid download' or Python fetched.")
  private Path tokenizer;

  @ArgGroup(multiplicity = "1")
  private Input input;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Write there instead of to standard output.")
  private Path output;

  @Option(
      names = "--special",
      paramLabel = "MODE",
      defaultValue = "text",
      description =
          "What the text of a special token is: allow (that token), text (ordinary text, the"
              + " default) or forbid (an error).")
  private Special special;

  /** Called by picocli. */
  TokenizeCommand() {}

  @Override
  public Integer call() throws IOException {
    if (output != null) {
      OutputPaths.requireFile(output);
    }
    ByteLevelBpe bpe = ByteLevelBpe.load(HubFolder.ofTokenizer(tokenizer));
    if (input.jsonl != null) {
      convertLines(new TokenLines(bpe, special.mode));
      return ResidCommand.OK;
    }
    int[] ids = encode(bpe, input.text != null ? input.text : TextFiles.read(input.file));
    if (ids.length == 0 && output != null) {
      throw new IOException(
          (input.text != null ? "the text" : input.file)
              + " is empty: a file of tokens needs at least one");
    }
    if (output == null) {
      spec.commandLine().getOut().println(Arrays.toString(ids));
    } else {
      TokenBatch.of(ids).writeJson(output);
    }
    return ResidCommand.OK;
  }

  private int[] encode(ByteLevelBpe bpe, String text) {
    try {
      return bpe.encodeToIds(text, special.mode);
    } catch (ForbiddenSpecialTokenException e) {
      throw new IllegalArgumentException(
          "the text holds the special token "
              + e.token()
              + " at character "
              + e.position()
              + "; choose --special allow or --special text.",
          e);
    }
  }

  private void convertLines(TokenLines lines) throws IOException {
    if (Files.isDirectory(input.jsonl)) {
      throw new IOException(input.jsonl + " is a folder; name a file in it.");
    }
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                ReadFailure.open(input.jsonl), StandardCharsets.UTF_8.newDecoder()))) {
      if (output == null) {
        PrintWriter out = spec.commandLine().getOut();
        lines.convert(reader, input.jsonl, out::println);
      } else {
        AtomicFiles.write(
            output, file -> lines.convert(reader, input.jsonl, line -> print(file, line)));
      }
    }
  }

  private static void print(OutputStream out, String line) throws IOException {
    out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /** The names of {@link SpecialTokens} on the command line. */
  enum Special {
    /** Encode as the special token. */
    ALLOW(SpecialTokens.ALLOW),
    /** Encode as ordinary text. */
    TEXT(SpecialTokens.AS_TEXT),
    /** Refuse. */
    FORBID(SpecialTokens.FORBID);

    private final SpecialTokens mode;

    Special(SpecialTokens mode) {
      this.mode = mode;
    }
  }

  /** Where the text comes from: exactly one of these. */
  private static final class Input {
    @Option(names = "--file", paramLabel = "FILE", description = "Encode a UTF-8 file as one text.")
    private Path file;

    @Option(
        names = "--jsonl",
        paramLabel = "FILE",
        description = "Encode the text of each line of a JSONL file.")
    private Path jsonl;

    @Parameters(paramLabel = "TEXT", arity = "1", description = "Encode this text.")
    private String text;
  }
}

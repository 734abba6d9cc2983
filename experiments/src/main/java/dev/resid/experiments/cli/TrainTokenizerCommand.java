package dev.resid.experiments.cli;

import dev.resid.io.ReadFailure;
import dev.resid.progress.Progress;
import dev.resid.tokenizer.BpeTrainer;
import dev.resid.tokenizer.BpeTrainingListener;
import dev.resid.tokenizer.ByteLevelBpe;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid train tokenizer}: a byte-level BPE vocabulary from text. */
@Command(
    name = "tokenizer",
    description = {
      "Learn a byte-level BPE vocabulary from text.",
      "The same text gives the same vocabulary. Writes vocab.json, merges.txt and tokenizer.json."
    },
    footer = {
      "",
      "A line that holds only <|endoftext|> separates documents.",
      "",
      "Example:",
      "  resid train tokenizer --text texts/ --vocab-size 4096 --out my-tokenizer"
    })
final class TrainTokenizerCommand implements Callable<Integer> {
  private static final List<String> WRITTEN = List.of("vocab.json", "merges.txt", "tokenizer.json");

  /** Tokenizers of other names, which could be read in place of this one; and another run. */
  private static final List<String> OTHERS = List.of("encoder.json", "vocab.bpe", "run.json");

  /** Tokens that are not learnt: the bytes and the end of text. */
  private static final int GIVEN_TOKENS = 257;

  @Spec private CommandSpec spec;
  @Mixin private ProgressMixin progress;

  @Option(
      names = "--text",
      paramLabel = "FILE",
      required = true,
      arity = "1..*",
      description = "UTF-8 text to learn from: files, and folders of .txt files.")
  private List<Path> texts;

  @Option(
      names = "--vocab-size",
      paramLabel = "N",
      required = true,
      description = "Tokens, with the 256 bytes and <|endoftext|>; at least 257.")
  private int vocabularySize;

  @Option(
      names = "--min-frequency",
      paramLabel = "N",
      defaultValue = "2",
      description = "Do not merge pairs that occur less often; ${DEFAULT-VALUE} if left out.")
  private long minimumFrequency;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Folder to write to; created if it does not exist.")
  private Path output;

  /** Called by picocli. */
  TrainTokenizerCommand() {}

  @Override
  public Integer call() throws IOException {
    BpeTrainer trainer = trainer();
    OutputPaths.requireFolder(output);
    for (String name : OTHERS) {
      if (Files.exists(output.resolve(name))) {
        throw new FileAlreadyExistsException(output.resolve(name).toString());
      }
    }
    List<Path> files = TextFiles.expand(texts);
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    ByteLevelBpe learnt;
    try (Reporter reporter = new Reporter(progress.progress(), bytes)) {
      learnt = trainer.withListener(reporter).train(files);
    }
    requireSame(learnt);
    learnt.save(output);
    spec.commandLine()
        .getOut()
        .println(
            learnt.vocabularySize()
                + " tokens from "
                + bytes
                + " bytes of text, written to "
                + output
                + (learnt.vocabularySize() < vocabularySize
                    ? "; no more pairs occur " + minimumFrequency + " times"
                    : ""));
    return ResidCommand.OK;
  }

  /**
   * Refuses to replace files that are not those that this training makes. A run that was stopped
   * while it wrote has left some of them, a finished one all.
   */
  private void requireSame(ByteLevelBpe learnt) throws IOException {
    List<Path> there =
        WRITTEN.stream().map(output::resolve).filter(file -> Files.exists(file)).toList();
    if (there.isEmpty()) {
      return;
    }
    Path made = Files.createTempDirectory("resid-tokenizer");
    try {
      learnt.save(made);
      for (Path file : there) {
        if (!Files.isRegularFile(file) || !isSame(file, made.resolve(file.getFileName()))) {
          throw new FileAlreadyExistsException(file.toString());
        }
      }
    } finally {
      for (String name : WRITTEN) {
        Files.deleteIfExists(made.resolve(name));
      }
      Files.delete(made);
    }
  }

  private static boolean isSame(Path file, Path made) throws IOException {
    try {
      return Files.mismatch(file, made) < 0;
    } catch (IOException e) {
      throw ReadFailure.of(file, e);
    }
  }

  private BpeTrainer trainer() {
    try {
      return new BpeTrainer(vocabularySize).withMinimumFrequency(minimumFrequency);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** Shows the two stages: reading, then merging. */
  private final class Reporter implements BpeTrainingListener, AutoCloseable {
    private final Progress progress;
    private final Progress.Task reading;
    private Progress.Task merging;

    private Reporter(Progress progress, long bytes) {
      this.progress = progress;
      this.reading = progress.begin("reading", "bytes", 0, bytes);
    }

    @Override
    public void fileCounted(Path file, long bytes, int distinctWords) {
      reading.advanceTo(bytes);
      reading.detail(distinctWords + " words");
    }

    @Override
    public void merged(int merges, int tokens, long frequency) {
      if (merging == null) {
        reading.close();
        merging = progress.begin("learning", "tokens", 0, vocabularySize - GIVEN_TOKENS);
      }
      merging.advanceTo(merges);
    }

    @Override
    public void close() {
      if (merging == null) {
        reading.close();
      } else {
        merging.close();
      }
    }
  }
}

package dev.resid.experiments.cli;

import dev.resid.experiments.result.FolderLock;
import dev.resid.experiments.result.RunRecord;
import dev.resid.io.DType;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.train.TextCorpus;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What {@code resid train gpt2} and {@code resid train sae} have in common. */
final class TrainingMixin {
  /** Tokens of one step; more activations than any machine holds. */
  private static final long MOST_TOKENS = 1L << 24;

  /** What is in a folder of results, of this command or another one. */
  private static final List<String> OTHERS =
      List.of(RunRecord.FILE, "config.json", "model.safetensors", "cfg.json");

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--text",
      required = true,
      arity = "1..*",
      paramLabel = "FILE",
      description = "UTF-8 text to train on: files, and folders of .txt files.")
  private List<Path> text = new ArrayList<>();

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write.")
  private Path out;

  @Option(
      names = "--batch",
      paramLabel = "ROWS",
      description = "Rows a step; ${DEFAULT-VALUE} if left out.")
  private int batch = 8;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "STEPS",
      description =
          "At most so many steps between checkpoints, one of which is written about every half"
              + " minute; ${DEFAULT-VALUE} if left out.")
  private int every = 100;

  @Option(
      names = "--dtype",
      paramLabel = "D",
      description = "Dtype of the written weights: f32, f16 or bf16; ${DEFAULT-VALUE} if left out.")
  private WeightsDtype dtype = WeightsDtype.F32;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of weights and order; ${DEFAULT-VALUE} if left out.")
  private long seed = 1;

  private List<Path> files = List.of();

  /** Called by picocli. */
  TrainingMixin() {}

  /** Returns the folder of results. */
  Path out() {
    return out;
  }

  /** Returns rows a step. */
  int batch() {
    return batch;
  }

  /** Returns the most steps between checkpoints. */
  int every() {
    return every;
  }

  /** Returns how weights are stored. */
  DType dtype() {
    return dtype.stored();
  }

  /** Returns the seed. */
  long seed() {
    return seed;
  }

  /** Returns the files that {@link #findText} found. */
  List<Path> files() {
    return files;
  }

  /** Returns the folder of the checkpoint. */
  Path checkpoint() {
    return out.resolve("checkpoint");
  }

  /** Returns the command line as it was typed. */
  String command() {
    List<String> args = spec.root().commandLine().getParseResult().originalArgs();
    return "resid " + String.join(" ", args);
  }

  /**
   * Refuses values that no training can have, as wrong usage.
   *
   * @param learningRate the peak
   * @param context tokens a row
   */
  void requireOptions(double learningRate, int context) {
    requireAtLeast("--context", context, 2);
    requireAtLeast("--batch", batch, 1);
    requireAtLeast("--checkpoint-every", every, 1);
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw wrong("--learning-rate is " + learningRate + ", must be a number above 0");
    }
    requireProduct("--batch times --context", batch, context, MOST_TOKENS);
  }

  /** Refuses a product that is too large, as wrong usage. */
  void requireProduct(String what, int left, int right, long most) {
    if ((long) left * right > most) {
      throw wrong(what + " is " + (long) left * right + ", must be at most " + most);
    }
  }

  /**
   * Refuses what does not fit in memory whatever is done.
   *
   * @param what of it, for the message
   * @param numbers how many numbers of four bytes it has at least
   */
  static void requireRoom(String what, double numbers) throws IOException {
    long limit = Runtime.getRuntime().maxMemory();
    if (numbers * Float.BYTES > limit) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s would have %.3g parameters, which do not fit in the %d MiB that Java may use: ask"
                  + " for fewer, or allow more, for example with RESID_JAVA_OPTS=-Xmx8g.",
              what,
              numbers,
              limit >> 20));
    }
  }

  /** Refuses a value that is too small, as wrong usage. */
  void requireAtLeast(String option, int value, int least) {
    new Usage(spec).requireAtLeast(option, value, least);
  }

  /** Returns what to throw for wrong usage. */
  ParameterException wrong(String message) {
    return new Usage(spec).wrong(message);
  }

  /** Refuses a folder that cannot be written or that holds results of another command. */
  void requireFolder() throws IOException {
    OutputPaths.requireFolder(out);
    for (String name : OTHERS) {
      if (Files.exists(out.resolve(name)) && !Files.isDirectory(checkpoint())) {
        throw new FileAlreadyExistsException(out.resolve(name).toString());
      }
    }
  }

  /** Finds the files of text. */
  void findText() throws IOException {
    files = TextFiles.expand(text);
  }

  /**
   * Returns the text as tokens.
   *
   * @param context tokens a row
   * @throws IOException if it cannot be read, or is too short for one row
   */
  TextCorpus corpus(ByteLevelBpe tokenizer, int context) throws IOException {
    TextCorpus corpus = TextCorpus.read(files, tokenizer);
    if (corpus.rows(context) < 1) {
      throw new IOException(
          "the text has "
              + corpus.tokens()
              + " tokens, too few for one row of "
              + context
              + "; give more text, or a smaller --context.");
    }
    return corpus;
  }

  /** Says on standard error, with --quiet too, what does not stop the training. */
  void tell(String sentence) {
    spec.commandLine().getErr().println("resid: " + ErrorSentence.oneLine(sentence) + ".");
  }

  /** Returns the lock on the folder of results, whose file lies beside the checkpoint. */
  FolderLock lock() throws IOException {
    return FolderLock.of(out, checkpoint());
  }
}

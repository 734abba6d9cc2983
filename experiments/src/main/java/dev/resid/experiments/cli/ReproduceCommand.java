package dev.resid.experiments.cli;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.reproduce.Check;
import dev.resid.experiments.reproduce.GivenSaes;
import dev.resid.experiments.reproduce.Missing;
import dev.resid.experiments.reproduce.Part;
import dev.resid.experiments.reproduce.PublishedTable;
import dev.resid.experiments.reproduce.ReproduceOptions;
import dev.resid.experiments.reproduce.ReproduceOutcome;
import dev.resid.experiments.reproduce.ReproduceStudy;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hub.HubCache;
import dev.resid.hub.HubException;
import dev.resid.hub.HubName;
import dev.resid.hub.HubSnapshot;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.WeightTransforms;
import dev.resid.model.WeightsState;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid reproduce}. */
@Command(
    name = "reproduce",
    description = {
      "Check published numbers of GPT-2 small and its public SAEs against your files.",
      "Runs every study whose files are given and prints published, measured, tolerance and"
          + " verdict; then which file each of the other numbers needs. Downloads nothing.",
      "The model is loaded with the weights that the SAEs were trained on (TransformerLens).",
      "Exit code 1 if a number does not hold."
    },
    footer = {
      "",
      "The folder gets report.html, tables, run.json, and the run of each part in parts/. Stopped",
      "at any moment, the same command goes on where it was and ends in the same results.",
      "",
      "Example:",
      "  resid reproduce --model models/gpt2 \\",
      "    --saes saes/models--jbloom--GPT2-Small-SAEs-Reformatted --lambada lambada_test.txt \\",
      "    --text openwebtext.txt --out reproduced"
    })
final class ReproduceCommand implements Callable<Integer> {
  private static final int DIGITS = 5;

  @Spec private CommandSpec spec;
  @Mixin private BackendsMixin backends;
  @Mixin private ProgressMixin progress;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description =
          "Folder of GPT-2 small, or openai-community/gpt2 where 'resid download' or Python fetched"
              + " it.")
  private Path model;

  @Option(
      names = "--saes",
      arity = "1..*",
      paramLabel = "[NAME=]DIR",
      description =
          "Published SAEs: folders or files, a folder of such folders, RELEASE/ID of one that"
              + " 'resid download --sae' fetched, or RELEASE for all of them. Which SAE it is must"
              + " be stated by its files, by its place in Hugging Face's cache, or by you with"
              + " NAME, one of the names that the list of missing files has.")
  private List<String> saes = List.of();

  @Option(
      names = "--text",
      paramLabel = "FILE",
      description = "OpenWebText, UTF-8; lines of <|endoftext|> stand between documents.")
  private Path text;

  @Option(
      names = "--tokens",
      paramLabel = "FILE",
      description =
          "Rows of 1,024 token ids of OpenWebText without a begin-of-text token, JSON [[id, ...],"
              + " ...].")
  private Path tokens;

  @Option(
      names = "--lambada",
      paramLabel = "FILE",
      description = "The test split of LAMBADA, lower-case, a passage a line.")
  private Path lambada;

  @Option(
      names = "--cbt",
      paramLabel = "FILE",
      description = "cbtest_CN_valid_2000ex.txt of the Children's Book Test.")
  private Path cbt;

  @Option(
      names = "--parts",
      split = ",",
      paramLabel = "PART",
      description =
          "Only these: bos, context, short-rows, evaluation-rows, lambada, lambada-as-published,"
              + " cbt, cbt-as-published, activations, errors, error-curve, features, substitution,"
              + " plateau. All whose files are there if left out.")
  private List<String> parts;

  @Option(
      names = "--numbers",
      paramLabel = "FILE",
      description =
          "Another table of published numbers, of another model; docs/experiments.md has the"
              + " format.")
  private Path numbers;

  @Option(
      names = "--rows",
      paramLabel = "N",
      description =
          "Rows of 128 tokens of the text; ${DEFAULT-VALUE} if left out, published 16000. Fewer"
              + " make tolerances wider.")
  private int rows = ReproduceOptions.DEFAULT_SHORT_ROWS;

  @Option(
      names = "--long-rows",
      paramLabel = "N",
      description = "Rows of 1,024 tokens; ${DEFAULT-VALUE} if left out, as published.")
  private int longRows = ReproduceOptions.DEFAULT_LONG_ROWS;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Folder for the results; ${DEFAULT-VALUE} if left out.")
  private Path out = Path.of("reproduce");

  /** Called by picocli. */
  ReproduceCommand() {}

  @Override
  public Integer call() throws IOException {
    List<Part> chosen =
        usage(() -> parts == null ? List.of(Part.values()) : parts.stream().map(Part::of).toList());
    ReproduceOptions.Files files =
        new ReproduceOptions.Files(
            existing(text), existing(tokens), existing(lambada), existing(cbt));
    RunFolder.requireUsable(out);
    PublishedTable table =
        numbers == null
            ? PublishedTable.load()
            : PublishedTable.parse(TextFiles.read(numbers), numbers.toString());
    WeightsState weights = table.weights();
    GivenSaes given = new GivenSaes(table, SaeCatalogue.load(), weights);
    for (String one : saes) {
      for (String found : cached(one)) {
        given.add(found);
      }
    }
    PrintWriter err = spec.commandLine().getErr();
    if (!progress.quiet()) {
      given.unused().forEach(name -> err.println("No number was published about " + name + "."));
    }
    try (BackendsMixin.Opened opened = backends.open();
        Workers workers = new Workers(backends.threads())) {
      List<Gpt2> models = new ArrayList<>();
      for (Backend backend : opened.all()) {
        models.add(
            Gpt2.load(
                HubFolder.of(model, Gpt2Checkpoint.hubFiles()),
                backend,
                weights.equals(WeightsState.RAW)
                    ? WeightTransforms.none()
                    : WeightTransforms.transformerLens()));
      }
      ReproduceOptions options =
          usage(
              () ->
                  new ReproduceOptions(
                      table,
                      given.all(),
                      files,
                      chosen,
                      rows,
                      longRows,
                      BeginOfText.of(models.getFirst(), BeginOfText.STATE_IT)));
      ReproduceStudy study = new ReproduceStudy(models, options);
      if (!progress.quiet()) {
        err.println(study.plan() + opened.words() + ".");
        err.flush();
      }
      return print(spec.commandLine().getOut(), study.run(out, progress.progress(), workers));
    }
  }

  /** Returns the paths of what is no path, but the name of a release or of an SAE of one. */
  private static List<String> cached(String given) throws IOException {
    if (given.contains("=") || Files.exists(Path.of(given))) {
      return List.of(given);
    }
    List<SaeCatalogue.Entry> release =
        SaeCatalogue.load().entries().stream()
            .filter(entry -> entry.release().equals(given))
            .toList();
    if (release.isEmpty()) {
      return List.of(new SaeSource(given).localOrCached().toString());
    }
    HubCache cache = HubCache.fromEnvironment();
    List<String> found = new ArrayList<>();
    for (SaeCatalogue.Entry entry : release) {
      Optional<HubSnapshot> snapshot =
          cache.find(HubName.parse(entry.repository()), entry.hubFiles());
      if (snapshot.isPresent()) {
        found.add(entry.in(snapshot.get()).toString());
      }
    }
    if (found.isEmpty()) {
      throw new HubException(
          given
              + ": no SAE of this release is in the Hugging Face cache "
              + cache.settings().cache()
              + "; 'resid download --sae "
              + release.getFirst().name()
              + "' fetches one.");
    }
    return found;
  }

  /** Prints the table and returns the exit code. */
  static int print(PrintWriter console, ReproduceOutcome outcome) {
    int widest = outcome.checks().stream().mapToInt(check -> what(check).length()).max().orElse(0);
    String format = "%-" + Math.max(6, widest) + "s  %10s  %10s  %10s  %s%n";
    console.printf(format, "number", "published", "measured", "tolerance", "verdict");
    for (Check check : outcome.checks()) {
      console.printf(
          Locale.ROOT,
          format,
          what(check),
          check.number().printed(),
          text(check.value()),
          text(check.tolerance()),
          check.verdict().words());
    }
    console.println();
    for (Missing missing : outcome.missing()) {
      console.printf(
          Locale.ROOT,
          "Not checked: %,d numbers of %s: %s%n",
          missing.numbers(),
          missing.parts(),
          missing.file());
    }
    long off = outcome.count(Verdict.DOES_NOT_HOLD);
    console.printf(
        Locale.ROOT,
        "%,d published numbers hold, %,d do not, %,d are not decidable here.%n",
        outcome.count(Verdict.HOLDS),
        off,
        outcome.count(Verdict.UNDECIDED));
    console.println("Report: " + outcome.report());
    return off == 0 ? ResidCommand.OK : ResidCommand.FAILED;
  }

  private static String what(Check check) {
    return check.number().part().word() + ": " + check.number().what();
  }

  private static String text(OptionalDouble value) {
    return value.isEmpty() ? "-" : Numbers.significant(value.getAsDouble(), DIGITS);
  }

  private static Optional<Path> existing(Path file) throws IOException {
    if (file != null && !Files.isRegularFile(file)) {
      throw new NoSuchFileException(file.toString());
    }
    return Optional.ofNullable(file);
  }

  private <T> T usage(Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}

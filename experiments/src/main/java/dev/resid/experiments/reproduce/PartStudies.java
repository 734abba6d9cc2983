package dev.resid.experiments.reproduce;

import dev.resid.experiments.direction.DirectionKind;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.direction.SaeDirectionKind;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.language.ClozeItem;
import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.ClozeOptions.Quality;
import dev.resid.experiments.language.ClozePrompt;
import dev.resid.experiments.language.ClozePrompt.TooLong;
import dev.resid.experiments.language.ClozeStudy;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.experiments.language.ContextOptions;
import dev.resid.experiments.language.ContextStudy;
import dev.resid.experiments.language.PositionRange;
import dev.resid.experiments.language.PropagationStudy;
import dev.resid.experiments.plateau.DensityPool;
import dev.resid.experiments.plateau.PlateauOptions;
import dev.resid.experiments.plateau.PlateauOptions.RealBase;
import dev.resid.experiments.plateau.PlateauSae;
import dev.resid.experiments.plateau.PlateauStudy;
import dev.resid.experiments.plateau.PlateauVariants;
import dev.resid.experiments.plateau.PlateauVariants.FeatureValue;
import dev.resid.experiments.plateau.PlateauVariants.Placing;
import dev.resid.experiments.plateau.Regime;
import dev.resid.experiments.plateau.Scale;
import dev.resid.experiments.plateau.TargetKind;
import dev.resid.experiments.sensitivity.Lengths;
import dev.resid.experiments.sensitivity.SensitivityOptions;
import dev.resid.experiments.sensitivity.SensitivityStudy;
import dev.resid.experiments.study.Study;
import dev.resid.experiments.substitution.Readout;
import dev.resid.experiments.substitution.Substitute;
import dev.resid.experiments.substitution.SubstitutionOptions;
import dev.resid.experiments.substitution.SubstitutionStudy;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.Pieces;
import dev.resid.experiments.text.RowPacker;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** Makes the study of a part, on one backend, for the numbers that can be checked. */
final class PartStudies {
  /** The token, and two more: the study of positions wants three, and earlier ones see no later. */
  private static final int BOS_LENGTH = 3;

  private static final long RESAMPLE_SEED = 1;

  /** The published code spread 100 points over its way. */
  private static final double PUBLISHED_ABSOLUTE_STEP = 0.505;

  /** What the published notebooks do. */
  private static final PlateauVariants AS_PUBLISHED =
      new PlateauVariants(DensityPool.nearest(), Placing.IN_PLACE, FeatureValue.SCALE, List.of());

  private final Gpt2 gpt2;
  private final ReproduceOptions options;

  PartStudies(Gpt2 gpt2, ReproduceOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
  }

  /**
   * The study of a part.
   *
   * @param study not yet run
   * @param size how many rows, prompts or items it has
   */
  record Prepared(Study study, int size) {}

  /**
   * Returns the study of a part.
   *
   * @throws IOException if something cannot be read
   */
  Prepared prepare(Part part) throws IOException {
    List<PublishedNumber> numbers = options.of(part);
    return switch (part) {
      case BOS, CONTEXT, SHORT_ROWS, EVALUATION_ROWS -> context(part, numbers);
      case PROPAGATION -> propagation(numbers);
      case LAMBADA, LAMBADA_WHOLE, LAMBADA_AS_PUBLISHED -> cloze(ClozeTask.LAMBADA, part, numbers);
      case CBT, CBT_AS_PUBLISHED -> cloze(ClozeTask.CBT, part, numbers);
      case ACTIVATIONS, EVALUATION_ATOMS, ERRORS, ERROR_CURVE, FEATURES ->
          sensitivity(part, numbers);
      case SUBSTITUTION -> substitution(numbers);
      case PLATEAU -> plateau(numbers);
    };
  }

  private Prepared context(Part part, List<PublishedNumber> numbers) throws IOException {
    TokenBatch tokens =
        switch (part) {
          case BOS -> TokenBatch.of(bosRow());
          case CONTEXT -> text(options.table().fact("long_row"), options.longRows());
          case SHORT_ROWS -> text(options.table().fact("short_row"), options.shortRows());
          default -> given();
        };
    List<HookPoint> points = distinct(numbers, "point").stream().map(HookPoint::parse).toList();
    List<PositionRange> ranges =
        numbers.stream()
            .map(n -> PositionRange.parse(n.where().get("from") + "-" + n.where().get("to")))
            .distinct()
            .toList();
    ContextOptions measured =
        new ContextOptions(tokens, saes(numbers), points, ranges, data(part), RESAMPLE_SEED);
    return new Prepared(new ContextStudy(gpt2, measured), tokens.rows());
  }

  private int[] bosRow() {
    int[] row = new int[BOS_LENGTH];
    java.util.Arrays.fill(row, options.bos());
    return row;
  }

  private Prepared propagation(List<PublishedNumber> numbers) throws IOException {
    TokenBatch tokens = text(options.table().fact("long_row"), options.longRows());
    ContextOptions measured =
        new ContextOptions(tokens, saes(numbers), data(Part.PROPAGATION), RESAMPLE_SEED);
    return new Prepared(
        new PropagationStudy(gpt2, measured, PropagationStudy.Pairing.PUBLISHED), tokens.rows());
  }

  private Prepared cloze(ClozeTask task, Part part, List<PublishedNumber> numbers)
      throws IOException {
    Path file = options.files().given().get(part.input());
    List<ClozeItem> items = task.read(file);
    int size = numbers.stream().mapToInt(PublishedNumber::size).max().orElseThrow();
    boolean same = numbers.stream().anyMatch(number -> number.rule() == Rule.ITEMS);
    if (same && items.size() < size) {
      throw new IOException(
          file
              + " has "
              + items.size()
              + " items, the published numbers are over "
              + size
              + "; give "
              + part.input().source());
    }
    List<ClozePrompt> prompts =
        ClozePrompt.of(
            items.subList(0, Math.min(size, items.size())),
            gpt2.tokenizer(),
            options.bos(),
            gpt2.config().nCtx(),
            TooLong.REFUSE);
    ClozeOptions measured =
        new ClozeOptions(task, prompts, saes(numbers), data(part), quality(part), RESAMPLE_SEED);
    return new Prepared(new ClozeStudy(gpt2, measured), prompts.size());
  }

  private static Quality quality(Part part) {
    return part == Part.LAMBADA_AS_PUBLISHED || part == Part.CBT_AS_PUBLISHED
        ? Quality.OF_RECONSTRUCTION
        : Quality.OF_ACTIVATION;
  }

  private Prepared sensitivity(Part part, List<PublishedNumber> numbers) throws IOException {
    TokenBatch tokens =
        part.input() == Input.TOKENS
            ? given()
            : text(options.table().fact("short_row"), options.shortRows());
    List<NamedSae> saes = saes(numbers);
    List<SweptDirection> directions = new ArrayList<>();
    for (String kind : distinct(numbers, "direction")) {
      for (NamedSae sae : saes) {
        directions.add(new SweptDirection.OfSae(SaeDirectionKind.of(kind), sae.name()));
      }
    }
    if (directions.isEmpty()) {
      directions.add(new SweptDirection.Baseline(DirectionKind.ISOTROPIC));
    }
    double[] lengths =
        distinct(numbers, "length").stream().mapToDouble(Double::parseDouble).sorted().toArray();
    SensitivityOptions measured =
        new SensitivityOptions(
            tokens,
            data(part),
            options.table().fact("layer"),
            new Lengths.Given(lengths.length == 0 ? new double[] {1} : lengths),
            directions,
            saes,
            SensitivityOptions.DEFAULT_SEED,
            SensitivityOptions.DEFAULT_POOL,
            SensitivityOptions.DEFAULT_RIDGE,
            0);
    return new Prepared(new SensitivityStudy(gpt2, measured), tokens.rows());
  }

  private Prepared substitution(List<PublishedNumber> numbers) throws IOException {
    TokenBatch tokens = text(options.table().fact("short_row"), options.shortRows());
    SubstitutionOptions measured =
        new SubstitutionOptions(
            tokens,
            data(Part.SUBSTITUTION),
            saes(numbers),
            numbers.stream()
                .filter(number -> number.saes().isEmpty())
                .map(number -> HookPoint.parse(number.where().get("subject")))
                .distinct()
                .toList(),
            distinct(numbers, "substitute").stream().map(Substitute::of).toList(),
            numbers.stream().anyMatch(number -> number.column().startsWith(Readout.CE_COLUMN))
                ? List.of(Readout.KL, Readout.CE)
                : List.of(Readout.KL),
            List.of(),
            0,
            SubstitutionOptions.DEFAULT_SEED,
            SubstitutionOptions.DEFAULT_POOL,
            SubstitutionOptions.DEFAULT_RIDGE,
            0);
    return new Prepared(new SubstitutionStudy(gpt2, measured), tokens.rows());
  }

  private Prepared plateau(List<PublishedNumber> numbers) throws IOException {
    int prompts = options.table().fact("prompts");
    Path file = options.files().given().get(Input.TEXT);
    TokenBatch tokens;
    try (Documents documents = Documents.open(file)) {
      tokens = Pieces.cut(documents, gpt2.tokenizer(), options.table().fact("prompt"), prompts);
    }
    if (tokens.rows() < prompts) {
      throw new IOException(
          file
              + " gives "
              + tokens.rows()
              + " prompts, the published numbers are over "
              + prompts
              + "; use more text, or leave plateau out with --parts");
    }
    Optional<GivenSae> given =
        numbers.stream()
            .flatMap(number -> number.saes().stream())
            .findFirst()
            .flatMap(options::sae);
    Optional<PlateauSae> sae = Optional.empty();
    if (given.isPresent()) {
      GivenSae.Loaded loaded = given.get().load(gpt2.backend());
      sae = Optional.of(new PlateauSae(loaded.named(), loaded.logFrequencies()));
    }
    PlateauOptions measured =
        new PlateauOptions(
            tokens,
            data(Part.PLATEAU),
            options.table().fact("plateau_layer"),
            prompts,
            kinds(numbers, "target"),
            kinds(numbers, "base"),
            RealBase.OTHER,
            sae,
            distinct(numbers, "regime").stream().map(Regime::of).toList(),
            new Scale(
                Scale.Rule.PUBLISHED,
                OptionalDouble.of(PUBLISHED_ABSOLUTE_STEP),
                OptionalDouble.empty(),
                OptionalDouble.empty()),
            AS_PUBLISHED,
            PlateauOptions.DEFAULT_SEED,
            0);
    return new Prepared(new PlateauStudy(gpt2, measured), prompts);
  }

  /** Returns the kinds of a role; KS distances need the model-generated one besides. */
  private static List<TargetKind> kinds(List<PublishedNumber> numbers, String role) {
    List<String> words =
        numbers.stream()
            .filter(number -> role.equals(number.where().get("role")))
            .map(number -> number.where().get("kind"))
            .toList();
    if (words.isEmpty() && role.equals("base")) {
      return List.of();
    }
    return Stream.concat(Stream.of(TargetKind.MODEL_GENERATED), words.stream().map(TargetKind::of))
        .distinct()
        .toList();
  }

  private static List<String> distinct(List<PublishedNumber> numbers, String column) {
    return numbers.stream()
        .map(number -> number.where().get(column))
        .filter(Objects::nonNull)
        .distinct()
        .toList();
  }

  private List<NamedSae> saes(List<PublishedNumber> numbers) throws IOException {
    List<NamedSae> saes = new ArrayList<>();
    for (GivenSae given : options.saes()) {
      String name = given.published().name();
      if (numbers.stream().anyMatch(number -> number.saes().contains(name))) {
        NamedSae sae = given.load(gpt2.backend()).named();
        sae.requireReconstructs(gpt2, given.published().point());
        saes.add(sae);
      }
    }
    return saes;
  }

  private String data(Part part) {
    Path file = options.files().given().get(part.input());
    return file == null ? "the begin-of-text token" : file.getFileName().toString();
  }

  private TokenBatch text(int length, int rows) throws IOException {
    try (Documents documents = Documents.open(options.files().given().get(Input.TEXT))) {
      return RowPacker.pack(documents, gpt2.tokenizer(), options.bos(), length, rows);
    }
  }

  private TokenBatch given() throws IOException {
    TokenBatch all = TokenBatch.readJson(options.files().given().get(Input.TOKENS));
    return all.slice(0, Math.min(all.rows(), options.longRows()));
  }
}

package dev.resid.experiments.language;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.BuildInfo;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.RowMerge;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.RowStudy.Steps;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.study.Study;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPlan;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.study.Work;
import dev.resid.experiments.study.Work.SaeWork;
import dev.resid.experiments.sweep.MemoryPlan;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Error propagation: what a first SAE's reconstruction does to the input of a second one further
 * down. Q_after/Q_before − 1 for squared error, L0 and norm at the second SAE, of the same rows and
 * positions, mean over tokens of the ratios.
 *
 * <p>A run goes on where an earlier process with the same settings stopped, and ends in the same
 * results.
 *
 * @source Anders and Bloom 2024, "Examining Language Model Performance with Reconstructed
 *     Activations using Sparse Autoencoders", the error propagation figure as its text defines it
 */
public final class PropagationStudy implements Study {
  /** The command in records. */
  public static final String COMMAND = "language propagation";

  /** Sums over tokens of Q_after/Q_before − 1, and how many tokens have it. */
  static final String CHANGE = "change";

  static final String COUNT = "count";

  /** Sums over tokens of Q before and after. */
  static final String BEFORE = "before";

  static final String AFTER = "after";

  /** Q after at one position, mean over positions of 1/Q before, and the product of the two. */
  static final String AT = "at";

  static final String INVERSE = "inverse";

  static final String PRODUCT = "product";

  /** Quantities as {@link ClozeLayout} numbers them, without L1. */
  static final List<Integer> QUANTITIES =
      List.of(ClozeLayout.SQUARED_ERROR, ClozeLayout.L0, ClozeLayout.NORM);

  /** Positions after the first that count. */
  private static final int POSITIONS = 100;

  /** The position whose value the published code divides by those of all positions. */
  private static final int PUBLISHED_POSITION = 50;

  private static final int ROWS_PER_BLOCK = 2;

  /** Which values before belong to a value after. */
  public enum Pairing {
    /** Those of the same row and position, as the text of the publication says. */
    SAME,
    /**
     * As in the published code: the value after at position 50 of a row, divided by the values
     * before at positions 1 to 100 of other rows; mean over all pairs of different rows.
     */
    PUBLISHED;

    /** Returns the name in records and on the command line. */
    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Gpt2 gpt2;
  private final ContextOptions options;
  private final Pairing pairing;
  private final List<SaeFacts> facts;
  private final RowLayout layout;

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options rows and SAEs; pairs of SAEs are those of which the first one's point lies
   *     before the second one's
   * @throws IllegalArgumentException if no SAE lies before another, one does not reconstruct an
   *     activation of the model, or a row has tokens or a length that the model lacks
   */
  public PropagationStudy(Gpt2 gpt2, ContextOptions options) {
    this(gpt2, options, Pairing.SAME);
  }

  /**
   * Prepares a run.
   *
   * @param gpt2 the model
   * @param options rows and SAEs; pairs of SAEs are those of which the first one's point lies
   *     before the second one's
   * @param pairing which values are divided by which
   * @throws IllegalArgumentException if no SAE lies before another, one does not reconstruct an
   *     activation of the model, or a row has tokens or a length that the model or the pairing
   *     lacks
   */
  public PropagationStudy(Gpt2 gpt2, ContextOptions options, Pairing pairing) {
    gpt2.requireTokens(options.tokens());
    options.saes().forEach(sae -> sae.requireReconstructs(gpt2));
    this.gpt2 = gpt2;
    this.options = options;
    this.pairing = pairing;
    this.facts = SaeFacts.of(options.saes());
    this.layout = layout(options.saes().size(), pairing);
    if (options.saes().stream().map(sae -> sae.sae().hookPoint()).distinct().count() < 2) {
      throw new IllegalArgumentException(
          "errors propagate from one SAE to another further down; name SAEs of at least two"
              + " points");
    }
    boolean fits = options.tokens().maxLength() > PUBLISHED_POSITION && options.tokens().rows() > 1;
    if (pairing == Pairing.PUBLISHED && !fits) {
      throw new IllegalArgumentException(
          "the published pairing looks at position "
              + PUBLISHED_POSITION
              + " and divides values of different rows; it needs two rows of "
              + (PUBLISHED_POSITION + 1)
              + " tokens, there are "
              + options.tokens().rows()
              + " of "
              + options.tokens().maxLength());
    }
  }

  static RowLayout layout(int saes, Pairing pairing) {
    int q = QUANTITIES.size();
    RowLayout same =
        RowLayout.empty()
            .with(CHANGE, saes, saes, q)
            .with(COUNT, saes, saes, q)
            .with(BEFORE, saes, saes, q)
            .with(AFTER, saes, saes, q);
    return switch (pairing) {
      case SAME -> same;
      case PUBLISHED ->
          same.with(AT, saes, saes, q).with(INVERSE, saes, saes, q).with(PRODUCT, saes, saes, q);
    };
  }

  /** Returns whether the first SAE lies before the second. */
  static boolean isPair(List<SaeFacts> saes, int first, int second) {
    return saes.get(first).reads().isBefore(saes.get(second).reads());
  }

  @Override
  public String plan() {
    int saes = options.saes().size();
    return String.format(
        Locale.ROOT,
        "%,d rows of %d tokens, of which the first %d count, %d SAEs, about %,d evaluations of a"
            + " block; memory: weights %s, SAEs %s",
        options.tokens().rows(),
        options.tokens().maxLength(),
        Math.min(options.tokens().maxLength(), POSITIONS + 1),
        saes,
        work().blocks(),
        MemoryPlan.mebibytes(gpt2.config().parameters() * Float.BYTES),
        MemoryPlan.mebibytes(NamedSae.bytes(options.saes())));
  }

  @Override
  public String estimate(Shard shard) {
    return work().estimate(gpt2, shard);
  }

  private Work work() {
    int layers = gpt2.config().nLayers();
    long blocks =
        layers
            + firsts().mapToLong(sae -> layers - Math.max(0, sae.sae().hookPoint().layer())).sum();
    long rows = options.tokens().rows();
    List<SaeWork> saes = new ArrayList<>(SaeWork.each(options.saes(), rows));
    for (int first = 0; first < facts.size(); first++) {
      later(first).mapToObj(s -> new SaeWork(options.saes().get(s).sae(), rows)).forEach(saes::add);
    }
    int positions = Math.min(options.tokens().maxLength(), POSITIONS + 1);
    return new Work(positions, rows * blocks, 0, saes);
  }

  @Override
  public RowStudy<StudyOutcome> rows(Workers workers) {
    return new RowStudy<>(
        new StudyPlan(
            COMMAND,
            settings(),
            StudyRecord.facts(gpt2, workers).with("data", options.data()),
            options.tokens().rows(),
            ROWS_PER_BLOCK,
            layout.count(),
            "runs",
            options.saes().size()),
        Steps.of(this::compute, () -> SaeFacts.notes(options.saes())),
        PropagationReport::write);
  }

  /**
   * Returns what puts the parts of a run together.
   *
   * @param shards output folders of all parts, in any order
   * @throws IllegalArgumentException if there are none
   */
  public static RowMerge<StudyOutcome> merge(List<Path> shards) {
    return new RowMerge<>(COMMAND, shards, PropagationReport::write);
  }

  /** Returns the numbers of some rows. */
  double[][] compute(RowRange rows, IntConsumer progress) {
    int saes = options.saes().size();
    double[][] values = new double[rows.size()][layout.count()];
    for (int i = 0; i < values.length; i++) {
      // What comes after the positions that count changes nothing at them.
      int[] all = options.tokens().row(rows.from() + i);
      TokenBatch row = TokenBatch.of(Arrays.copyOf(all, Math.min(all.length, POSITIONS + 1)));
      HookPoint[] points = points(options.saes().stream());
      Map<HookPoint, BaseRun> runs = gpt2.baseRuns(row, List.of(points(firsts())), points);
      ActivationCache cache = runs.values().iterator().next().cache();
      List<SaeQuality> clean = new ArrayList<>();
      for (NamedSae sae : options.saes()) {
        Tensor x = cache.get(sae.sae().hookPoint());
        clean.add(SaeQuality.of(sae.sae(), x, row.maxLength()));
      }
      for (int first = 0; first < saes; first++) {
        BaseRun base = runs.get(options.saes().get(first).sae().hookPoint());
        if (base != null && later(first).findAny().isPresent()) {
          from(values[i], base, clean, first);
        }
        progress.accept(i * saes + first + 1);
      }
    }
    return values;
  }

  /** Returns the SAEs that lie before another. */
  private Stream<NamedSae> firsts() {
    return IntStream.range(0, facts.size())
        .filter(first -> later(first).findAny().isPresent())
        .mapToObj(options.saes()::get);
  }

  /** Returns the numbers of the SAEs that lie after one. */
  private IntStream later(int first) {
    return IntStream.range(0, facts.size()).filter(second -> isPair(facts, first, second));
  }

  private static HookPoint[] points(Stream<NamedSae> saes) {
    return saes.map(sae -> sae.sae().hookPoint()).distinct().toArray(HookPoint[]::new);
  }

  private void from(double[] values, BaseRun base, List<SaeQuality> clean, int first) {
    Tensor hat = Tensor.wrap(base.activation().shape(), clean.get(first).reconstruction());
    HookPoint[] later = points(later(first).mapToObj(options.saes()::get));
    Continuation changed = base.continueWith(hat, later);
    later(first).forEach(second -> compare(values, clean.get(second), changed, first, second));
  }

  private void compare(
      double[] values, SaeQuality clean, Continuation changed, int first, int second) {
    NamedSae sae = options.saes().get(second);
    double[][] before = clean.values();
    int positions = before.length;
    int from = changed.firstPosition();
    Tensor y = changed.cache().get(sae.sae().hookPoint());
    double[][] after = SaeQuality.of(sae.sae(), y, y.shape().size(Axis.POS)).values();
    for (int pos = 1; pos < Math.min(positions, POSITIONS + 1); pos++) {
      double[] now = pos < from ? before[pos] : after[pos - from];
      for (int q = 0; q < QUANTITIES.size(); q++) {
        double was = before[pos][QUANTITIES.get(q)];
        double is = now[QUANTITIES.get(q)];
        values[layout.index(BEFORE, first, second, q)] += was;
        values[layout.index(AFTER, first, second, q)] += is;
        // A ratio to 0 does not exist unless nothing changed.
        if (was != 0 || is == 0) {
          values[layout.index(CHANGE, first, second, q)] += was == 0 ? 0 : is / was - 1;
          values[layout.index(COUNT, first, second, q)]++;
        }
      }
    }
    if (pairing == Pairing.PUBLISHED) {
      int at = PUBLISHED_POSITION;
      apart(values, before, at < from ? before[at] : after[at - from], first, second);
    }
  }

  /** Adds what the published code divides: the row's value at one position, and 1/all of them. */
  private void apart(double[] values, double[][] before, double[] at, int first, int second) {
    for (int q = 0; q < QUANTITIES.size(); q++) {
      double inverse = 0;
      int n = 0;
      for (int pos = 1; pos < Math.min(before.length, POSITIONS + 1); pos++) {
        double was = before[pos][QUANTITIES.get(q)];
        inverse += was == 0 ? 0 : 1 / was;
        n += was == 0 ? 0 : 1;
      }
      double mean = n == 0 ? 0 : inverse / n;
      double now = at[QUANTITIES.get(q)];
      values[layout.index(AT, first, second, q)] = now;
      values[layout.index(INVERSE, first, second, q)] = mean;
      values[layout.index(PRODUCT, first, second, q)] = now * mean;
    }
  }

  private Settings settings() {
    return StudyRecord.settings("language-propagation/2", gpt2, BuildInfo.current().version())
        .with("tokens_sha256", TokenDigest.sha256(options.tokens()))
        .with("rows", options.tokens().rows())
        .with("positions", options.tokens().maxLength())
        .with("saes", options.saes().stream().map(NamedSae::name).toList())
        .with("saes_sha256", options.saes().stream().map(NamedSae::sha256).toList())
        .with(
            "sae_points", options.saes().stream().map(sae -> sae.sae().hookPoint().name()).toList())
        .with("pairing", pairing.word())
        .with("seed", options.seed())
        .with("bootstrap_resamples", RowStudy.RESAMPLES);
  }
}

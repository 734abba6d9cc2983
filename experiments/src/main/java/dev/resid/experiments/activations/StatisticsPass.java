package dev.resid.experiments.activations;

import dev.resid.experiments.direction.ActivationPool;
import dev.resid.experiments.direction.Covariance;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.experiments.sweep.Moments;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.io.AtomicFiles;
import dev.resid.io.ReadFailure;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The first walk over the data: mean and covariance of the activations at a point, and a pool of
 * them in a file. Its state is written down after every block of rows, so that it can stop and go
 * on with the same bits. Rows are added one by one, so that nothing depends on the batch.
 */
public final class StatisticsPass {
  private static final int ROWS_PER_BLOCK = 64;
  private static final int PAIRS = 10_000;
  private static final String STATE = "statistics.bin";
  private static final String POOL = "pool.f32";

  /** The name of a study's only walk. */
  private static final String ONLY = "";

  private final Gpt2 gpt2;
  private final TokenBatch tokens;
  private final HookPoint point;
  private final CounterRandom random;
  private final int batchRows;
  private final Path stateFile;
  private final PoolFile pool;

  private int rowsDone;
  private Moments norms = Moments.NONE;
  private Moments normsWithoutFirst = Moments.NONE;
  private Moments distances = Moments.NONE;
  private Covariance covariance;
  private double[] firstSum;
  private final List<NamedSae> saes;
  private List<SaeCensus> censuses;

  /**
   * Prepares the walk of a study that has one.
   *
   * @param gpt2 the model
   * @param data what it looks at
   * @param batchRows rows a call of the model
   * @param folder where the state and the pool go
   */
  public StatisticsPass(Gpt2 gpt2, PointData data, int batchRows, RunFolder folder) {
    this(gpt2, data, batchRows, folder, ONLY);
  }

  /**
   * Prepares one of several walks of a study.
   *
   * @param gpt2 the model
   * @param data what it looks at
   * @param batchRows rows a call of the model
   * @param folder where the state and the pool go
   * @param name begins the names of its files
   */
  public StatisticsPass(Gpt2 gpt2, PointData data, int batchRows, RunFolder folder, String name) {
    this.gpt2 = gpt2;
    this.tokens = data.tokens();
    // The same tensor as resid_pre of this block, for which that block itself would be run too.
    HookPoint asked = data.point();
    this.point =
        asked.site() == Site.RESID_PRE && asked.layer() > 0
            ? HookPoint.residPost(asked.layer() - 1)
            : asked;
    this.random = new CounterRandom(data.seed());
    this.batchRows = batchRows;
    this.stateFile = folder.work(name + STATE);
    this.covariance = new Covariance(gpt2.config().dModel());
    this.firstSum = new double[gpt2.config().dModel()];
    this.saes = data.saes();
    this.censuses = saes.stream().map(SaeCensus::of).toList();
    Path poolFile = folder.work(name + POOL);
    this.pool = new PoolFile(poolFile, gpt2.config().dModel(), tokens, data.pool(), random);
  }

  /** Returns the bytes of the pool. */
  long poolBytes() {
    return pool.bytes();
  }

  /**
   * Computes what is missing.
   *
   * @throws IOException if the state cannot be read or written
   */
  public void run(Progress progress, Workers workers) throws IOException {
    load();
    if (rowsDone == tokens.rows() && distances.count() > 0) {
      return;
    }
    try (PoolFile.Writer writer = pool.from(rowsDone);
        Progress.Task task = progress.begin("activations", "rows", rowsDone, tokens.rows())) {
      while (rowsDone < tokens.rows()) {
        int end = Math.min(tokens.rows(), rowsDone + ROWS_PER_BLOCK);
        while (rowsDone < end) {
          int batchEnd = Math.min(end, rowsDone + batchRows);
          add(rowsDone, batchEnd, writer, workers);
          rowsDone = batchEnd;
          task.advanceTo(rowsDone);
        }
        writer.force();
        save();
      }
    }
    measureDistances();
    save();
  }

  private void add(int from, int to, PoolFile.Writer writer, Workers workers) throws IOException {
    TokenBatch part = tokens.slice(from, to);
    Tensor activation = gpt2.capture(part, point.capture()).get(point);
    for (int i = 0; i < saes.size(); i++) {
      censuses.get(i).add(saes.get(i).sae(), activation, part.lengths());
    }
    float[] values = activation.toArray();
    int d = covariance.dimension();
    int stride = part.maxLength() * d;
    for (int row = from; row < to; row++) {
      int length = tokens.length(row);
      int offset = (row - from) * stride;
      covariance.add(values, offset + d, length - 1, workers);
      for (int c = 0; c < d; c++) {
        firstSum[c] += values[offset + c];
      }
      double[] rowNorms = new double[length];
      for (int pos = 0; pos < length; pos++) {
        rowNorms[pos] = norm(values, offset + pos * d, d);
        if (!Double.isFinite(rowNorms[pos])) {
          throw new IllegalStateException(
              "the activation at "
                  + point
                  + ", row "
                  + row
                  + ", position "
                  + pos
                  + " is not finite; the model's weights are damaged");
        }
      }
      norms = norms.merge(Moments.of(rowNorms));
      normsWithoutFirst =
          normsWithoutFirst.merge(Moments.of(Arrays.copyOfRange(rowNorms, 1, length)));
      writer.add(row, values, offset);
    }
  }

  private static double norm(float[] values, int offset, int d) {
    double sum = 0;
    for (int c = 0; c < d; c++) {
      sum += (double) values[offset + c] * values[offset + c];
    }
    return Math.sqrt(sum);
  }

  private void measureDistances() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      ActivationPool vectors = pool(arena);
      if (vectors.size() < 2) {
        throw new IllegalStateException(
            "a distance needs two activations, there are " + vectors.size() + "; use more text");
      }
      double[] sample = new double[PAIRS];
      for (int pair = 0; pair < PAIRS; pair++) {
        long stream = DrawKeys.DISTANCE_PAIRS.stream(pair);
        int first = random.below(vectors.size(), stream, 0, 0);
        int second = random.below(vectors.size() - 1, stream, 0, 1);
        sample[pair] = vectors.distance(first, second < first ? second : second + 1);
      }
      distances = Moments.of(sample);
    }
  }

  /**
   * Returns the pool on its mapped file.
   *
   * @param arena keeps the file mapped
   */
  public ActivationPool pool(Arena arena) throws IOException {
    return pool.map(arena);
  }

  /** Returns mean and covariance, without position 0. */
  public Covariance covariance() {
    return covariance;
  }

  /** Returns the mean over all positions of all rows, position 0 included, [d_model]. */
  public double[] meanWithFirst() {
    double[] mean = covariance.mean();
    double rest = covariance.count();
    for (int c = 0; c < mean.length; c++) {
      mean[c] = (mean[c] * rest + firstSum[c]) / (rest + rowsDone);
    }
    return mean;
  }

  /** Returns the numbers for the report. */
  public ActivationStatistics statistics() {
    return state().statistics();
  }

  private WalkState state() {
    return new WalkState(
        rowsDone,
        norms,
        normsWithoutFirst,
        distances,
        covariance,
        firstSum,
        censuses,
        pool.parts());
  }

  /** Removes the pool, which a finished run does not need any more. */
  public void discardPool() throws IOException {
    pool.delete();
  }

  /** Returns whether the whole pool is there, which it is not after {@link #discardPool}. */
  public boolean hasPool() throws IOException {
    return pool.isWhole();
  }

  /** Forgets an earlier process's work, so that {@link #run} starts from the first row. */
  public void restart() throws IOException {
    Files.deleteIfExists(stateFile);
    pool.restart();
    rowsDone = 0;
    norms = Moments.NONE;
    normsWithoutFirst = Moments.NONE;
    distances = Moments.NONE;
    covariance = new Covariance(gpt2.config().dModel());
    firstSum = new double[gpt2.config().dModel()];
    censuses = saes.stream().map(SaeCensus::of).toList();
  }

  private void save() throws IOException {
    state().write(stateFile);
  }

  private void load() throws IOException {
    if (!Files.exists(stateFile)) {
      return;
    }
    WalkState saved = WalkState.read(stateFile);
    rowsDone = saved.rowsDone();
    norms = saved.norms();
    normsWithoutFirst = saved.normsWithoutFirst();
    distances = saved.distances();
    covariance = saved.covariance();
    firstSum = saved.firstSum();
    censuses = saved.censuses();
    pool.takeUp(saved.poolParts());
    boolean complete = rowsDone == tokens.rows() && distances.count() > 0;
    boolean poolIsSound = pool.reaches(rowsDone) ? pool.isSound() : complete;
    if (covariance.dimension() != gpt2.config().dModel() || !poolIsSound) {
      restart();
    }
  }

  /**
   * Returns the numbers that a finished walk left in a run folder.
   *
   * @throws IOException if there are none
   */
  public static ActivationStatistics read(Path folder) throws IOException {
    return read(folder, ONLY);
  }

  /**
   * Returns the numbers that a finished walk of a name left in a run folder.
   *
   * @throws IOException if there are none
   */
  public static ActivationStatistics read(Path folder, String name) throws IOException {
    return WalkState.read(RunFolder.work(folder, name + STATE)).statistics();
  }

  /**
   * Copies the state of the finished walks of the parts of a run, which must agree.
   *
   * @param parts folders of all parts; those without a row have taken no walk
   * @param to where it goes
   * @throws IllegalStateException if two parts found other activations
   * @throws IOException if something cannot be read or written
   */
  public static void copy(List<Path> parts, RunFolder to) throws IOException {
    copy(parts, to, ONLY);
  }

  /**
   * Copies the state of the finished walks of a name of the parts of a run, which must agree.
   *
   * @param parts folders of all parts; those without a row have taken no walk
   * @param to where it goes
   * @param name begins the names of the walk's files
   * @throws IllegalStateException if two parts found other activations
   * @throws IOException if something cannot be read or written
   */
  public static void copy(List<Path> parts, RunFolder to, String name) throws IOException {
    List<Path> walked =
        parts.stream().filter(p -> Files.exists(RunFolder.work(p, name + STATE))).toList();
    if (walked.isEmpty()) {
      throw new IllegalStateException(
          "no part has " + RunFolder.work(parts.getFirst(), name + STATE) + "; run a part again");
    }
    ActivationStatistics first = read(walked.getFirst(), name);
    for (Path part : walked) {
      ActivationStatistics other = read(part, name);
      if (!first.agreesWith(other)) {
        throw new IllegalStateException(
            part
                + " found other activations than "
                + walked.getFirst()
                + " (mean distance "
                + other.meanDistance()
                + " and "
                + first.meanDistance()
                + "); were both finished by the same version?");
      }
    }
    AtomicFiles.write(
        to.work(name + STATE), ReadFailure.bytes(RunFolder.work(walked.getFirst(), name + STATE)));
  }
}

package dev.resid.experiments.study;

import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.BlockService;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.SweepRunner;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Runs a study over rows in a folder, as a whole or in parts. A run goes on where an earlier
 * process with the same settings stopped, and ends in the same results; so does {@link RowMerge} of
 * all parts, because results are written from what is in the folder alone: the record, the numbers
 * of the rows, and the notes that the part with the first block takes.
 *
 * @param <T> what is known of a complete run
 */
public final class RowStudy<T> {
  /** Resamples of the rows for intervals. */
  public static final int RESAMPLES = 1000;

  /** The log of finished blocks. */
  public static final String LOG = "rows.log";

  private final StudyPlan plan;
  private final Steps steps;
  private final Writer<T> writer;

  /**
   * Prepares a run.
   *
   * @param plan what is run
   * @param steps what is computed
   * @param writer called when all blocks are there
   */
  public RowStudy(StudyPlan plan, Steps steps, Writer<T> writer) {
    this.plan = plan;
    this.steps = steps;
    this.writer = writer;
  }

  /** What a study computes. */
  public interface Steps {
    /**
     * Computes what blocks need in common, then the blocks. Called only if a block is missing.
     *
     * @param out the folder, for what is needed to go on
     * @param blocks given the work on a block, computes those that are missing
     * @param progress told about every step
     * @throws IOException if something cannot be read or written
     */
    void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException;

    /**
     * Returns what the results need besides the record and the numbers of the rows, such as texts
     * of prompts. Called once in a run, by the part with the first block, after its blocks.
     *
     * @param out the folder
     * @param progress told about every step
     * @throws IOException if something cannot be read
     */
    Settings notes(RunFolder out, Progress progress) throws IOException;

    /**
     * Removes what only a run that goes on needs. Called when the part is finished.
     *
     * @param out the folder
     * @throws IOException if it cannot be removed
     */
    default void finished(RunFolder out) throws IOException {
      // most leave nothing
    }

    /** Returns steps whose blocks need nothing in common. */
    static Steps of(BlockWork work, Supplier<Settings> notes) {
      return new Steps() {
        @Override
        public void compute(RunFolder out, Blocks blocks, Progress progress) throws IOException {
          blocks.run(work);
        }

        @Override
        public Settings notes(RunFolder out, Progress progress) {
          return notes.get();
        }
      };
    }
  }

  /** Computes the blocks that are missing. */
  @FunctionalInterface
  public interface Blocks {
    /**
     * Computes them and writes each down.
     *
     * @param work computes one
     * @throws IOException if something cannot be read or written
     */
    void run(BlockWork work) throws IOException;
  }

  /** Other processes that compute blocks. */
  @FunctionalInterface
  public interface Others {
    /**
     * Computes blocks.
     *
     * @param order what others have to know
     * @param blocks the numbers of the blocks that are missing, ascending
     * @param here computes one in this process, one at a time
     * @param finished told about each of them once
     * @throws IOException if one cannot be computed or written down
     */
    void compute(Order order, int[] blocks, BlockWork here, BlockService.Finished finished)
        throws IOException;

    /** Returns the devices of others in this process, for the record. */
    default List<String> devices() {
      return List.of();
    }
  }

  /** Computes blocks that another process asks for. */
  @FunctionalInterface
  public interface Service {
    /**
     * Computes blocks until no more are asked for.
     *
     * @param sweep the plan of the whole run
     * @param work computes one, one at a time
     * @throws IOException if one cannot be computed
     */
    void serve(SweepPlan sweep, BlockWork work) throws IOException;
  }

  /**
   * What a process that computes blocks for another has to know.
   *
   * @param settings everything that the numbers depend on
   * @param facts what else is known of the run
   * @param sweep the plan of the whole run
   * @param common files that the blocks need in common
   */
  public record Order(Settings settings, Settings facts, SweepPlan sweep, List<Path> common) {
    private static final String BACKEND = "backend_description";

    /** Copies the list. */
    public Order {
      common = List.copyOf(common);
    }

    private void requireSame(StudyPlan here) {
      Optional<String> difference = here.settings().firstDifference(settings);
      if (difference.isEmpty() && !backend(here.facts()).equals(backend(facts))) {
        // Other widths of vectors, or another GPU: the last bits of sums may differ.
        difference =
            Optional.of(
                "backend is " + backend(here.facts()) + " here and " + backend(facts) + " there");
      }
      if (difference.isPresent()) {
        throw new IllegalStateException(
            "this machine would compute other numbers than the run that asks for them ("
                + difference.get()
                + "); give all machines the same files and version, and name --backend and"
                + " --vector-bits if they differ");
      }
    }

    private static String backend(Settings facts) {
      return facts.has(BACKEND) ? facts.text(BACKEND).replaceFirst(",? threads: \\d+", "") : "";
    }
  }

  /**
   * Writes what a complete run found.
   *
   * @param <T> what is known of it then
   */
  @FunctionalInterface
  public interface Writer<T> {
    /**
     * Writes tables, figures and the page.
     *
     * @param out the folder
     * @param notes what {@link Steps#notes} took
     * @param values complete
     * @param workers share resamples and pictures
     * @throws IOException if a file cannot be written
     */
    T write(RunFolder out, Settings notes, RowValues values, Workers workers) throws IOException;
  }

  /**
   * Computes what is missing in the folder and writes the results.
   *
   * @param folder where; created if it is missing
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public T run(Path folder, Progress progress, Workers workers) throws IOException {
    return run(folder, Shard.WHOLE, progress, workers).orElseThrow();
  }

  /** As {@link #run(Path, Progress, Workers)}; the results are always there. */
  Optional<T> runHere(Path folder, Progress progress, Workers workers) throws IOException {
    return run(folder, Shard.WHOLE, progress, workers);
  }

  /**
   * Computes what is missing of a part in the folder and, if the part is all of the run, writes the
   * results.
   *
   * @param folder where; created if it is missing
   * @param shard which of its blocks
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @return the results; of one of several parts, none
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read or written
   */
  public Optional<T> run(Path folder, Shard shard, Progress progress, Workers workers)
      throws IOException {
    return compute(
        folder,
        shard,
        (out, log, sweep, work) -> runner(sweep).run(log, work, progress),
        List.of(),
        progress,
        workers);
  }

  /**
   * Has what is missing in the folder computed by others, and writes the results. What blocks need
   * in common is computed here.
   *
   * @param folder where; created if it is missing
   * @param others called once, if a block is missing
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read, written or computed
   */
  public T run(Path folder, Others others, Progress progress, Workers workers) throws IOException {
    return run(folder, Shard.WHOLE, others, progress, workers).orElseThrow();
  }

  /**
   * As {@link #run(Path, Others, Progress, Workers)}, of a part.
   *
   * @param folder where; created if it is missing
   * @param shard which of its blocks
   * @param others called once, if a block is missing
   * @param progress told about every step
   * @param workers threads for what the backend does not do
   * @return the results; of one of several parts, none
   * @throws IllegalStateException if the folder holds another run
   * @throws IOException if something cannot be read, written or computed
   */
  public Optional<T> run(
      Path folder, Shard shard, Others others, Progress progress, Workers workers)
      throws IOException {
    return compute(
        folder,
        shard,
        (out, log, sweep, work) -> {
          Order order = new Order(plan.settings(), plan.facts(), sweep, common(out));
          runner(sweep)
              .runElsewhere(
                  log,
                  (blocks, finished) -> others.compute(order, blocks, work, finished),
                  progress);
        },
        others.devices(),
        progress,
        workers);
  }

  /**
   * Computes blocks for a run of another process, in a folder of this process's own. The folder may
   * hold, in its subfolder for what is needed to go on, the files of the {@link Order}; they are
   * then not computed again.
   *
   * @param folder created if it is missing
   * @param order of the other process
   * @param service called once; the model is there until it returns
   * @param progress told about what blocks need in common
   * @throws IllegalStateException if this process would compute other numbers: with another model,
   *     text, backend or version
   * @throws IOException if something cannot be read or written
   */
  public void serve(Path folder, Order order, Service service, Progress progress)
      throws IOException {
    order.requireSame(plan);
    SweepPlan sweep = plan.sweep(Shard.WHOLE);
    RunRecord record =
        RunRecord.begin(plan.command(), plan.settings(), plan.facts(), Shard.WHOLE.toString());
    try (RunFolder out = RunFolder.open(folder, record)) {
      steps.compute(out, work -> service.serve(sweep, work), progress);
    }
  }

  /** Returns the devices that it computes on; none for the processor. */
  List<String> devices() {
    Settings facts = plan.facts();
    return facts.has(RunRecord.DEVICES) ? facts.list(RunRecord.DEVICES) : List.of();
  }

  /** Has the blocks that are missing computed. */
  @FunctionalInterface
  private interface Missing {
    void compute(RunFolder out, BlockLog log, SweepPlan sweep, BlockWork work) throws IOException;
  }

  private Optional<T> compute(
      Path folder,
      Shard shard,
      Missing missing,
      List<String> others,
      Progress progress,
      Workers workers)
      throws IOException {
    SweepPlan sweep = plan.sweep(shard);
    RunRecord record =
        RunRecord.begin(plan.command(), plan.settings(), plan.facts(), shard.toString())
            .withDevices(others);
    try (RunFolder out = RunFolder.open(folder, record);
        BlockLog log = BlockLog.open(out.work(LOG), sweep)) {
      if (!complete(log, sweep)) {
        steps.compute(out, work -> missing.compute(out, log, sweep, work), progress);
      }
      if (shard.has(0) && !Files.exists(out.work(RunNotes.FILE))) {
        RunNotes.write(out, steps.notes(out, progress));
      }
      Optional<T> outcome =
          shard.count() > 1
              ? Optional.empty()
              : Optional.of(writer.write(out, RunNotes.read(folder), log.values(), workers));
      out.finish(log.elapsedSeconds());
      steps.finished(out);
      return outcome;
    }
  }

  private SweepRunner runner(SweepPlan sweep) {
    return new SweepRunner(sweep, plan.command(), plan.unit(), plan.unitsOfRow());
  }

  /** Returns the files that the blocks need in common, those of half-finished writes left out. */
  private static List<Path> common(RunFolder out) throws IOException {
    try (Stream<Path> files = Files.list(out.work(LOG).getParent())) {
      return files
          .filter(
              file -> {
                String name = file.getFileName().toString();
                return !name.equals(LOG) && !name.equals(RunNotes.FILE) && !name.startsWith(".");
              })
          .sorted()
          .toList();
    }
  }

  private static boolean complete(BlockLog log, SweepPlan sweep) {
    for (int block : sweep.ownBlocks()) {
      if (!log.has(block)) {
        return false;
      }
    }
    return true;
  }
}

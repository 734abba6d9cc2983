package dev.resid.spark;

import dev.resid.experiments.cli.StudyCommandLine;
import dev.resid.experiments.study.RowRunner;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.RowStudy.Order;
import dev.resid.experiments.sweep.BlockService.Finished;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import scala.Function2;
import scala.reflect.ClassTag$;
import scala.runtime.BoxedUnit;

/**
 * Runs a study with its blocks as the tasks of one Spark job. What blocks need in common is
 * computed here and sent along; finished blocks come back here and are written down as they come,
 * so the run can be stopped and gone on with, and the results are written from the same log, by the
 * same code, as those of a single process. Spark computes again what an executor took with it.
 */
public final class SparkRowRunner implements RowRunner {
  private final SparkConf conf;
  private final String[] args;

  /**
   * Prepares runs.
   *
   * @param conf of Spark, as {@link SparkSettings} completes it
   * @param args the command line of {@code resid} that makes the study; every executor runs it
   */
  public SparkRowRunner(SparkConf conf, String... args) {
    this.conf = conf;
    this.args = args.clone();
  }

  @Override
  public <T> Optional<T> run(RowStudy<T> rows, Path folder, Progress progress, Workers workers)
      throws IOException {
    return Optional.of(rows.run(folder, this::compute, progress, workers));
  }

  private void compute(Order order, int[] blocks, BlockWork here, Finished finished)
      throws IOException {
    SharedOrder shared =
        SharedOrder.of(
            UUID.randomUUID().toString(),
            StudyCommandLine.elsewhere(args),
            order,
            SparkSettings.threadsOfExecutor(conf));
    // With the master "local" tasks run in this process, and find the model that is there already.
    BlockQueue queue = new BlockQueue();
    BlockServers.offer(shared.run(), queue);
    try (JavaSparkContext spark = new JavaSparkContext(conf)) {
      for (Path file : order.common()) {
        spark.addFile(file.toUri().toString());
      }
      CompletableFuture<Void> job =
          CompletableFuture.runAsync(
              () -> run(spark, shared, blocks, finished),
              task -> Thread.ofPlatform().daemon().name("resid-spark-job").start(task));
      job.whenComplete((done, problem) -> queue.stop());
      try {
        queue.serve(order.sweep(), here);
      } finally {
        queue.end("the run has ended");
      }
      job.join();
    } catch (CompletionException e) {
      throw failure(e.getCause());
    } finally {
      BlockServers.forget(shared.run());
    }
  }

  private static void run(
      JavaSparkContext spark, SharedOrder order, int[] blocks, Finished finished) {
    RDD<Integer> numbers =
        spark.parallelize(IntStream.of(blocks).boxed().toList(), blocks.length).rdd();
    Function2<Object, ComputedBlock, BoxedUnit> take =
        (partition, block) -> {
          try {
            finished.take(block.block(), block.values(), block.elapsedNanos());
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          return BoxedUnit.UNIT;
        };
    spark
        .sc()
        .runJob(numbers, new BlockTask(order), take, ClassTag$.MODULE$.apply(ComputedBlock.class));
  }

  /** Returns what went wrong as an exception with a sentence for a person. */
  private static IOException failure(Throwable problem) {
    for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
      if (cause instanceof UncheckedIOException unchecked) {
        return unchecked.getCause();
      }
      if (cause instanceof BlockFailedException) {
        return new IOException("a block cannot be computed " + cause.getMessage(), problem);
      }
    }
    String words = problem.getMessage() == null ? problem.toString() : problem.getMessage();
    String first = words.lines().findFirst().orElse("");
    return new IOException(
        problem instanceof SparkException
            ? first + " (what executors say is in their logs)"
            : "Spark: " + first,
        problem);
  }
}

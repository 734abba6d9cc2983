package dev.resid.spark;

import dev.resid.experiments.sweep.SweepPlan;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Hands blocks from the tasks of a process to its one thread that has the model. Blocks are
 * computed one after the other, each with all threads of the backend; so a process holds one model
 * however many tasks Spark gives it at once.
 */
final class BlockQueue {
  private static final int STOP = -1;

  private final BlockingQueue<Request> requests = new LinkedBlockingQueue<>();

  /** Why no more blocks are computed; null while they are. */
  private String ended;

  private record Request(int block, CompletableFuture<ComputedBlock> answer) {}

  /**
   * Returns a block when it is computed. Called by tasks, from any thread.
   *
   * @param block its number
   * @throws BlockFailedException if it cannot be computed here
   */
  ComputedBlock compute(int block) {
    Request request = new Request(block, new CompletableFuture<>());
    synchronized (this) {
      if (ended != null) {
        throw new BlockFailedException(ended);
      }
      requests.add(request);
    }
    try {
      return request.answer().join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof BlockFailedException failure ? failure : e;
    }
  }

  /**
   * Computes what is asked for until {@link #stop}. Called by the thread that has the model.
   *
   * @param sweep the plan of the whole run
   * @param work computes a block
   * @throws IOException if a block cannot be computed
   */
  void serve(SweepPlan sweep, BlockWork work) throws IOException {
    Request request = next();
    try {
      for (; request.block() != STOP; request = next()) {
        long started = System.nanoTime();
        double[][] values = work.compute(sweep.block(request.block()), done -> {});
        request
            .answer()
            .complete(new ComputedBlock(request.block(), values, System.nanoTime() - started));
      }
    } finally {
      // One that failed is answered by end, when what went wrong is known in words.
      requests.add(request);
    }
  }

  private Request next() {
    try {
      return requests.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a block to compute", e);
    }
  }

  /** Lets {@link #serve} return after the blocks that were asked for before. */
  void stop() {
    requests.add(new Request(STOP, new CompletableFuture<>()));
  }

  /**
   * Refuses what is not computed yet, and all that will be asked for.
   *
   * @param reason a sentence
   */
  synchronized void end(String reason) {
    ended = reason;
    for (Request left = requests.poll(); left != null; left = requests.poll()) {
      left.answer().completeExceptionally(new BlockFailedException(reason));
    }
  }

  /** Returns whether nothing is computed here any more. */
  synchronized boolean hasEnded() {
    return ended != null;
  }
}

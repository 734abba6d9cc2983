package dev.resid.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BlockQueueTest {
  private static final SweepPlan PLAN = new SweepPlan(10, 4, 1, Shard.WHOLE, "settings");

  private final BlockQueue queue = new BlockQueue();

  @Test
  void tasksOfManyThreadsGetTheirBlocksFromOneThread() throws IOException {
    Thread server = Thread.currentThread();
    CompletableFuture<?>[] tasks =
        IntStream.range(0, PLAN.blocks())
            .mapToObj(block -> CompletableFuture.runAsync(() -> requireBlock(block)))
            .toArray(CompletableFuture[]::new);
    CompletableFuture<Void> all = CompletableFuture.allOf(tasks);
    all.whenComplete((done, problem) -> queue.stop());
    queue.serve(
        PLAN,
        (rows, progress) -> {
          assertEquals(server, Thread.currentThread());
          double[][] values = new double[rows.size()][];
          for (int r = 0; r < values.length; r++) {
            values[r] = new double[] {rows.from() + r};
          }
          return values;
        });
    all.join();
  }

  private void requireBlock(int block) {
    ComputedBlock computed = queue.compute(block);
    assertEquals(block, computed.block());
    assertEquals(PLAN.block(block).size(), computed.values().length);
    assertArrayEquals(new double[] {PLAN.block(block).from()}, computed.values()[0]);
    assertTrue(computed.elapsedNanos() > 0);
  }

  @Test
  void whatWentWrongIsSaidToTheTaskThatAskedAndToAllLaterOnes() {
    CompletableFuture<ComputedBlock> task = CompletableFuture.supplyAsync(() -> queue.compute(1));
    IOException thrown =
        assertThrows(
            IOException.class,
            () ->
                queue.serve(
                    PLAN,
                    (rows, progress) -> {
                      throw new IOException("no such file");
                    }));
    queue.end("on a machine: " + thrown.getMessage());
    Throwable failure =
        assertThrows(ExecutionException.class, () -> task.get(20, TimeUnit.SECONDS)).getCause();
    assertEquals("on a machine: no such file", failure.getMessage());
    assertEquals(
        "on a machine: no such file",
        assertThrows(BlockFailedException.class, () -> queue.compute(0)).getMessage());
    assertTrue(queue.hasEnded());
  }
}

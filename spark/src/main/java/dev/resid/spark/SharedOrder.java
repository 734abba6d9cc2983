package dev.resid.spark;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowStudy.Order;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.SweepPlan;
import java.io.Serializable;
import java.util.List;

/**
 * What executors have to know of a run, in a form that can be sent to them.
 *
 * @param run a name that no other run has
 * @param line the command line of the study, without output folder
 * @param settings JSON text of everything that the numbers depend on
 * @param facts JSON text of what else is known of the run
 * @param rows rows of the whole run
 * @param rowsPerBlock rows of a block
 * @param valuesPerRow numbers that come out of a row
 * @param common names of files that the blocks need in common, sent beside this
 * @param threads threads of an executor's backend; 0 for all processors of its machine
 */
record SharedOrder(
    String run,
    List<String> line,
    String settings,
    String facts,
    int rows,
    int rowsPerBlock,
    int valuesPerRow,
    List<String> common,
    int threads)
    implements Serializable {
  /** Returns what to send of an order. */
  static SharedOrder of(String run, List<String> line, Order order, int threads) {
    SweepPlan sweep = order.sweep();
    return new SharedOrder(
        run,
        List.copyOf(line),
        order.settings().toString(),
        order.facts().toString(),
        sweep.rows(),
        sweep.rowsPerBlock(),
        sweep.valuesPerRow(),
        order.common().stream().map(file -> file.getFileName().toString()).toList(),
        threads);
  }

  /** Returns the order; the files are known by name only. */
  Order order() {
    return new Order(
        Settings.parse(settings),
        Settings.parse(facts),
        new SweepPlan(rows, rowsPerBlock, valuesPerRow, Shard.WHOLE, settings),
        List.of());
  }
}

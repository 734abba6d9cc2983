package dev.resid.experiments.substitution;

import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.substitution.Cases.Case;
import dev.resid.experiments.substitution.Cases.Positions;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.Interval;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.util.ArrayList;
import java.util.List;

/** Means over all rows, and the same means over each bootstrap resample of the rows. */
final class SubstitutionResult {
  private final Cases cases;
  private final Estimates estimates;

  private SubstitutionResult(Cases cases, Estimates estimates) {
    this.cases = cases;
    this.estimates = estimates;
  }

  static SubstitutionResult of(
      Cases cases, RowValues values, Bootstrap bootstrap, Workers workers) {
    return new SubstitutionResult(cases, new Estimates(values, bootstrap, workers));
  }

  /** A number that depends on means. */
  @FunctionalInterface
  interface Statistic {
    /** Returns the number, from means of all rows or of a resample. */
    double of(Means means);
  }

  /** Means by case. */
  interface Means {
    /** Returns the mean clean cross-entropy, if cross-entropies were measured. */
    double clean(Positions positions);

    /** Returns a mean over positions. */
    double get(Case one, Readout readout, Positions positions);

    /** Returns the mean KL at a distance after the single position. */
    double after(Case one, int distance);
  }

  private record SumMeans(Cases cases, double[] sums) implements Means {
    @Override
    public double clean(Positions positions) {
      return cases.meanClean(sums, positions);
    }

    @Override
    public double get(Case one, Readout readout, Positions positions) {
      return cases.mean(sums, one, readout, positions);
    }

    @Override
    public double after(Case one, int distance) {
      return cases.meanAfter(sums, one, distance);
    }
  }

  Cases cases() {
    return cases;
  }

  int rows() {
    return estimates.rows();
  }

  boolean has(String subject, Substitute substitute) {
    return cases.all().contains(new Case(subject, substitute));
  }

  /** Returns how many rows have a position at that distance after the single one. */
  long rowsAfter(int distance) {
    int count = cases.afterCount(distance);
    return Math.round(estimates.value(sums -> sums[count]));
  }

  /** Returns a number of all rows. */
  double value(Statistic statistic) {
    return estimates.value(sums -> statistic.of(new SumMeans(cases, sums)));
  }

  /** Returns the bootstrap interval of a number; all its means are of the same resample. */
  Interval interval(Statistic statistic) {
    return estimate(statistic).interval();
  }

  /** Returns a number with its interval, over the resamples that reach as far as it does. */
  Estimate estimate(Statistic statistic) {
    return estimates.of(sums -> statistic.of(new SumMeans(cases, sums)));
  }

  /** Returns one line a case. */
  ResultTable table(List<SubstitutedSae> saes) {
    List<Column> names = new ArrayList<>();
    names.add(new Column("subject", Type.TEXT, "An SAE, or a point for what needs none."));
    names.add(new Column("family", Type.TEXT, "The SAE's family; empty for a point."));
    names.add(new Column("point", Type.TEXT, "Whose activation is replaced."));
    names.add(new Column("l0", Type.NUMBER, "Mean number of active features; 0 for a point."));
    names.add(new Column("epsilon", Type.NUMBER, "Mean ‖SAE(x) − x‖; 0 for a point."));
    names.add(new Column("substitute", Type.TEXT, "What replaces the activation."));
    for (Positions positions : Positions.values()) {
      String suffix = positions == Positions.ALL ? "" : "_without_first";
      String where = positions == Positions.ALL ? ", positions 0 to n−2." : ", positions 1 to n−2.";
      for (Readout readout : cases.readouts()) {
        addNames(names, readout.column() + suffix, readout.meaning() + where);
        if (readout == Readout.CE) {
          addNames(names, "delta_ce_nats" + suffix, "The same less that of the clean run" + where);
        }
      }
    }
    ResultTable table = new ResultTable(names);
    for (Case one : cases.all()) {
      SubstitutedSae sae =
          saes.stream().filter(s -> s.name().equals(one.subject())).findFirst().orElse(null);
      List<Object> cells = new ArrayList<>();
      cells.add(one.subject());
      cells.add(sae == null ? "" : sae.family());
      cells.add(sae == null ? one.subject() : sae.point());
      cells.add(sae == null ? 0.0 : sae.l0());
      cells.add(sae == null ? 0.0 : sae.epsilon());
      cells.add(one.substitute().word());
      for (Positions positions : Positions.values()) {
        for (Readout readout : cases.readouts()) {
          addCells(cells, m -> m.get(one, readout, positions));
          if (readout == Readout.CE) {
            addCells(cells, m -> m.get(one, readout, positions) - m.clean(positions));
          }
        }
      }
      table.add(cells.toArray());
    }
    return table;
  }

  private static void addNames(List<Column> names, String name, String meaning) {
    names.add(new Column(name, Type.NUMBER, meaning));
    names.add(new Column(name + "_low", Type.NUMBER, "Lower end of its 95 % interval."));
    names.add(new Column(name + "_high", Type.NUMBER, "Upper end of its 95 % interval."));
  }

  private void addCells(List<Object> cells, Statistic statistic) {
    Estimate estimate = estimate(statistic);
    cells.add(estimate.value());
    cells.add(estimate.interval().low());
    cells.add(estimate.interval().high());
  }

  /** Returns one line a case and distance after the single position. */
  ResultTable afterTable() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("subject", Type.TEXT, "An SAE, or a point for what needs none."),
                new Column("substitute", Type.TEXT, "What replaces the single activation."),
                new Column("distance", Type.WHOLE, "Positions after the replaced one."),
                new Column("kl_nats", Type.NUMBER, "Mean KL(original‖changed) there, in nats."),
                new Column("kl_nats_low", Type.NUMBER, "Lower end of its 95 % interval."),
                new Column("kl_nats_high", Type.NUMBER, "Upper end of its 95 % interval."),
                new Column("rows", Type.WHOLE, "Rows that have that position.")));
    for (Case one : cases.single()) {
      for (int distance = 0; distance < Cases.AFTER && rowsAfter(distance) > 0; distance++) {
        int at = distance;
        Estimate kl = estimate(m -> m.after(one, at));
        table.add(
            one.subject(),
            one.substitute().word(),
            (long) distance,
            kl.value(),
            kl.interval().low(),
            kl.interval().high(),
            rowsAfter(distance));
      }
    }
    return table;
  }
}

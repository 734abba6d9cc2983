package dev.resid.experiments.robustness;

import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.robustness.RobustnessLayout.Columns;
import dev.resid.experiments.robustness.RobustnessLayout.Fact;
import dev.resid.experiments.robustness.RobustnessLayout.Positions;
import dev.resid.experiments.robustness.RobustnessLayout.Readout;
import dev.resid.experiments.robustness.RobustnessMeans.ComparedSae;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.hook.HookPoint;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The numbers of a result as tables. */
final class RobustnessTables {
  private final RobustnessMeans means;
  private final RobustnessLayout sizes;

  RobustnessTables(RobustnessMeans means) {
    this.means = means;
    this.sizes = means.sizes();
  }

  /** Returns one line a point, norm and cosine. */
  ResultTable turned() {
    List<Column> columns = new ArrayList<>();
    columns.add(new Column("point", Type.TEXT, "Whose activation is turned."));
    columns.add(new Column("mean_norm", Type.NUMBER, "Mean ‖x‖ there, positions 0 to n−2."));
    columns.add(new Column("ratio", Type.NUMBER, "ρ: norm of the replacement over ‖x‖."));
    columns.add(new Column("cosine", Type.NUMBER, "c: cosine of the replacement with x."));
    columns.addAll(readouts());
    ResultTable table = new ResultTable(columns);
    for (int p = 0; p < sizes.points().size(); p++) {
      HookPoint point = sizes.points().get(p);
      int turned = p;
      for (int r = 0; r < sizes.ratios().size(); r++) {
        int ratio = r;
        for (int c = 0; c < sizes.cosines().size(); c++) {
          int cosine = c;
          List<Object> cells = new ArrayList<>();
          cells.add(point.name());
          cells.add(means.mean(means.norm(p), Positions.ALL).value());
          cells.add(sizes.ratios().get(r));
          cells.add(sizes.cosines().get(c));
          addReadouts(cells, readout -> means.random(turned, ratio, cosine, readout));
          table.add(cells.toArray());
        }
      }
    }
    return table;
  }

  /** Returns one line an SAE and what replaces the activation. */
  ResultTable saes() {
    List<Column> columns = new ArrayList<>();
    columns.add(new Column("sae", Type.TEXT, "Its name."));
    columns.add(new Column("family", Type.TEXT, "Its family."));
    columns.add(new Column("point", Type.TEXT, "Whose activation is replaced."));
    columns.add(new Column("l0", Type.NUMBER, "Mean number of active features."));
    columns.add(new Column("cosine", Type.NUMBER, "Mean cos(x, SAE(x))."));
    columns.add(new Column("length", Type.NUMBER, "Mean ‖SAE(x)‖/‖x‖."));
    columns.add(new Column("replacement", Type.TEXT, "SAE(x), or random with its cosine."));
    columns.addAll(readouts());
    ResultTable table = new ResultTable(columns);
    for (ComparedSae sae : means.saes()) {
      for (int n = 0; n < RobustnessLayout.AT_RATIO + sizes.ratios().size(); n++) {
        int replacement = n;
        List<Object> cells = new ArrayList<>();
        cells.add(sae.name());
        cells.add(sae.family());
        cells.add(sae.point().name());
        for (Fact fact : List.of(Fact.L0, Fact.COSINE, Fact.LENGTH)) {
          cells.add(means.mean(means.fact(sae.index(), fact), Positions.ALL).value());
        }
        cells.add(word(n));
        addReadouts(cells, readout -> means.sae(sae.index(), replacement, readout));
        table.add(cells.toArray());
      }
    }
    return table;
  }

  private String word(int replacement) {
    return switch (replacement) {
      case RobustnessLayout.RECONSTRUCTION -> "sae";
      case RobustnessLayout.AT_ITS_NORM -> "random-sae-norm";
      default -> "random-norm-" + sizes.ratios().get(replacement - RobustnessLayout.AT_RATIO);
    };
  }

  private static List<Column> readouts() {
    List<Column> columns = new ArrayList<>();
    for (Positions positions : Positions.values()) {
      for (Readout readout : Readout.values()) {
        String name =
            (readout == Readout.KL ? "kl_nats" : "delta_ce_nats")
                + (positions == Positions.ALL ? "" : "_without_first");
        String what =
            readout == Readout.KL
                ? "Mean KL(original‖changed) in nats"
                : "Mean change of the cross-entropy of the next token in nats";
        String where = positions == Positions.ALL ? "0 to n−2" : "1 to n−2";
        columns.add(new Column(name, Type.NUMBER, what + ", positions " + where + "."));
        columns.add(new Column(name + "_low", Type.NUMBER, "Lower end of its 95 % interval."));
        columns.add(new Column(name + "_high", Type.NUMBER, "Upper end of its 95 % interval."));
      }
    }
    return columns;
  }

  private void addReadouts(List<Object> cells, Function<Readout, Columns> columns) {
    for (Positions positions : Positions.values()) {
      for (Readout readout : Readout.values()) {
        Estimate found = means.mean(columns.apply(readout), positions);
        cells.add(found.value());
        cells.add(found.interval().low());
        cells.add(found.interval().high());
      }
    }
  }

  /** Returns one line an SAE and bin of the cosine that has positions. */
  ResultTable bins() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("sae", Type.TEXT, "Its name."),
                new Column("bin", Type.WHOLE, "Bin of 1 − cosine, from 0 for cosines up to 0."),
                new Column("positions", Type.WHOLE, "Positions in it, without position 0."),
                new Column("cosine", Type.NUMBER, "Mean cos(x, SAE(x)) of these."),
                new Column("kl_nats_sae", Type.NUMBER, "Mean KL of SAE(x) there, in nats."),
                new Column(
                    "kl_nats_random",
                    Type.NUMBER,
                    "Mean KL of random vectors with the cosine and norm of SAE(x), in nats.")));
    for (ComparedSae sae : means.saes()) {
      for (int bin = 0; bin < RobustnessLayout.BINS; bin++) {
        double count = means.sum(means.bin(sae.index(), bin, RobustnessLayout.BIN_COUNT));
        if (count > 0) {
          table.add(
              sae.name(),
              (long) bin,
              Math.round(count),
              means.sum(means.bin(sae.index(), bin, RobustnessLayout.BIN_COSINE)) / count,
              means.sum(means.bin(sae.index(), bin, RobustnessLayout.BIN_SAE)) / count,
              means.sum(means.bin(sae.index(), bin, RobustnessLayout.BIN_RANDOM)) / count);
        }
      }
    }
    return table;
  }
}

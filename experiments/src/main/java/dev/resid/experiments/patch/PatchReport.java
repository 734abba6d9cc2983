package dev.resid.experiments.patch;

import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hook.Site;
import java.io.IOException;
import java.util.List;

/** Writes what a complete run found: tables, figures and the page. */
final class PatchReport {
  private static final long NONE = -1;

  private final RunFolder out;
  private final PatchLabels labels;
  private final PatchMeans means;
  private final Workers workers;

  private PatchReport(RunFolder out, Settings notes, RowValues values, Workers workers) {
    this.out = out;
    this.labels = PatchLabels.of(notes);
    this.workers = workers;
    Estimates estimates =
        new Estimates(values, RowStudy.RESAMPLES, out.record().settings().whole("seed"), workers);
    this.means = new PatchMeans(PatchLayout.of(notes), values, estimates);
  }

  /** Writes everything. */
  static StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    return new PatchReport(out, notes, values, workers).write();
  }

  private StudyOutcome write() throws IOException {
    String data = means.pairs() + (means.pairs() == 1 ? " pair of prompts" : " pairs of prompts");
    PatchFigures figures = new PatchFigures(means, labels, StudyRecord.source(out.record(), data));
    ResultTable pairs = pairsTable();
    StudyPage page =
        new StudyPage(
                "Patching in " + StudyRecord.modelName(out.record()),
                "Two prompts differ in one thing. Which activations, at which layer and position,"
                    + " carry the difference to the prediction?")
            .section(figures.patching())
            .section(figures.scatter())
            .section(figures.direct())
            .section(figures.lens())
            .findings(
                "Verdicts come from 95 % bootstrap intervals over pairs of prompts; where an"
                    + " interval does not allow one, none is given.",
                new PatchClaims(means, labels).findings(), means.pairs())
            .section(StudyRecord.run(out.record(), run()))
            .section(new Terms("Definitions", "", definitions()))
            .section(
                new Prose(
                    "What differs from the sources",
                    List.of(
                        "Meng et al. corrupt embeddings with noise; here the corrupted run is that"
                            + " of another prompt, so that every activation is one the model has.",
                        "Shares are ratios of means over pairs, not means of ratios, so that a pair"
                            + " with a small difference does not dominate.")))
            .section(
                new Table(
                    "Pairs",
                    "The readout is logit(answer) − logit(against) at the last position.",
                    pairs));
    if (!labels.common().isEmpty()) {
      ResultTable results = meansTable();
      page.table("means", results)
          .section(
              new Table(
                  "Means over pairs",
                  "Every layer and position, heads at all positions at once. Single heads at single"
                      + " positions are in patches.csv.",
                  results));
    }
    return page.table("pairs", pairs).table("patches", patchesTable()).write(out, workers);
  }

  private List<Term> run() {
    return List.of(
        new Term("Prompts", out.record().facts().text("data") + ", " + means.pairs() + " pairs"),
        new Term("Seed of the resamples", String.valueOf(out.record().settings().whole("seed"))));
  }

  private static List<Term> definitions() {
    return List.of(
        new Term(
            "Readout",
            "f = logit(answer) − logit(against) at the last position: how much more the model"
                + " expects the clean prompt's answer than the corrupted prompt's."),
        new Term(
            "Activation patching",
            "A run on the corrupted prompt in which one activation has its value from the run on"
                + " the clean prompt. Share brought back = (f_patched − f_corrupted)/(f_clean −"
                + " f_corrupted)."),
        new Term(
            "Attribution patching",
            "Σ (a_clean − a_corrupted)·∂f/∂a with the gradient of the corrupted run: a first-order"
                + " estimate of f_patched − f_corrupted."),
        new Term(
            "Direct logit attribution",
            "Σ_c (x_c − mean x)/scale·γ_c·(W_U[answer] − W_U[against])_c for each part x of the"
                + " last residual stream, with the final layer norm's scale held."),
        new Term(
            "Logit lens",
            "The final layer norm and the unembedding applied to an earlier residual stream."),
        new Term(
            "Interval", "the middle 95 % of " + RowStudy.RESAMPLES + " resamples of the pairs."));
  }

  private ResultTable pairsTable() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("pair", Type.WHOLE, "Number of the pair, from 0."),
                new Column("prompts", Type.TEXT, "Clean/corrupted tokens."),
                new Column("readout", Type.TEXT, "Answer − against."),
                new Column("clean", Type.NUMBER, "Readout of the clean run, logits."),
                new Column("corrupted", Type.NUMBER, "Readout of the corrupted run, logits.")));
    for (int pair = 0; pair < means.pairs(); pair++) {
      table.add(
          (long) pair,
          labels.pairs().get(pair),
          labels.answers().get(pair),
          means.raw(pair, PatchLayout.CLEAN),
          means.raw(pair, PatchLayout.CORRUPTED));
    }
    return table;
  }

  private ResultTable meansTable() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("site", Type.TEXT, "Which activation."),
                new Column("layer", Type.WHOLE, "Block."),
                new Column("position", Type.WHOLE, "Position; −1 for all at once."),
                new Column("head", Type.WHOLE, "Head; −1 where all are meant."),
                new Column("share", Type.NUMBER, "Share brought back by patching."),
                new Column("share_low", Type.NUMBER, "Lower end of its 95 % interval."),
                new Column("share_high", Type.NUMBER, "Upper end of its 95 % interval."),
                new Column("estimate", Type.NUMBER, "The same by attribution patching.")));
    PatchLayout sizes = means.sizes();
    for (int layer = 0; layer < sizes.layers(); layer++) {
      for (Site site : PatchLayout.SITES) {
        for (int pos = 0; pos < sizes.positions(); pos++) {
          Estimate share = means.shareOfAll(PatchLayout.exact(site), layer, pos);
          table.add(
              site.suffix(),
              (long) layer,
              (long) pos,
              NONE,
              share.value(),
              share.interval().low(),
              share.interval().high(),
              means.share(-1, PatchLayout.attributed(site), layer, pos));
        }
      }
      for (int head = 0; head < sizes.heads(); head++) {
        Estimate share = means.shareOfAll(PatchLayout.WHOLE_HEAD, layer, head);
        double estimate = 0;
        for (int pos = 0; pos < sizes.positions(); pos++) {
          estimate += means.share(-1, PatchLayout.attributed(Site.Z), layer, pos, head);
        }
        table.add(
            Site.Z.suffix(),
            (long) layer,
            NONE,
            (long) head,
            share.value(),
            share.interval().low(),
            share.interval().high(),
            estimate);
      }
    }
    return table;
  }

  private ResultTable patchesTable() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("pair", Type.WHOLE, "Number of the pair, from 0."),
                new Column("site", Type.TEXT, "Which activation."),
                new Column("layer", Type.WHOLE, "Block."),
                new Column("position", Type.WHOLE, "Position."),
                new Column("token", Type.TEXT, "Clean/corrupted token there."),
                new Column("head", Type.WHOLE, "Head; −1 at sites without heads."),
                new Column("change", Type.NUMBER, "Readout after the patch − corrupted, logits."),
                new Column("estimate", Type.NUMBER, "The same by attribution patching, logits.")));
    PatchLayout sizes = means.sizes();
    for (int pair = 0; pair < means.pairs(); pair++) {
      List<String> names = labels.positions().get(pair);
      for (int layer = 0; layer < sizes.layers(); layer++) {
        for (int pos = 0; pos < names.size(); pos++) {
          for (Site site : PatchLayout.SITES) {
            table.add(
                (long) pair,
                site.suffix(),
                (long) layer,
                (long) pos,
                names.get(pos),
                NONE,
                means.raw(pair, PatchLayout.exact(site), layer, pos),
                means.raw(pair, PatchLayout.attributed(site), layer, pos));
          }
          for (int head = 0; head < sizes.heads(); head++) {
            table.add(
                (long) pair,
                Site.Z.suffix(),
                (long) layer,
                (long) pos,
                names.get(pos),
                (long) head,
                means.raw(pair, PatchLayout.exact(Site.Z), layer, pos, head),
                means.raw(pair, PatchLayout.attributed(Site.Z), layer, pos, head));
          }
        }
      }
    }
    return table;
  }
}

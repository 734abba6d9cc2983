package org.example.heads;

import static dev.resid.hook.HookPoint.residPre;

import dev.resid.backend.Backends;
import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.Direction;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.RowStudy.Steps;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.study.StudyPage;
import dev.resid.experiments.study.StudyPlan;
import dev.resid.experiments.study.StudyRecord;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.experiments.text.TokenDigest;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/** Is the model more sensitive to what an attention head can write than to random directions? */
final class HeadStudy {
  private static final long SEED = 1;
  private static final double[] LENGTHS = {0.1, 0.2, 0.4}; // shares of the mean norm

  private final Gpt2 gpt2;
  private final TokenBatch tokens;
  private final int layer;
  private final List<HeadDirections> heads = new ArrayList<>();
  private final RowLayout layout;
  private final Workers workers;

  // docs:study
  HeadStudy(Gpt2 gpt2, TokenBatch tokens, Workers workers) {
    this.gpt2 = gpt2;
    this.tokens = tokens;
    this.workers = workers;
    this.layer = gpt2.config().nLayers() / 2;
    for (int head = 0; head < gpt2.config().nHeads(); head++) {
      heads.add(new HeadDirections(gpt2, layer - 1, head, SEED));
    }
    int kinds = 1 + heads.size(); // random directions, then the heads
    this.layout =
        RowLayout.empty().with("kl", kinds, LENGTHS.length).with("kept", kinds, LENGTHS.length);
  }

  /** Returns the numbers of some rows, [rows, numbers per row]. */
  private double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] numbers = new double[rows.size()][layout.count()];
    int done = 0;
    for (int row = rows.from(); row < rows.to(); row++) {
      try (BaseRun base = gpt2.baseRun(tokens.slice(row, row + 1), residPre(layer))) {
        double norm = meanNorm(base.activation());
        for (int kind = 0; kind <= heads.size(); kind++) {
          Tensor unit = kind == 0 ? random(base, row) : head(base, row, kind - 1);
          for (int i = 0; i < LENGTHS.length; i++) {
            Tensor moved = base.activation().plus(unit.times(LENGTHS[i] * norm));
            Continuation after = base.continueWith(moved);
            double[] of = numbers[row - rows.from()];
            of[layout.index("kl", kind, i)] = after.meanKlNats();
            of[layout.index("kept", kind, i)] = TopTokenKept.of(base.logits(), after.logits());
            progress.accept(++done);
          }
        }
      }
    }
    return numbers;
  }

  /** Returns the mean norm of an activation, without the first position, which is unlike others. */
  private static double meanNorm(Tensor x) {
    Tensor norms = x.norm(Axis.D_MODEL); // [batch=1, pos]
    return norms.slice(Axis.POS, 1, x.shape().size(Axis.POS)).mean(Axis.POS).get(0);
  }

  private Tensor random(BaseRun base, int row) {
    int[] lengths = base.tokens().lengths();
    return Direction.isotropic()
        .draw(SEED, BasePoints.of(base.activation(), row, lengths), workers);
  }

  private Tensor head(BaseRun base, int row, int head) {
    return heads.get(head).draw(row, base.tokens().maxLength());
  }

  // docs:end

  // docs:run
  /** Computes what is missing in the folder, and writes the tables and the page. */
  StudyOutcome run(Path folder) throws IOException {
    Settings settings =
        StudyRecord.settings("heads/1", gpt2, "1")
            .with("tokens_sha256", TokenDigest.sha256(tokens))
            .with("layer", layer)
            .with("lengths", LENGTHS)
            .with("seed", SEED);
    Settings facts = StudyRecord.facts(gpt2, workers);
    int perRow = (1 + heads.size()) * LENGTHS.length;
    StudyPlan plan =
        new StudyPlan(
            "heads", settings, facts, tokens.rows(), 2, layout.count(), "continuations", perRow);
    return new RowStudy<>(plan, Steps.of(this::compute, Settings::new), this::write)
        .run(folder, Progress.none(), workers);
  }

  private StudyOutcome write(RunFolder out, Settings notes, RowValues values, Workers workers)
      throws IOException {
    Estimates estimates = new Estimates(values, RowStudy.RESAMPLES, SEED, workers);
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("direction", Type.TEXT, "What the activations are moved along."),
                new Column("length", Type.NUMBER, "How far, as a share of the mean norm."),
                new Column("kl_nats", Type.NUMBER, "Mean KL(original‖moved)."),
                new Column("low", Type.NUMBER, "Lower end of its 95 % interval."),
                new Column("high", Type.NUMBER, "Upper end of its 95 % interval."),
                new Column("kept", Type.NUMBER, "Part of the top tokens that stay.")));
    for (int kind = 0; kind <= heads.size(); kind++) {
      String name = kind == 0 ? "random" : heads.get(kind - 1).toString();
      for (int i = 0; i < LENGTHS.length; i++) {
        Estimates.Estimate kl = estimates.mean(layout.index("kl", kind, i));
        double kept = estimates.mean(layout.index("kept", kind, i)).value();
        table.add(name, LENGTHS[i], kl.value(), kl.interval().low(), kl.interval().high(), kept);
      }
    }
    return new StudyPage("What heads write", "Are directions that a head can write special?")
        .table("results", table)
        .section(new Table("Results", "", table))
        .section(StudyRecord.run(out.record(), List.of()))
        .write(out, workers);
  }

  // docs:end

  // docs:main
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args.length > 0 ? args[0] : "heads-out");
    try (Backend backend = Backends.fastest();
        Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
      Gpt2 gpt2 = Gpt2.embedded(backend);
      int bos = gpt2.beginOfText().orElseThrow();
      TokenBatch tokens;
      try (Documents text = Documents.embedded()) {
        tokens = RowPacker.pack(text, gpt2.tokenizer(), bos, 32, 6);
      }
      StudyOutcome outcome = new HeadStudy(gpt2, tokens, workers).run(folder);
      System.out.println(outcome.report());
    }
  }
  // docs:end
}

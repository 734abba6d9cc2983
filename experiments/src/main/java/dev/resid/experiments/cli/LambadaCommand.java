package dev.resid.experiments.cli;

import dev.resid.experiments.language.ClozeStudy;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.model.Gpt2;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code resid language lambada}. */
@Command(
    name = "lambada",
    description = {
      "Predict the last word of a passage, without and with SAE reconstructions.",
      "Activations are replaced by one SAE's reconstruction at a time. --data takes LAMBADA"
          + " passages, JSON lines or plain.",
      "Without options it runs the model, the SAEs and the items that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, tables, figures and run.json. Stopped at any moment, the same",
      "command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid language lambada",
      "  resid language lambada --model models/gpt2 --weights transformerlens --data FILE \\",
      "    --limit 1000 --sae saes/blocks.6.hook_resid_pre"
    })
final class LambadaCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ClozeMixin cloze;
  @Mixin private QualityMixin quality;
  @Mixin private StudyMixin run;

  /** Called by picocli. */
  LambadaCommand() {}

  @Override
  public Integer call() throws IOException {
    cloze.require();
    quality.require();
    return run.run(
        spec,
        "language-" + ClozeTask.LAMBADA.word(),
        backend -> {
          Gpt2 gpt2 = cloze.model(backend);
          return new ClozeStudy(gpt2, quality.in(cloze.options(ClozeTask.LAMBADA, gpt2)));
        });
  }
}

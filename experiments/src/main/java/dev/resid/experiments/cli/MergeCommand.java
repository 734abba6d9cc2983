package dev.resid.experiments.cli;

import dev.resid.experiments.dictionary.DictionaryStudy;
import dev.resid.experiments.language.ClozeStudy;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.experiments.language.ContextStudy;
import dev.resid.experiments.language.FeatureEffectStudy;
import dev.resid.experiments.language.PropagationStudy;
import dev.resid.experiments.patch.PatchStudy;
import dev.resid.experiments.plateau.PlateauStudy;
import dev.resid.experiments.robustness.RobustnessStudy;
import dev.resid.experiments.saereport.SaeEvaluationStudy;
import dev.resid.experiments.sensitivity.SensitivityStudy;
import dev.resid.experiments.study.RowMerge;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.substitution.SubstitutionStudy;
import dev.resid.experiments.sweep.ShardMerge;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code resid merge}: the parts of a split run become one. */
@Command(
    name = "merge",
    description = {
      "Put the parts of a run together that were computed with --shard.",
      "The results are the same bytes that one process would have written."
    },
    footer = {"", "Example:", "  resid merge gpt2-layer6 shard0 shard1 shard2 shard3"})
final class MergeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "OUT",
      description = "Folder for the results; created if it is missing.")
  private Path out;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "SHARD",
      description = "Output folders of all parts, in any order.")
  private List<Path> shards;

  /** Called by picocli. */
  MergeCommand() {}

  @Override
  public Integer call() throws IOException {
    try (Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
      PrintWriter console = spec.commandLine().getOut();
      String command = ShardMerge.record(shards.getFirst()).command();
      switch (command) {
        case SaeEvaluationStudy.COMMAND ->
            SaeEvaluateCommand.print(console, SaeEvaluationStudy.merge(shards).run(out, workers));
        default -> StudyLines.print(console, merge(command).run(out, workers));
      }
    }
    return ResidCommand.OK;
  }

  private RowMerge<StudyOutcome> merge(String command) {
    for (ClozeTask task : ClozeTask.values()) {
      if (command.equals(ClozeStudy.command(task))) {
        return ClozeStudy.merge(task, shards);
      }
    }
    return switch (command) {
      case SensitivityStudy.COMMAND -> SensitivityStudy.merge(shards);
      case SubstitutionStudy.COMMAND -> SubstitutionStudy.merge(shards);
      case PlateauStudy.COMMAND -> PlateauStudy.merge(shards);
      case RobustnessStudy.COMMAND -> RobustnessStudy.merge(shards);
      case PatchStudy.COMMAND -> PatchStudy.merge(shards);
      case DictionaryStudy.COMMAND -> DictionaryStudy.merge(shards);
      case ContextStudy.COMMAND -> ContextStudy.merge(shards);
      case PropagationStudy.COMMAND -> PropagationStudy.merge(shards);
      case FeatureEffectStudy.COMMAND -> FeatureEffectStudy.merge(shards);
      default ->
          throw new IllegalStateException(
              shards.getFirst() + " holds a run of " + command + ", which has no shards");
    };
  }
}

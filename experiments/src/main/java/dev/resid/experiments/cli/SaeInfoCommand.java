package dev.resid.experiments.cli;

import dev.resid.sae.SaeConfig;
import dev.resid.sae.io.SaeCheckpoint;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code resid sae info}: what an SAE is, without loading its weights. */
@Command(
    name = "info",
    description = "Show what an SAE is and was trained on, without loading its weights.",
    footer = {
      "",
      "Examples:",
      "  resid sae info saes/blocks.8.hook_resid_pre",
      "  resid sae info --sae embedded:local-layer3-l0-30"
    })
final class SaeInfoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @ArgGroup(multiplicity = "1")
  private Named named;

  /** The SAE, as an argument or as the option of other commands. */
  private static final class Named {
    @Parameters(paramLabel = SaeSource.LABEL, description = SaeSource.DESCRIPTION)
    private String argument;

    @Option(
        names = "--sae",
        paramLabel = SaeSource.LABEL,
        description = "The same, as other commands take it.")
    private String option;

    String source() {
      return argument != null ? argument : option;
    }
  }

  @Mixin private SaeStatementMixin statement;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  /** Called by picocli. */
  SaeInfoCommand() {}

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    try (SaeCheckpoint checkpoint = new SaeSource(named.source()).open(statement.stated())) {
      Map<String, Object> values = values(checkpoint);
      if (json) {
        out.println(new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(values));
      } else {
        values.forEach(
            (name, value) ->
                out.printf(Locale.ROOT, "%-16s %s%n", name, value == null ? "not stated" : value));
      }
    }
    return ResidCommand.OK;
  }

  private static Map<String, Object> values(SaeCheckpoint checkpoint) throws IOException {
    SaeConfig config = checkpoint.config();
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("name", config.name());
    values.put("format", checkpoint.format());
    values.put("architecture", SaeListCommand.architecture(config.architecture(), config.k()));
    values.put("hook", config.point().name());
    if (!config.outputPoint().equals(config.point())) {
      values.put("outputHook", config.outputPoint().name());
    }
    values.put("dIn", config.dIn());
    values.put("dSae", config.dSae());
    values.put("dOut", config.dOut());
    values.put("normalization", lower(config.normalization()));
    values.put("inputScale", config.inputScale());
    values.put("decoderBias", lower(config.decoderBias()));
    values.put("topKScale", lower(config.topKScale()));
    values.put("weights", SaeListCommand.weights(config.weights()));
    values.put("model", config.provenance().model().orElse(null));
    values.put("context", SaeListCommand.orNull(config.provenance().contextLength()));
    values.put("bos", SaeListCommand.lower(config.provenance().beginningOfText()));
    values.put("neuronpedia", config.provenance().neuronpediaId().orElse(null));
    Map<String, Object> tensors = new LinkedHashMap<>();
    checkpoint
        .tensors()
        .forEach((weight, info) -> tensors.put(weight.name(), info.dtype() + " " + info.shape()));
    values.put("tensors", tensors);
    return values;
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}

package dev.resid.experiments.cli;

import dev.resid.model.WeightsState;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.io.Stated;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code resid sae list}: which SAEs there are for GPT-2. */
@Command(
    name = "list",
    description = {
      "List the published SAEs for GPT-2 small, or those that ship with Resid.",
      "A dash is a fact that nobody states. Nothing is fetched."
    },
    footer = {"", "Example:", "  resid sae list --embedded"})
final class SaeListCommand implements Callable<Integer> {
  private static final String UNSTATED = "-";

  @Spec private CommandSpec spec;

  @Option(names = "--embedded", description = "List the SAEs that ship with Resid.")
  private boolean embedded;

  @Option(names = "--release", paramLabel = "NAME", description = "List one release only.")
  private String release;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  /** Called by picocli. */
  SaeListCommand() {}

  @Override
  public Integer call() throws IOException {
    List<Map<String, Object>> rows = embedded ? embeddedRows() : catalogueRows();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(rows));
    } else if (rows.isEmpty()) {
      out.println("No SAE ships with this build.");
    } else {
      print(rows, out);
    }
    return ResidCommand.OK;
  }

  private List<Map<String, Object>> catalogueRows() throws IOException {
    SaeCatalogue catalogue = SaeCatalogue.load();
    if (release != null && !catalogue.releases().contains(release)) {
      throw new IOException(
          "there is no release \""
              + release
              + "\"; there are "
              + String.join(", ", catalogue.releases())
              + ".");
    }
    List<Map<String, Object>> rows = new ArrayList<>();
    for (SaeCatalogue.Entry entry : catalogue.entries()) {
      if (release == null || release.equals(entry.release())) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("release", entry.release());
        row.put("id", entry.id());
        row.put("hook", entry.point().name());
        row.put("dSae", entry.dSae());
        row.put("architecture", architecture(entry.architecture(), entry.k()));
        row.put("weights", weights(entry.weights()));
        row.put("context", orNull(entry.contextLength()));
        row.put("bos", lower(entry.beginningOfText()));
        row.put("neuronpedia", entry.neuronpediaId().orElse(null));
        row.put("repository", entry.repository());
        rows.add(row);
      }
    }
    return rows;
  }

  private List<Map<String, Object>> embeddedRows() throws IOException {
    EmbeddedSaes saes = EmbeddedSaes.ofLibrary();
    List<Map<String, Object>> rows = new ArrayList<>();
    for (String name : saes.names()) {
      try (SaeCheckpoint checkpoint = saes.open(name, Stated.nothing())) {
        SaeConfig config = checkpoint.config();
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("name", "embedded:" + name);
        row.put("hook", config.point().name());
        row.put("dIn", config.dIn());
        row.put("dSae", config.dSae());
        row.put("architecture", architecture(config.architecture(), config.k()));
        row.put("weights", weights(config.weights()));
        row.put("context", orNull(config.provenance().contextLength()));
        row.put("bos", lower(config.provenance().beginningOfText()));
        rows.add(row);
      }
    }
    return rows;
  }

  private static void print(List<Map<String, Object>> rows, PrintWriter out) {
    List<String> names = List.copyOf(rows.getFirst().keySet());
    List<List<String>> cells = new ArrayList<>();
    cells.add(names);
    for (Map<String, Object> row : rows) {
      cells.add(
          names.stream().map(n -> row.get(n) == null ? UNSTATED : row.get(n).toString()).toList());
    }
    int[] widths = new int[names.size()];
    for (List<String> line : cells) {
      for (int c = 0; c < widths.length; c++) {
        widths[c] = Math.max(widths[c], line.get(c).length());
      }
    }
    for (List<String> line : cells) {
      StringBuilder text = new StringBuilder();
      for (int c = 0; c < widths.length; c++) {
        text.append(line.get(c)).repeat(" ", widths[c] - line.get(c).length() + 2);
      }
      out.println(text.toString().stripTrailing());
    }
  }

  /** Returns an architecture as tables show it. */
  static String architecture(Enum<?> architecture, OptionalInt k) {
    String name = architecture.name().toLowerCase(Locale.ROOT);
    return k.isPresent() ? name + " " + k.getAsInt() : name;
  }

  /** Returns a state of weights as tables show it; null if nobody states it. */
  static String weights(Optional<WeightsState> state) {
    return state.map(WeightsState::name).orElse(null);
  }

  /** Returns a number, or null. */
  static Integer orNull(OptionalInt number) {
    return number.isPresent() ? Integer.valueOf(number.getAsInt()) : null;
  }

  /** Returns a constant's name in lower case, or null. */
  static String lower(Optional<? extends Enum<?>> value) {
    return value.map(each -> each.name().toLowerCase(Locale.ROOT)).orElse(null);
  }
}

package dev.resid.experiments.cli;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The option {@code --sae} of experiments that compare several SAEs. */
final class SaesMixin {
  private static final String NONE = "none";
  private static final String EMBEDDED_MODEL = "embedded";
  private static final long MUCH = 1L << 26;

  @Option(
      names = "--sae",
      paramLabel = "[FAMILY=]SAE",
      description =
          "An SAE: its folder or file, embedded:NAME, or RELEASE/ID for a published one that 'resid"
              + " download --sae' fetched; may be given several times. SAEs of one FAMILY (local,"
              + " e2e, downstream, ...) are drawn together. Of the embedded model, all that ship"
              + " with Resid if left out; none for no SAE.")
  private List<String> sources;

  @Mixin private SaeWeightsMixin weights;

  /** Called by picocli. */
  SaesMixin() {}

  /**
   * Loads the SAEs, checked against the model.
   *
   * @param gpt2 the model
   * @param points which of the embedded ones, if none are named; empty for all
   * @param backend where they run
   * @throws IOException if one cannot be read
   * @throws IllegalArgumentException if one does not belong to the model
   */
  List<NamedSae> load(Gpt2 gpt2, List<HookPoint> points, Backend backend) throws IOException {
    List<NamedSae> saes = new ArrayList<>();
    if (sources == null) {
      if (gpt2.source().equals(EMBEDDED_MODEL)) {
        for (String name : EmbeddedSaes.ofLibrary().names()) {
          add(saes, "embedded:" + name, points, gpt2, backend);
        }
      }
      return saes;
    }
    for (String source : sources) {
      if (source.equals(NONE)) {
        if (sources.size() > 1) {
          throw new IllegalArgumentException("--sae none stands alone; leave it or the others out");
        }
        return saes;
      }
      add(saes, source, List.of(), gpt2, backend);
    }
    return saes;
  }

  /**
   * Has the garbage of loading collected at once where there is much of it. The heap would grow by
   * it for good otherwise, beside packed encoders, which lie outside of it and do not count.
   */
  private static void collect(SaeConfig config) {
    if ((long) config.dSae() * config.dIn() * Float.BYTES > MUCH) {
      System.gc();
    }
  }

  private void add(
      List<NamedSae> saes, String text, List<HookPoint> points, Gpt2 gpt2, Backend backend)
      throws IOException {
    int equals = text.indexOf('=');
    Optional<String> family =
        equals > 0 ? Optional.of(text.substring(0, equals)) : Optional.empty();
    SaeSource source = new SaeSource(equals > 0 ? text.substring(equals + 1) : text);
    try (SaeCheckpoint checkpoint = source.open(weights.stated())) {
      SaeConfig config = checkpoint.config();
      if (!points.isEmpty() && !points.contains(config.point())) {
        return;
      }
      SaeWeightsMixin.requireStated(config);
      Sae sae = checkpoint.load(backend);
      sae.requireFits(gpt2);
      saes.add(
          new NamedSae(
              unique(saes, source.name()),
              family.orElseGet(() -> NamedSae.familyOf(source.name(), config)),
              checkpoint.sha256(),
              sae));
      collect(config);
    }
  }

  private static String unique(List<NamedSae> saes, String name) {
    String wanted = name.replace(':', '-');
    String tried = wanted;
    for (int n = 2; isTaken(saes, tried); n++) {
      tried = wanted + "-" + n;
    }
    return tried;
  }

  private static boolean isTaken(List<NamedSae> saes, String name) {
    return saes.stream().anyMatch(sae -> sae.name().equals(name));
  }
}

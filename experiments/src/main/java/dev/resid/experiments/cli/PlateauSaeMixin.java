package dev.resid.experiments.cli;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.plateau.PlateauSae;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.io.SaeCheckpointException;
import dev.resid.sae.io.Stated;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The option {@code --sae}, and the SAE that is taken without it. */
final class PlateauSaeMixin {
  @Option(
      names = "--sae",
      paramLabel = SaeSource.LABEL,
      description =
          "SAE that synthetic activations are made with, at the resid_pre that is moved: a folder,"
              + " a file, or embedded:NAME for one that ships with Resid. If left out, the middle"
              + " one of those there that ship, for the model that does; for other models none, and"
              + " only kinds that need none are measured.")
  private String text;

  @Mixin private SaeWeightsMixin weights;

  /** Called by picocli. */
  PlateauSaeMixin() {}

  /**
   * Loads the SAE.
   *
   * @param gpt2 the model it must belong to
   * @param model whether that model ships with Resid
   * @param layer block whose resid_pre is moved
   * @throws IOException if a file is missing or damaged, or nobody states the weights the SAE was
   *     trained on
   */
  Optional<PlateauSae> load(Gpt2 gpt2, ModelOptionsMixin model, int layer) throws IOException {
    EmbeddedSaes embedded = EmbeddedSaes.ofLibrary();
    if (text != null) {
      SaeSource source = new SaeSource(text).orEmbedded();
      try (SaeCheckpoint checkpoint = open(source, weights.stated(), HookPoint.residPre(layer))) {
        return Optional.of(read(checkpoint, source.name(), gpt2.backend()));
      }
    }
    if (!model.isEmbedded() || layer >= gpt2.config().nLayers()) {
      return Optional.empty();
    }
    List<String> names = new ArrayList<>();
    for (String name : embedded.names()) {
      try (SaeCheckpoint checkpoint = embedded.open(name)) {
        if (fits(checkpoint.config(), gpt2, layer)) {
          names.add(name);
        }
      }
    }
    return names.isEmpty()
        ? Optional.empty()
        : Optional.of(embedded(embedded, names.get(names.size() / 2), gpt2.backend()));
  }

  private static PlateauSae embedded(EmbeddedSaes saes, String name, Backend backend)
      throws IOException {
    try (SaeCheckpoint checkpoint = saes.open(name)) {
      return read(checkpoint, name, backend);
    }
  }

  /** Opens the file; one that does not state its point is taken to be at the one that is moved. */
  private static SaeCheckpoint open(SaeSource source, Stated stated, HookPoint point)
      throws IOException {
    try {
      return source.open(stated);
    } catch (SaeCheckpointException problem) {
      try {
        return source.open(stated.at(point));
      } catch (SaeCheckpointException again) {
        problem.addSuppressed(again);
        throw problem;
      }
    }
  }

  private static boolean fits(SaeConfig config, Gpt2 gpt2, int layer) {
    return NamedSae.isAt(config, HookPoint.residPre(layer))
        && config.outputPoint().equals(config.point())
        && config.weights().map(gpt2.weightsState()::equals).orElse(true);
  }

  private static PlateauSae read(SaeCheckpoint checkpoint, String name, Backend backend)
      throws IOException {
    SaeWeightsMixin.requireStated(checkpoint.config());
    NamedSae named =
        new NamedSae(name.replace(':', '-'), "", checkpoint.sha256(), checkpoint.load(backend));
    return new PlateauSae(named, checkpoint.logFrequencies());
  }
}

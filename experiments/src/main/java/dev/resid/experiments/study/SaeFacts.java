package dev.resid.experiments.study;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.Settings;
import dev.resid.hook.HookPoint;
import dev.resid.sae.SaeConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * What tables and figures say of an SAE, without its weights.
 *
 * @param name unique in a run
 * @param family SAEs of one family are drawn together
 * @param reads the activation it reads
 * @param writes the activation it writes
 * @param dSae number of features
 */
public record SaeFacts(String name, String family, HookPoint reads, HookPoint writes, int dSae) {
  /** Returns what is said of some SAEs. */
  public static List<SaeFacts> of(List<NamedSae> saes) {
    List<SaeFacts> facts = new ArrayList<>();
    for (NamedSae named : saes) {
      SaeConfig config = named.sae().config();
      facts.add(
          new SaeFacts(
              named.name(), named.family(), config.point(), config.outputPoint(), config.dSae()));
    }
    return List.copyOf(facts);
  }

  /** Returns notes of a run that hold what is said of its SAEs. */
  public static Settings notes(List<NamedSae> saes) {
    List<SaeFacts> facts = of(saes);
    return new Settings()
        .with("sae", facts.stream().map(SaeFacts::name).toList())
        .with("sae_family", facts.stream().map(SaeFacts::family).toList())
        .with("sae_reads", facts.stream().map(sae -> sae.reads().name()).toList())
        .with("sae_writes", facts.stream().map(sae -> sae.writes().name()).toList())
        .with("sae_d_sae", facts.stream().mapToDouble(SaeFacts::dSae).toArray());
  }

  /** Returns what is said of the SAEs of a run, from notes that {@link #notes} began. */
  public static List<SaeFacts> of(Settings notes) {
    List<String> names = notes.list("sae");
    List<SaeFacts> facts = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      facts.add(
          new SaeFacts(
              names.get(i),
              notes.list("sae_family").get(i),
              HookPoint.parse(notes.list("sae_reads").get(i)),
              HookPoint.parse(notes.list("sae_writes").get(i)),
              (int) notes.numbers("sae_d_sae")[i]));
    }
    return List.copyOf(facts);
  }
}

package dev.resid.experiments.substitution;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.activations.SaeCensus;
import dev.resid.experiments.result.Settings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * What is known of an SAE of a run.
 *
 * @param name its name
 * @param family SAEs of one family are drawn together
 * @param point whose activations it reconstructs
 * @param layer the block of the point
 * @param l0 mean number of active features
 * @param epsilon mean ‖SAE(x) − x‖
 */
record SubstitutedSae(
    String name, String family, String point, int layer, double l0, double epsilon) {

  /** Returns the SAEs of a run, by family, layer, then L0. */
  static List<SubstitutedSae> of(Settings settings, Map<String, ActivationStatistics> statistics) {
    List<String> names = settings.list("saes");
    List<String> families = settings.list("sae_families");
    List<String> points = settings.list("sae_points");
    List<SubstitutedSae> saes = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      SaeCensus census = statistics.get(points.get(i)).sae(names.get(i));
      int layer = dev.resid.hook.HookPoint.parse(points.get(i)).layer();
      saes.add(
          new SubstitutedSae(
              names.get(i),
              families.get(i),
              points.get(i),
              layer,
              census.meanL0(),
              census.meanError()));
    }
    List<String> order = families.stream().distinct().toList();
    saes.sort(
        Comparator.<SubstitutedSae>comparingInt(sae -> order.indexOf(sae.family()))
            .thenComparing(SubstitutedSae::layer)
            .thenComparing(SubstitutedSae::point)
            .thenComparingDouble(SubstitutedSae::l0)
            .thenComparing(SubstitutedSae::name));
    return List.copyOf(saes);
  }
}

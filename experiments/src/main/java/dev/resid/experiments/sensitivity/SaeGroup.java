package dev.resid.experiments.sensitivity;

import dev.resid.experiments.activations.ActivationStatistics;
import dev.resid.experiments.direction.SaeDirectionKind;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.result.Settings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The SAEs of one family in ascending order of L0.
 *
 * @param family its name
 * @param members at least one
 */
record SaeGroup(String family, List<Member> members) {
  /** SAEs trained to reconstruct. */
  static final String LOCAL = "local";

  /** SAEs trained to keep the prediction. */
  static final String E2E = "e2e";

  /** SAEs trained to keep the prediction and later activations. */
  static final String DOWNSTREAM = "downstream";

  /**
   * An SAE.
   *
   * @param name its name
   * @param l0 mean number of active features at a position of the data
   */
  record Member(String name, double l0) {
    /** Returns a direction of this SAE. */
    SweptDirection direction(SaeDirectionKind kind) {
      return new SweptDirection.OfSae(kind, name);
    }
  }

  SaeGroup {
    members = List.copyOf(members);
  }

  /** Returns the groups of a run, in the order in which its families were first named. */
  static List<SaeGroup> of(Settings settings, ActivationStatistics statistics) {
    List<String> names = settings.list("saes");
    List<String> families = settings.list("sae_families");
    Map<String, List<Member>> groups = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      groups
          .computeIfAbsent(families.get(i), family -> new ArrayList<>())
          .add(new Member(names.get(i), statistics.sae(names.get(i)).meanL0()));
    }
    List<SaeGroup> result = new ArrayList<>();
    groups.forEach(
        (family, members) -> {
          members.sort(Comparator.comparingDouble(Member::l0).thenComparing(Member::name));
          result.add(new SaeGroup(family, members));
        });
    return result;
  }

  /**
   * Returns one SAE of each group, chosen so that the largest L0 is the smallest multiple of the
   * smallest.
   */
  static Map<String, Member> matched(List<SaeGroup> groups) {
    Map<String, Member> best = new LinkedHashMap<>();
    double spread = Double.POSITIVE_INFINITY;
    for (SaeGroup group : groups) {
      for (Member pivot : group.members()) {
        Map<String, Member> choice = new LinkedHashMap<>();
        double low = Double.POSITIVE_INFINITY;
        double high = 0;
        for (SaeGroup other : groups) {
          Member nearest =
              other.members().stream()
                  .min(Comparator.comparingDouble(m -> Math.abs(Math.log(m.l0() / pivot.l0()))))
                  .orElseThrow();
          choice.put(other.family(), nearest);
          low = Math.min(low, nearest.l0());
          high = Math.max(high, nearest.l0());
        }
        if (high / low < spread) {
          spread = high / low;
          best = choice;
        }
      }
    }
    return best;
  }
}

package dev.resid.experiments.dictionary;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.SaeFacts;
import java.util.Arrays;

/**
 * The features that are looked at one by one. A unit is one of them; SAEs come one after another,
 * each with the same number of units, of which the last ones are empty if it has too few features.
 *
 * @param slots units of an SAE
 * @param features of each SAE, ascending
 */
record FeatureUnits(int slots, int[]... features) {
  /** Adds them to the notes of a run. */
  Settings addTo(Settings notes) {
    notes.with("slots", slots);
    for (int s = 0; s < features.length; s++) {
      notes.with("looked_at_" + s, Arrays.stream(features[s]).asDoubleStream().toArray());
    }
    return notes;
  }

  /** Returns the units of a run, from its notes. */
  static FeatureUnits of(Settings notes) {
    int[][] features = new int[SaeFacts.of(notes).size()][];
    for (int s = 0; s < features.length; s++) {
      features[s] = Arrays.stream(notes.numbers("looked_at_" + s)).mapToInt(f -> (int) f).toArray();
    }
    return new FeatureUnits(Math.toIntExact(notes.whole("slots")), features);
  }

  /** Returns the number of units, empty ones included. */
  int count() {
    return features.length * slots;
  }

  /** Returns the number of the SAE of a unit. */
  int sae(int unit) {
    return unit / slots;
  }

  /** Returns whether the unit is not empty. */
  boolean has(int unit) {
    return unit % slots < features[sae(unit)].length;
  }

  /** Returns the feature of a unit that is not empty. */
  int feature(int unit) {
    return features[sae(unit)][unit % slots];
  }

  /** Returns the units that are not empty. */
  int[] filled() {
    return java.util.stream.IntStream.range(0, count()).filter(this::has).toArray();
  }
}

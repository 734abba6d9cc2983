package dev.resid.experiments.plateau;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.experiments.plateau.PlateauVariants.Placing;
import dev.resid.experiments.plateau.SyntheticActivations.Features;
import dev.resid.hook.HookPoint;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Sae;
import dev.resid.tensor.Backend;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SyntheticActivationsTest {
  private static final int D = 12;
  private static final int FEATURES = 300;
  private static final int PROMPTS = 40;
  private static final double WANTED_DISTANCE = 6;
  private static final Scale.Values SCALE = new Scale.Values(0.5, 20, 0.02, 5, 0.4);

  private static Backend backend;
  private static Sae sae;
  private static double[] densities;
  private static FeatureTable table;

  @BeforeAll
  static void make() {
    backend = Backends.named("vector", BackendOptions.defaults().withThreads(1));
    sae = RandomSae.of(RandomSae.rows(FEATURES, D, 3), 4, HookPoint.residPre(1), backend);
    CounterRandom random = new CounterRandom(5);
    densities = new double[FEATURES];
    BitSet alive = new BitSet();
    for (int i = 0; i < FEATURES; i++) {
      // Some densities are equal, as those that are counted on little text.
      densities[i] = Math.round(50 * random.uniform(0, 0, i)) / 50.0;
      alive.set(i, i % 7 != 0);
    }
    table = new FeatureTable(sae, densities, alive);
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  /** T23 of the definitions. */
  @Test
  void aBaselineKeepsValuesAndReplacesEachFeatureByOneNearInDensity() {
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      Features features = some(prompt, 9);
      Features changed = synthetic(1).baseline(prompt, features);
      assertArrayEquals(features.values(), changed.values());
      assertEquals(9, Arrays.stream(changed.indices()).distinct().count(), "none twice");
      BitSet taken = new BitSet();
      for (int k = 0; k < 9; k++) {
        int own = features.indices()[k];
        int other = changed.indices()[k];
        assertNotEquals(own, other);
        long nearer =
            IntStream.range(0, FEATURES)
                .filter(j -> j != own && !taken.get(j))
                .filter(j -> off(own, j) < off(own, other))
                .count();
        assertTrue(nearer < 10, nearer + " free features are nearer to " + own + " than " + other);
        taken.set(other);
      }
    }
  }

  @Test
  void aBaselineDependsOnSeedAndPromptAlone() {
    Features features = some(0, 9);
    int[] first = synthetic(1).baseline(0, features).indices();
    assertArrayEquals(first, synthetic(1).baseline(0, features).indices());
    assertFalse(Arrays.equals(first, synthetic(1).baseline(1, features).indices()));
    assertFalse(Arrays.equals(first, synthetic(2).baseline(0, features).indices()));
  }

  @Test
  void aReplacementThatIsActiveItselfIsNotOverwritten() {
    // All active features are neighbours in density, so that they replace each other.
    int[] near = table.nearestInDensity(0, 8, new BitSet());
    Arrays.sort(near);
    Features features = new Features(near, new float[] {1, 2, 3, 4, 5, 6, 7, 8});
    boolean replacedEachOther = false;
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      Features changed = synthetic(1).baseline(prompt, features);
      replacedEachOther |=
          Arrays.stream(changed.indices()).anyMatch(j -> Arrays.binarySearch(near, j) >= 0);
      assertEquals(8, Arrays.stream(changed.indices()).distinct().count());
      assertArrayEquals(features.values(), changed.values());
    }
    assertTrue(replacedEachOther, "the case did not occur");
  }

  /** Replays the published code: one vector, each turn clears its feature and sets another. */
  @Test
  void replacementsInPlaceAreLostWhereALaterTurnClearsThem() {
    int[] near = table.nearestInDensity(0, 8, new BitSet());
    Arrays.sort(near);
    Features features = new Features(near, new float[] {1, 2, 3, 4, 5, 6, 7, 8});
    int lost = 0;
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      int[] fresh = synthetic(1).baseline(prompt, features).indices();
      float[] vector = new float[FEATURES];
      for (int k = 0; k < near.length; k++) {
        vector[near[k]] = features.values()[k];
      }
      for (int k = 0; k < near.length; k++) {
        vector[near[k]] = 0;
        vector[fresh[k]] = features.values()[k];
      }
      Features changed =
          synthetic(DensityPool.nearest(), Placing.IN_PLACE, 1).baseline(prompt, features);
      float[] made = new float[FEATURES];
      for (int k = 0; k < changed.indices().length; k++) {
        made[changed.indices()[k]] = changed.values()[k];
      }
      assertArrayEquals(vector, made, "prompt " + prompt);
      lost += near.length - changed.indices().length;
    }
    assertTrue(lost > 0, "the case did not occur");
  }

  @Test
  void aPoolOfDensitiesHoldsAllThatAreAsNear() {
    DensityPool tenth = DensityPool.parse("0.1");
    assertEquals(tenth, DensityPool.parse(tenth.text()));
    assertEquals(DensityPool.nearest(), DensityPool.parse("nearest"));
    assertThrows(IllegalArgumentException.class, () -> DensityPool.parse("0"));
    assertThrows(IllegalArgumentException.class, () -> DensityPool.parse("near"));
    boolean farther = false;
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      Features features = some(prompt, 9);
      Features changed = synthetic(tenth, Placing.FRESH, 1).baseline(prompt, features);
      assertEquals(9, Arrays.stream(changed.indices()).distinct().count(), "none twice");
      BitSet taken = new BitSet();
      for (int k = 0; k < 9; k++) {
        int own = features.indices()[k];
        int other = changed.indices()[k];
        double decades = Math.abs(Math.log10(densities[other]) - Math.log10(densities[own]));
        boolean none =
            IntStream.range(0, FEATURES)
                .filter(j -> j != own && !taken.get(j))
                .allMatch(j -> !(Math.abs(Math.log10(densities[j] / densities[own])) < 0.1 - 1e-9));
        assertTrue(none || decades < 0.1, own + " by " + other + ", " + decades + " decades off");
        int[] ten = table.nearestInDensity(own, 10, taken);
        farther |= Arrays.stream(ten).noneMatch(j -> j == other);
        taken.set(other);
      }
    }
    assertTrue(farther, "the pool is larger than ten");
  }

  @Test
  void theNormOfFeaturesIsThatOfTheirValues() {
    float[][] activations = new float[5][D];
    CounterRandom random = new CounterRandom(8);
    double sum = 0;
    for (int i = 0; i < activations.length; i++) {
      random.fillNormal(i, 0, activations[i]);
      double squares = 0;
      for (float value : synthetic(1).encode(activations[i]).values()) {
        squares += value * (double) value;
      }
      sum += Math.sqrt(squares);
    }
    assertTrue(sum > 0);
    assertEquals(sum / 5, FeatureTable.meanFeatureNorm(sae, activations), 1e-5 * sum);
  }

  /** T24 of the definitions. */
  @Test
  void theStrongestFeatureOfAStructuredActivationIsReplacedByOneOfItsPool() {
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      Features features = some(prompt, 9);
      int strongest = strongest(features);
      int t = features.indices()[strongest];
      int replacement = synthetic(1).replacement(t);
      assertNotEquals(t, replacement);
      long nearer =
          IntStream.range(0, FEATURES)
              .filter(j -> j != t && off(t, j) < off(t, replacement))
              .count();
      assertTrue(nearer < 100, "outside the pool");
      double reached = Math.abs(table.cosine(t, replacement) - 0.42);
      for (int j : table.nearestInDensity(t, 100, new BitSet())) {
        assertTrue(reached <= Math.abs(table.cosine(t, j) - 0.42));
      }
      Features changed = synthetic(1).structured(features);
      assertArrayEquals(features.values(), changed.values());
      assertEquals(9, Arrays.stream(changed.indices()).distinct().count(), "none twice");
      assertEquals(replacement, changed.indices()[strongest]);
    }
  }

  @Test
  void versionOneTakesTheFeatureNearestInDensityForTheStrongest() {
    boolean differs = false;
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      Features features = some(prompt, 9);
      int strongest = strongest(features);
      int t = features.indices()[strongest];
      Features changed = synthetic(1).structuredByDensity(features);
      int replacement = changed.indices()[strongest];
      assertEquals(
          0,
          IntStream.range(0, FEATURES)
              .filter(j -> j != t && off(t, j) < off(t, replacement))
              .count());
      assertNotEquals(t, replacement);
      assertArrayEquals(features.values(), changed.values());
      assertEquals(9, Arrays.stream(changed.indices()).distinct().count(), "none twice");
      differs |= replacement != synthetic(1).replacement(t);
    }
    assertTrue(differs, "the case did not occur");
  }

  /** T24 of the definitions. */
  @Test
  void aDictionaryClosedUnderARotationKeepsItsCosines() {
    // Rows i and i + n/2 are images of each other under an orthogonal map: t' = R·t.
    int half = 60;
    float[][] rows = RandomSae.rows(2 * half, D, 9);
    for (int i = 0; i < half; i++) {
      for (int c = 0; c < D; c += 2) {
        double angle = Math.acos(0.42);
        double x = rows[i][c];
        double y = rows[i][c + 1];
        rows[half + i][c] = (float) (Math.cos(angle) * x - Math.sin(angle) * y);
        rows[half + i][c + 1] = (float) (Math.sin(angle) * x + Math.cos(angle) * y);
      }
    }
    Sae closed = RandomSae.of(rows, 4, HookPoint.residPre(1), backend);
    double[] equal = new double[2 * half];
    BitSet all = new BitSet();
    all.set(0, 2 * half);
    FeatureTable closedTable = new FeatureTable(closed, equal, all);
    SyntheticActivations made =
        new SyntheticActivations(
            closed, closedTable, SCALE, WANTED_DISTANCE, PlateauVariants.paper(), 1);
    int t = 17;
    assertEquals(half + t, made.replacement(t));
    Features features = new Features(new int[] {3, 8, t, 41}, new float[] {1, 2, 9, 3});
    Features changed = made.structured(features);
    for (int k = 0; k < 4; k++) {
      assertEquals(
          closedTable.cosine(t, features.indices()[k]),
          closedTable.cosine(half + t, changed.indices()[k]),
          1e-6);
    }
    assertArrayEquals(new int[] {half + 3, half + 8, half + t, half + 41}, changed.indices());
  }

  @Test
  void aBagHasAliveFeaturesNoneTwice() {
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      Features features = some(prompt, 9);
      Features changed = synthetic(1).bag(prompt, features);
      assertArrayEquals(features.values(), changed.values());
      assertEquals(9, Arrays.stream(changed.indices()).distinct().count());
      assertTrue(Arrays.stream(changed.indices()).allMatch(i -> i % 7 != 0), "a dead feature");
    }
  }

  @Test
  void aSingleFeatureIsAsFarAwayAsWanted() {
    float[] base = activation(0);
    float[] bias = synthetic(1).decode(new Features(new int[0], new float[0]), base);
    int inside = 0;
    for (int prompt = 0; prompt < PROMPTS; prompt++) {
      float[] target = synthetic(1).singleFeature(prompt, base);
      assertEquals(5, Regime.distance(bias, target), 1e-4, "a unit row times its value");
      double off = Math.abs(Regime.distance(base, target) - WANTED_DISTANCE);
      inside += off <= SCALE.featureMargin() ? 1 : 0;
    }
    assertEquals(PROMPTS, inside);
  }

  @Test
  void whereNoSingleFeatureIsFarEnoughTheNearestIsTaken() {
    SyntheticActivations far =
        new SyntheticActivations(sae, table, SCALE, 1000, PlateauVariants.paper(), 1);
    float[] base = activation(0);
    double reached = Regime.distance(base, far.singleFeature(0, base));
    for (int feature : table.alive()) {
      float[] one = far.decode(new Features(new int[] {feature}, new float[] {5}), base);
      assertTrue(Regime.distance(base, one) <= reached + 1e-5);
    }
  }

  @Test
  void featuresAreThoseOfTheSaeAndDecodeToItsReconstruction() {
    float[] base = activation(3);
    Features features = synthetic(1).encode(base);
    assertTrue(features.indices().length > 20, "a random encoder has half of them active");
    assertArrayEquals(
        synthetic(1).reconstruction(base), synthetic(1).decode(features, base), 1e-5f);
  }

  @Test
  void densitiesAreMeasuredOrReadFromTheFile() {
    float[][] activations = new float[70][];
    Arrays.setAll(activations, SyntheticActivationsTest::activation);
    PlateauSae without = sae(java.util.Optional.empty());
    FeatureTable measured = FeatureTable.of(without, activations);
    double sum = 0;
    for (float[] activation : activations) {
      sum += synthetic(1).encode(activation).indices().length;
    }
    assertEquals(sum / 70, IntStream.range(0, FEATURES).mapToDouble(measured::density).sum(), 1e-9);
    float[] logs = new float[FEATURES];
    logs[4] = -10;
    logs[5] = -2;
    FeatureTable read = FeatureTable.of(sae(java.util.Optional.of(logs)), activations);
    assertEquals(0.01, read.density(5), 1e-9);
    assertEquals(FEATURES - 1, read.alive().length);
    assertThrows(IllegalArgumentException.class, () -> sae(java.util.Optional.of(new float[3])));
  }

  @Test
  void tooFewAliveFeaturesAreSaid() {
    FeatureTable dead = new FeatureTable(sae, densities, new BitSet());
    SyntheticActivations made =
        new SyntheticActivations(sae, dead, SCALE, WANTED_DISTANCE, PlateauVariants.paper(), 1);
    String message =
        assertThrows(IllegalArgumentException.class, () -> made.bag(0, some(0, 9))).getMessage();
    assertTrue(message.startsWith("the SAE has 0 alive features, 9 are needed"), message);
  }

  private static PlateauSae sae(java.util.Optional<float[]> logs) {
    return new PlateauSae(
        new dev.resid.experiments.direction.NamedSae("random", "", "", sae), logs);
  }

  private static double off(int one, int other) {
    return Math.abs(densities[one] - densities[other]);
  }

  private static int strongest(Features features) {
    int best = 0;
    for (int k = 1; k < features.values().length; k++) {
      best = features.values()[k] > features.values()[best] ? k : best;
    }
    return best;
  }

  private static SyntheticActivations synthetic(long seed) {
    return synthetic(DensityPool.nearest(), Placing.FRESH, seed);
  }

  private static SyntheticActivations synthetic(DensityPool pool, Placing placing, long seed) {
    PlateauVariants variants =
        new PlateauVariants(pool, placing, PlateauVariants.FeatureValue.SCALE, List.of());
    return new SyntheticActivations(sae, table, SCALE, WANTED_DISTANCE, variants, seed);
  }

  private static Features some(int prompt, int n) {
    CounterRandom random = new CounterRandom(11);
    int[] indices = Arrays.copyOf(random.permutation(FEATURES, prompt, 0), n);
    Arrays.sort(indices);
    float[] values = new float[n];
    for (int k = 0; k < n; k++) {
      values[k] = (float) (0.1 + random.uniform(prompt, 1, k));
    }
    return new Features(indices, values);
  }

  private static float[] activation(int number) {
    float[] values = new float[D];
    new CounterRandom(21).fillNormal(number, 0, values);
    return values;
  }
}

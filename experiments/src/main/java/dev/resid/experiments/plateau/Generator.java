package dev.resid.experiments.plateau;

import dev.resid.experiments.direction.Gaussian;
import dev.resid.experiments.plateau.SyntheticActivations.Features;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.random.CounterRandom;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import java.util.Optional;

/** Makes the ends of ways. Every draw depends on the seed, its use and the prompt alone. */
final class Generator {
  /** Another prompt may have the same tokens; so many in a row mean that all of them do. */
  private static final int MOST_DRAWS = 1000;

  private final TokenBatch tokens;
  private final float[][] activations;
  private final Gaussian gaussian;
  private final CounterRandom random;
  private final Optional<SyntheticActivations> synthetic;

  /**
   * Prepares draws.
   *
   * @param tokens all prompts
   * @param activations of their last positions, [prompt][d_model]
   * @param gaussian with their mean and covariance
   * @param synthetic makes activations of SAE features, where there is an SAE
   * @param seed of all draws
   */
  Generator(
      TokenBatch tokens,
      float[][] activations,
      Gaussian gaussian,
      Optional<SyntheticActivations> synthetic,
      long seed) {
    this.tokens = tokens;
    this.activations = activations;
    this.gaussian = gaussian;
    this.synthetic = synthetic;
    this.random = new CounterRandom(seed);
  }

  /**
   * Returns an activation of a kind.
   *
   * @param kind what it is
   * @param prompt the base prompt, a row of the tokens
   * @param own the base prompt's own activation
   */
  float[] draw(TargetKind kind, int prompt, float[] own) {
    return switch (kind) {
      case MODEL_GENERATED -> activations[other(prompt)];
      case RANDOM -> normal(DrawKeys.PLATEAU_RANDOM, prompt);
      case SAE_RECONSTRUCTION -> synthetic(kind).reconstruction(activations[other(prompt)]);
      case SINGLE_FEATURE -> synthetic(kind).singleFeature(prompt, own);
      case BAG_OF_FEATURES, SYNTHETIC_BASELINE, SYNTHETIC_STRUCTURED, SYNTHETIC_STRUCTURED_V1 -> {
        SyntheticActivations made = synthetic(kind);
        Features features = made.encode(own);
        Features changed =
            switch (kind) {
              case BAG_OF_FEATURES -> made.bag(prompt, features);
              case SYNTHETIC_BASELINE -> made.baseline(prompt, features);
              case SYNTHETIC_STRUCTURED -> made.structured(features);
              default -> made.structuredByDensity(features);
            };
        yield made.decode(changed, own);
      }
    };
  }

  private SyntheticActivations synthetic(TargetKind kind) {
    return synthetic.orElseThrow(
        () -> new IllegalArgumentException(kind.label() + " activations need an SAE"));
  }

  /** Returns a fresh draw of the random kind, which ways of the second part lead to. */
  float[] randomEnd(int prompt) {
    return normal(DrawKeys.PLATEAU_RANDOM_END, prompt);
  }

  private float[] normal(DrawKeys key, int prompt) {
    float[] z = new float[gaussian.dimension()];
    random.fillNormal(key.stream(prompt), 0, z);
    return gaussian.at(z);
  }

  /** Returns another prompt, with other tokens. */
  int other(int prompt) {
    int[] own = tokens.row(prompt);
    for (int draw = 0; draw < MOST_DRAWS; draw++) {
      int index = random.below(tokens.rows() - 1, DrawKeys.PLATEAU_OTHER.stream(prompt), 0, draw);
      int other = index < prompt ? index : index + 1;
      if (!Arrays.equals(own, tokens.row(other))) {
        return other;
      }
    }
    throw new IllegalArgumentException(
        "prompt " + prompt + " has the same tokens as the others; use more text");
  }
}

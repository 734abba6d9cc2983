package dev.resid.experiments.direction;

import dev.resid.experiments.sweep.Workers;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;

/**
 * A rule that gives one unit vector for every row and position.
 *
 * <p>Draws are keyed by (seed, kind of direction, row in the data set, position): they do not
 * depend on how rows are batched, on threads, or on what else is drawn.
 *
 * @source Lee and Heimersheim 2024, "Investigating Sensitive Directions in GPT-2" (arXiv
 *     2410.12555), section 3
 */
public sealed interface Direction {
  /** Returns the name used in tables and on the command line, for example {@code isotropic}. */
  String name();

  /**
   * Draws a direction for every position of every row.
   *
   * @param seed same seed, same directions
   * @param base the points to perturb
   * @param workers share the rows
   * @return [batch, pos, d_model], Euclidean norm 1 over d_model; 0 in padding, and in rows in
   *     which a {@link SaeFeature} has no candidate
   * @throws IllegalArgumentException if the base points have another dimension than this direction
   */
  default Tensor draw(long seed, BasePoints base, Workers workers) {
    return UnitVectors.of(this, new CounterRandom(seed), base, workers);
  }

  /** Returns (SAE(x_base) − x_base)/‖SAE(x_base) − x_base‖. */
  static Direction saeError(NamedSae sae) {
    return new SaeError(sae);
  }

  /**
   * Returns a decoder row of an SAE, another one for every row and position.
   *
   * @param sae the SAE
   * @param choice which features are drawn from
   * @param alive features that were active anywhere in the data
   */
  static Direction saeFeature(NamedSae sae, FeatureChoice choice, BitSet alive) {
    return new SaeFeature(sae, choice, alive);
  }

  /** Returns z ~ N(0, I). */
  static Direction isotropic() {
    return new Isotropic();
  }

  /** Returns g − x_base with g ~ N(μ, Σ). */
  static Direction covRandomDifference(Gaussian activations) {
    return new CovRandomDifference(activations);
  }

  /** Returns g₁ − g₂ with independent g₁, g₂ ~ N(μ, Σ). */
  static Direction covRandomMixture(Gaussian activations) {
    return new CovRandomMixture(activations);
  }

  /** Returns r − x_base with a real activation r. */
  static Direction realDifference(ActivationPool activations) {
    return new RealDifference(activations);
  }

  /** Returns r₁ − r₂ with two real activations. */
  static Direction realMixture(ActivationPool activations) {
    return new RealMixture(activations);
  }

  /** Returns the same direction for every row and position. */
  static Direction fixed(float... vector) {
    return new Fixed(vector);
  }

  /**
   * Returns a family of the caller's own.
   *
   * @param word what tables and figures call it; not blank, one line, without a colon
   * @param rule gives the vectors
   * @throws IllegalArgumentException if the word is no such name
   */
  static Direction own(String word, DirectionRule rule) {
    return new Own(word, rule);
  }

  /**
   * A family of the caller's own.
   *
   * @param word what tables and figures call it
   * @param rule gives the vectors
   */
  record Own(String word, DirectionRule rule) implements Direction {
    /** Checks the word. */
    public Own {
      Objects.requireNonNull(rule, "rule");
      if (word.isBlank() || word.chars().anyMatch(c -> c == ':' || Character.isISOControl(c))) {
        throw new IllegalArgumentException(
            "a direction of one's own needs a name of one line without a colon, got \""
                + word
                + "\"");
      }
    }

    @Override
    public String name() {
      return "own:" + word;
    }
  }

  /** z ~ N(0, I). */
  record Isotropic() implements Direction {
    @Override
    public String name() {
      return "isotropic";
    }
  }

  /**
   * g − x_base with g ~ N(μ, Σ).
   *
   * @param activations N(μ, Σ)
   */
  record CovRandomDifference(Gaussian activations) implements Direction {
    @Override
    public String name() {
      return "cov-random-difference";
    }
  }

  /**
   * g₁ − g₂ with independent g₁, g₂ ~ N(μ, Σ). It is drawn as √2·L·z with L·Lᵀ = Σ, which has the
   * same law, so that μ is not in it at all.
   *
   * @param activations N(μ, Σ)
   */
  record CovRandomMixture(Gaussian activations) implements Direction {
    @Override
    public String name() {
      return "cov-random-mixture";
    }
  }

  /**
   * r − x_base with r drawn from the pool, every vector equally likely. A draw that is x_base
   * itself, by row and position, or has the same value, is repeated. The publication draws without
   * replacement inside a batch; that would make results depend on the batch size, so here each row
   * and position draws by itself.
   *
   * @param activations the pool
   */
  record RealDifference(ActivationPool activations) implements Direction {
    @Override
    public String name() {
      return "real-difference";
    }
  }

  /**
   * r₁ − r₂ with two different vectors of the pool, neither of them x_base by row and position.
   * Pairs of equal values are drawn again.
   *
   * @param activations the pool
   */
  record RealMixture(ActivationPool activations) implements Direction {
    @Override
    public String name() {
      return "real-mixture";
    }
  }

  /**
   * The same direction everywhere.
   *
   * @param vector d_model values of any length but 0; normalised when drawn
   */
  record Fixed(float[] vector) implements Direction {
    /** Copies the vector. */
    public Fixed {
      vector = vector.clone();
    }

    /** Returns a copy of the vector. */
    @Override
    public float[] vector() {
      return vector.clone();
    }

    @Override
    public String name() {
      return "fixed";
    }

    /** Returns true if the other direction has the same vector. */
    @Override
    public boolean equals(Object other) {
      return other instanceof Fixed that && Arrays.equals(vector, that.vector);
    }

    /** Returns a hash of the vector. */
    @Override
    public int hashCode() {
      return Arrays.hashCode(vector);
    }
  }

  /**
   * SAE(x_base) − x_base. Where an SAE reconstructs exactly there is no such direction, which is an
   * error.
   *
   * @param sae the SAE, at the point that is perturbed
   * @source Lee and Heimersheim 2024, section 4.2
   */
  record SaeError(NamedSae sae) implements Direction {
    @Override
    public String name() {
      return SaeDirectionKind.ERROR.word() + ":" + sae.name();
    }
  }

  /**
   * The decoder row of feature number ⌊u·count⌋ of the candidates of its row, with one u ~ U[0,1) a
   * row and position, the same for every SAE. A row without candidates has no direction.
   *
   * @param sae the SAE, at the point that is perturbed
   * @param choice which features are candidates
   * @param alive features that were active anywhere in the data
   * @source Lee and Heimersheim 2024, section 4.3
   */
  record SaeFeature(NamedSae sae, FeatureChoice choice, BitSet alive) implements Direction {
    /** Copies the set. */
    public SaeFeature {
      alive = (BitSet) alive.clone();
    }

    /** Returns a copy of the set. */
    @Override
    public BitSet alive() {
      return (BitSet) alive.clone();
    }

    @Override
    public String name() {
      return choice.kind().word() + ":" + sae.name();
    }
  }
}

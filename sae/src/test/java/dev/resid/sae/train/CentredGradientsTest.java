package dev.resid.sae.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.model.Reference;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.sae.train.BloomLoss.DecoderRows;
import dev.resid.sae.train.BloomLoss.ErrorScale;
import dev.resid.sae.train.BloomLoss.GhostGradients;
import dev.resid.sae.train.BloomLoss.L1Weight;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Bloom's and the top-k loss against their formulas in float64, and gradients against differences.
 * What the losses hold constant is computed from the first parameters.
 */
class CentredGradientsTest extends OnEachCpuBackend {
  private static final int WIDTH = 8;
  private static final int FEATURES = 12;
  private static final int TOKENS = 14;
  private static final double EPSILON = 1e-6;
  private static final Tensor X =
      Tensor.wrap(
          Shape.of(Axis.ROW, TOKENS, Axis.D_MODEL, WIDTH),
          SmallSaes.normal(3, 0, TOKENS * WIDTH, 1.5));
  private static final double[] INPUT = Reference.doubles(X);

  /** Features that were not active for long; more than half of WIDTH. */
  private static final int[] DEAD = {0, 3, 4, 7, 10};

  /** What a dictionary makes of the input, in float64. */
  private record Pass(double[] pre, double[] norms, Map<SaeWeight, double[]> parameters) {
    static Pass of(Map<SaeWeight, double[]> p) {
      double[] pre = new double[TOKENS * FEATURES];
      double[] norms = new double[FEATURES];
      for (int i = 0; i < FEATURES; i++) {
        for (int c = 0; c < WIDTH; c++) {
          norms[i] += Math.pow(p.get(SaeWeight.W_dec)[i * WIDTH + c], 2);
        }
        norms[i] = Math.sqrt(norms[i]);
        for (int t = 0; t < TOKENS; t++) {
          pre[t * FEATURES + i] = p.get(SaeWeight.b_enc)[i];
          for (int c = 0; c < WIDTH; c++) {
            pre[t * FEATURES + i] +=
                (INPUT[t * WIDTH + c] - p.get(SaeWeight.b_dec)[c])
                    * p.get(SaeWeight.W_enc)[c * FEATURES + i];
          }
        }
      }
      return new Pass(pre, norms, p);
    }

    /** Returns f·W_dec. */
    double[] product(double[] features) {
      double[] out = new double[TOKENS * WIDTH];
      for (int t = 0; t < TOKENS; t++) {
        for (int i = 0; i < FEATURES; i++) {
          for (int c = 0; c < WIDTH; c++) {
            out[t * WIDTH + c] +=
                features[t * FEATURES + i] * parameters.get(SaeWeight.W_dec)[i * WIDTH + c];
          }
        }
      }
      return out;
    }

    /** Returns target − f·W_dec − b_dec. */
    double[] missing(double[] target, double[] features) {
      double[] out = product(features);
      for (int i = 0; i < out.length; i++) {
        out[i] = target[i] - out[i] - parameters.get(SaeWeight.b_dec)[i % WIDTH];
      }
      return out;
    }

    double[] relu() {
      return Arrays.stream(pre).map(value -> Math.max(value, 0)).toArray();
    }

    /** Returns the pre-activations of the k largest of some features by score, 0 elsewhere. */
    double[] largest(int k, int[] among) {
      double[] kept = new double[pre.length];
      for (int t = 0; t < TOKENS; t++) {
        int row = t * FEATURES;
        IntStream.of(among)
            .boxed()
            .sorted((a, b) -> Double.compare(pre[row + b] * norms[b], pre[row + a] * norms[a]))
            .limit(k)
            .forEach(i -> kept[row + i] = pre[row + i]);
      }
      return kept;
    }
  }

  private static double meanSquare(double[] values) {
    return Arrays.stream(values).map(value -> value * value).average().orElseThrow();
  }

  private static double norm(double[] values, int from, double[] centre) {
    double squares = 0;
    for (int c = 0; c < WIDTH; c++) {
      squares += Math.pow(values[from + c] - centre[c], 2);
    }
    return Math.sqrt(squares);
  }

  private static double[] mean(double[] rows) {
    double[] mean = new double[WIDTH];
    for (int i = 0; i < rows.length; i++) {
      mean[i % WIDTH] += rows[i] / (rows.length / WIDTH);
    }
    return mean;
  }

  /** Returns the squared error of every element over its token's scale. */
  private static double[] errors(ErrorScale scale, double[] missing) {
    double[] errors = new double[missing.length];
    for (int i = 0; i < errors.length; i++) {
      int from = i / WIDTH * WIDTH;
      double divisor =
          switch (scale) {
            case NONE -> 1;
            case NORM -> norm(INPUT, from, new double[WIDTH]) + EPSILON;
            case CENTRED_NORM -> norm(INPUT, from, mean(INPUT)) + EPSILON;
          };
      errors[i] = missing[i] * missing[i] / divisor;
    }
    return errors;
  }

  private static double bloom(BloomLoss loss, Pass pass) {
    double[] features = pass.relu();
    double[] errors = errors(loss.errorScale(), pass.missing(INPUT, features));
    double l1 = 0;
    for (int i = 0; i < features.length; i++) {
      boolean weighed = loss.l1Weight() == L1Weight.DECODER_NORM;
      l1 += features[i] * (weighed ? pass.norms()[i % FEATURES] : 1);
    }
    return loss.reconstruction() * Arrays.stream(errors).average().orElseThrow()
        + loss.l1() * l1 / TOKENS;
  }

  /** Returns the ghosts' term; {@code first} gives what is held constant. */
  private static double ghosts(BloomLoss loss, Pass pass, Pass first) {
    double[] missing = first.missing(INPUT, first.relu());
    double[] errors = errors(loss.errorScale(), missing);
    double[] out = pass.product(exponentials(pass));
    double[] firstOut = first.product(exponentials(first));
    double[] middle = mean(missing);
    double total = 0;
    for (int i = 0; i < out.length; i++) {
      int from = i / WIDTH * WIDTH;
      double[] origin = new double[WIDTH];
      double scale = norm(missing, from, origin) / (EPSILON + 2 * norm(firstOut, from, origin));
      double divisor = norm(missing, from, middle) + EPSILON;
      double held = Math.pow(scale * firstOut[i] - missing[i], 2) / divisor;
      double square = Math.pow(scale * out[i] - missing[i], 2) / divisor;
      total += square * errors[i] / (held + EPSILON);
    }
    return total / out.length;
  }

  private static double[] exponentials(Pass pass) {
    double[] values = new double[pass.pre().length];
    for (int t = 0; t < TOKENS; t++) {
      for (int i : DEAD) {
        values[t * FEATURES + i] = Math.exp(pass.pre()[t * FEATURES + i]);
      }
    }
    return values;
  }

  private static FeatureActivity activity(int... dead) {
    int[] idle = new int[FEATURES];
    for (int i : dead) {
      idle[i] = 100;
    }
    FeatureActivity activity = new FeatureActivity(FEATURES);
    activity.resume(idle);
    return activity;
  }

  @ParameterizedTest
  @EnumSource
  void bloomsLossAndGradientsAreThoseOfTheFormula(ErrorScale scale) {
    for (GhostGradients ghosts : GhostGradients.values()) {
      L1Weight weight = scale == ErrorScale.NONE ? L1Weight.DECODER_NORM : L1Weight.PLAIN;
      BloomLoss loss = new BloomLoss(2, scale, 0.3, weight, DecoderRows.FREE, ghosts, 100);
      Map<SaeWeight, Tensor> parameters = FormulaCheck.parameters(WIDTH, FEATURES);
      Pass first = Pass.of(FormulaCheck.wide(parameters));
      BloomLearner learner = new BloomLearner(backend(), parameters, loss);
      StepSums sums = new StepSums(TOKENS);
      learner.learn(X, activity(DEAD), sums);
      learner.finishGradients();
      boolean on = ghosts == GhostGradients.ON;
      assertEquals(on, sums.auxiliary > 0);
      new FormulaCheck(backendName)
          .compare(
              parameters,
              learner,
              sums,
              p -> {
                Pass pass = Pass.of(p);
                return bloom(loss, pass) + (on ? ghosts(loss, pass, first) : 0);
              });
    }
  }

  @Test
  void aGhostTermIsAsLargeAsTheError() {
    BloomLoss loss = BloomLoss.published(0).withDeadAfter(100);
    BloomLearner learner =
        new BloomLearner(backend(), FormulaCheck.parameters(WIDTH, FEATURES), loss);
    StepSums sums = new StepSums(TOKENS);
    learner.learn(X, activity(DEAD), sums);
    assertEquals(sums.loss - sums.auxiliary, sums.auxiliary, 1e-3 * sums.auxiliary);
  }

  @ParameterizedTest
  @EnumSource
  void theTopKLossAndGradientsAreThoseOfTheFormula(TopKScale scale) {
    compareTopK(scale, 1, DEAD);
    compareTopK(scale, 0.5, 3, 7); // two dead features, and half of WIDTH is four
  }

  private void compareTopK(TopKScale scale, double share, int... dead) {
    TopKLoss loss = new TopKLoss(3, scale, 2, 0.4, 100);
    Map<SaeWeight, Tensor> parameters = FormulaCheck.parameters(WIDTH, FEATURES);
    Pass first = pass(scale, FormulaCheck.wide(parameters));
    double[] residual = first.missing(INPUT, topK(first));
    TopKLearner learner = new TopKLearner(backend(), parameters, loss);
    StepSums sums = new StepSums(TOKENS);
    learner.learn(X, activity(dead), sums);
    learner.finishGradients();
    assertTrue(sums.auxiliary > 0);
    new FormulaCheck(backendName)
        .compare(
            parameters,
            learner,
            sums,
            p -> {
              Pass pass = pass(scale, p);
              double[] ofDead = pass.missing(residual, pass.largest(WIDTH / 2, dead));
              return 2
                  * (meanSquare(pass.missing(INPUT, topK(pass)))
                      + share * 0.4 * meanSquare(ofDead));
            });
  }

  /** Returns a pass whose scores are pre-activations times norms, or alone. */
  private static Pass pass(TopKScale scale, Map<SaeWeight, double[]> p) {
    Pass pass = Pass.of(p);
    double[] ones = new double[FEATURES];
    Arrays.fill(ones, 1);
    return scale == TopKScale.PLAIN ? new Pass(pass.pre(), ones, p) : pass;
  }

  private static double[] topK(Pass pass) {
    double[] kept = pass.largest(3, IntStream.range(0, FEATURES).toArray());
    return Arrays.stream(kept).map(value -> Math.max(value, 0)).toArray();
  }
}

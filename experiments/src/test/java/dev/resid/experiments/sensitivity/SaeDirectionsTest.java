package dev.resid.experiments.sensitivity;

import static dev.resid.experiments.testing.Vectors.at;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.Direction;
import dev.resid.experiments.direction.FeatureChoice;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.reference.Distributions;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Directions that an SAE gives, on a model's activations. */
class SaeDirectionsTest {
  private static final TokenBatch TOKENS = TinyModel.tokens(19, 12, 12, 12);

  /** T15, by the whole study: the perturbation of length ε along the error is the substitution. */
  @Test
  void errorDirectionsPointToTheReconstruction() {
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      HookPoint point = HookPoint.residPre(1);
      TokenBatch one = TOKENS.slice(1, 2);
      Tensor x = gpt2.forward(one, point.capture()).cache().get(point);
      NamedSae sae = TinySaes.both().getFirst();
      Tensor unit = Direction.saeError(sae).draw(23, BasePoints.of(x, 1, one.lengths()), workers);
      Tensor replaced = sae.sae().reconstruct(x);
      for (int pos = 0; pos < one.length(0); pos++) {
        double epsilon = Distributions.distance(at(x, 0, pos), at(replaced, 0, pos));
        for (int c = 0; c < TinyModel.CONFIG.dModel(); c++) {
          double there = x.get(0, pos, c) + epsilon * unit.get(0, pos, c);
          assertEquals(replaced.get(0, pos, c), there, 1e-5 * epsilon);
        }
      }
    }
  }

  /**
   * T25: among alive features, none that is active in the row; the same u for every SAE and length.
   */
  @Test
  void featureDirectionsAreDecoderRowsOfCandidates() {
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(2)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      HookPoint point = HookPoint.residPre(1);
      TokenBatch two = TOKENS.slice(2, 4);
      Tensor x = gpt2.forward(two, point.capture()).cache().get(point);
      NamedSae sae = TinySaes.both().getFirst();
      float[] decoder = sae.sae().weights().get(SaeWeight.W_dec).toArray();
      SparseFeatures features = sae.sae().encode(x);
      BitSet alive = new BitSet();
      alive.set(0, features.dSae() - 3);
      for (FeatureChoice choice : FeatureChoice.values()) {
        Tensor unit =
            Direction.saeFeature(sae, choice, alive)
                .draw(23, BasePoints.of(x, 2, two.lengths()), workers);
        for (int row = 0; row < 2; row++) {
          BitSet active = new BitSet();
          int stride = two.maxLength();
          for (int r = row * stride; r < row * stride + two.length(row); r++) {
            for (int at = features.start(r); at < features.end(r); at++) {
              active.set(features.indices()[at]);
            }
          }
          for (int pos = 0; pos < two.length(row); pos++) {
            int feature = rowOf(decoder, unit, row, pos);
            boolean candidate =
                switch (choice) {
                  case ALIVE_NOT_ACTIVE -> alive.get(feature) && !active.get(feature);
                  case ACTIVE -> active.get(feature);
                  case DEAD -> !alive.get(feature);
                };
            assertTrue(candidate, choice + " drew " + feature);
          }
        }
      }
      Tensor absent =
          Direction.saeFeature(sae, FeatureChoice.ALIVE_NOT_ACTIVE, new BitSet())
              .draw(23, BasePoints.of(x, 2, two.lengths()), workers);
      assertTrue(absent.sameBits(Tensor.zeros(absent.shape())), "no candidate, no direction");
    }
  }

  @Test
  void usualDirectionsAreTheBaselinesAndTwoOfEverySae() {
    List<String> names =
        SensitivityOptions.usualDirections(TinySaes.both()).stream()
            .map(SweptDirection::name)
            .toList();
    assertEquals(9, names.size());
    assertEquals(
        List.of("sae-error:few", "sae-error:many", "sae-feature:few", "sae-feature:many"),
        names.subList(5, 9));
    assertEquals(SensitivityOptions.baselines(), SensitivityOptions.usualDirections(List.of()));
  }

  /** Returns the feature whose unit decoder row is the vector. */
  private static int rowOf(float[] decoder, Tensor unit, int row, int pos) {
    int d = TinyModel.CONFIG.dModel();
    for (int feature = 0; feature < decoder.length / d; feature++) {
      double norm = 0;
      double dot = 0;
      for (int c = 0; c < d; c++) {
        norm += (double) decoder[feature * d + c] * decoder[feature * d + c];
        dot += (double) decoder[feature * d + c] * unit.get(row, pos, c);
      }
      if (dot / Math.sqrt(norm) > 1 - 1e-6) {
        return feature;
      }
    }
    throw new AssertionError("no decoder row at row " + row + ", position " + pos);
  }
}

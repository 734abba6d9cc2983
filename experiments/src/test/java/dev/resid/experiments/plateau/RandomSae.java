package dev.resid.experiments.plateau;

import dev.resid.hook.HookPoint;
import dev.resid.model.WeightsState;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Small SAEs with random weights, or given ones. */
final class RandomSae {
  private RandomSae() {}

  /** Returns a ReLU SAE with a random encoder and the given decoder rows, [d_sae][d_model]. */
  static Sae of(float[][] decoder, long seed, HookPoint point, Backend backend) {
    int dSae = decoder.length;
    int d = decoder[0].length;
    Map<SaeWeight, Tensor> tensors = new EnumMap<>(SaeWeight.class);
    CounterRandom random = new CounterRandom(seed);
    for (SaeWeight weight : new SaeWeight[] {SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.b_dec}) {
      float[] values = new float[(int) weight.shape(d, dSae, d).elements()];
      random.fillNormal(weight.ordinal(), 0, values);
      tensors.put(weight, Tensor.wrap(weight.shape(d, dSae, d), values));
    }
    float[] rows = new float[dSae * d];
    for (int i = 0; i < dSae; i++) {
      System.arraycopy(decoder[i], 0, rows, i * d, d);
    }
    tensors.put(SaeWeight.W_dec, Tensor.wrap(SaeWeight.W_dec.shape(d, dSae, d), rows));
    SaeConfig config =
        new SaeConfig(
            "random",
            Architecture.RELU,
            d,
            dSae,
            d,
            OptionalInt.empty(),
            SaeConfig.TopKScale.PLAIN,
            Normalization.NONE,
            1,
            DecoderBias.SUBTRACTED_AND_ADDED,
            point,
            point,
            Optional.of(WeightsState.RAW),
            SaeConfig.Provenance.UNKNOWN);
    return Sae.of(config, new SaeWeights(tensors), backend);
  }

  /** Returns random decoder rows of norm 1. */
  static float[][] rows(int dSae, int d, long seed) {
    float[][] rows = new float[dSae][d];
    for (int i = 0; i < dSae; i++) {
      new CounterRandom(seed).fillNormal(i, 1, rows[i]);
      double norm = Regime.distance(new float[d], rows[i]);
      for (int c = 0; c < d; c++) {
        rows[i][c] /= (float) norm;
      }
    }
    return rows;
  }
}

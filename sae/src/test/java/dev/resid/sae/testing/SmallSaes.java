package dev.resid.sae.testing;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
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
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Small models and SAEs of known behaviour, from seeds. */
public final class SmallSaes {
  /** Two blocks of two heads and width 8, 30 tokens, 12 positions. */
  public static final Gpt2Config MODEL = Gpt2Config.of(2, 2, 8, 30, 12);

  private SmallSaes() {}

  /** Returns weights with activations and logits of about 1, every bias included. */
  public static Gpt2Weights model(Gpt2Config config, long seed) {
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : Weight.all(config)) {
      boolean tied = config.embeddings() == Embeddings.TIED && weight.name() == WeightNames.W_U;
      if (!tied && weight.name() != WeightNames.b_U) {
        Shape shape = weight.name().shape(config);
        float[] values = normal(seed, tensors.size(), Math.toIntExact(shape.elements()), 0.5);
        boolean gain = weight.lensName().endsWith(".w");
        for (int i = 0; gain && i < values.length; i++) {
          values[i] = 1 + 0.3f * values[i];
        }
        tensors.put(weight, Tensor.wrap(shape, values));
      }
    }
    return Gpt2Weights.of(config, tensors);
  }

  /** Returns rows of the given lengths. */
  public static TokenBatch tokens(long seed, int vocabulary, int... lengths) {
    CounterRandom random = new CounterRandom(seed);
    int[][] rows = new int[lengths.length][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] = new int[lengths[r]];
      for (int p = 0; p < lengths[r]; p++) {
        rows[r][p] = random.below(vocabulary, r, 0, p);
      }
    }
    return TokenBatch.of(rows);
  }

  /** Returns the facts of a ReLU SAE that reads and writes a point. */
  public static SaeConfig config(HookPoint point, int dIn, int dSae) {
    return new SaeConfig(
        "small",
        Architecture.RELU,
        dIn,
        dSae,
        dIn,
        OptionalInt.empty(),
        SaeConfig.TopKScale.PLAIN,
        Normalization.NONE,
        1,
        DecoderBias.SUBTRACTED_AND_ADDED,
        point,
        point,
        Optional.of(WeightsState.RAW),
        SaeConfig.Provenance.UNKNOWN);
  }

  /** Returns a ReLU SAE with decoder rows of length 1 and encoder columns near them. */
  public static Sae random(HookPoint point, int dIn, int dSae, long seed, Backend backend) {
    float[] decoder = normal(seed, 0, dSae * dIn, 1);
    float[] noise = normal(seed, 1, dSae * dIn, 0.2);
    float[] encoder = new float[dIn * dSae];
    for (int i = 0; i < dSae; i++) {
      double square = 0;
      for (int c = 0; c < dIn; c++) {
        square += (double) decoder[i * dIn + c] * decoder[i * dIn + c];
      }
      for (int c = 0; c < dIn; c++) {
        decoder[i * dIn + c] /= (float) Math.sqrt(square);
        encoder[c * dSae + i] = 0.5f * decoder[i * dIn + c] + 0.2f * noise[i * dIn + c];
      }
    }
    float[] bias = normal(seed, 2, dSae, 0.2);
    for (int i = 0; i < dSae; i++) {
      bias[i] -= 0.2f;
    }
    return of(config(point, dIn, dSae), encoder, bias, decoder, normal(seed, 3, dIn, 0.3), backend);
  }

  /** Returns an SAE of width and decoder bias that reconstructs everything: encoder ±I. */
  public static Sae identity(HookPoint point, int dIn, Backend backend) {
    float[] encoder = new float[dIn * 2 * dIn];
    float[] decoder = new float[2 * dIn * dIn];
    for (int c = 0; c < dIn; c++) {
      encoder[c * 2 * dIn + c] = 1;
      encoder[c * 2 * dIn + dIn + c] = -1;
      decoder[c * dIn + c] = 1;
      decoder[(dIn + c) * dIn + c] = -1;
    }
    return of(
        config(point, dIn, 2 * dIn), encoder, new float[2 * dIn], decoder, new float[dIn], backend);
  }

  /** Returns an SAE without active features whose reconstruction is always its b_dec. */
  public static Sae constant(HookPoint point, float[] bias, Backend backend) {
    int dIn = bias.length;
    return of(
        config(point, dIn, 3),
        new float[dIn * 3],
        new float[3],
        new float[3 * dIn],
        bias.clone(),
        backend);
  }

  /** Returns an SAE of given parameters. */
  public static Sae of(
      SaeConfig config,
      float[] encoder,
      float[] encoderBias,
      float[] decoder,
      float[] decoderBias,
      Backend backend) {
    Map<SaeWeight, Tensor> tensors = new EnumMap<>(SaeWeight.class);
    put(tensors, config, SaeWeight.W_enc, encoder);
    put(tensors, config, SaeWeight.b_enc, encoderBias);
    put(tensors, config, SaeWeight.W_dec, decoder);
    put(tensors, config, SaeWeight.b_dec, decoderBias);
    return Sae.of(config, new SaeWeights(tensors), backend);
  }

  private static void put(
      Map<SaeWeight, Tensor> tensors, SaeConfig config, SaeWeight weight, float[] values) {
    tensors.put(
        weight, Tensor.wrap(weight.shape(config.dIn(), config.dSae(), config.dOut()), values));
  }

  /** Returns normal draws. */
  public static float[] normal(long seed, long stream, int n, double deviation) {
    float[] values = new float[n];
    new CounterRandom(seed).fillNormal(stream, 0, values);
    for (int i = 0; i < n; i++) {
      values[i] *= (float) deviation;
    }
    return values;
  }
}

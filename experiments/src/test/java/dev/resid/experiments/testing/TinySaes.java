package dev.resid.experiments.testing;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.hook.HookPoint;
import dev.resid.model.WeightsState;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Random SAEs for the tiny model's {@code resid_pre[1]}. */
public final class TinySaes {
  private static final int D_SAE = 48;

  private TinySaes() {}

  /** Returns one with few active features, family a, and one with many, family b. */
  public static List<NamedSae> both() {
    // Host tensors of any CPU backend will do.
    Backend backend = Backends.named("scalar", BackendOptions.defaults());
    return List.of(
        new NamedSae("few", "a", "", topK(backend)), new NamedSae("many", "b", "", relu(backend)));
  }

  /** Returns one all of whose features are active everywhere. */
  public static NamedSae alwaysActive() {
    Backend backend = Backends.named("scalar", BackendOptions.defaults());
    Map<SaeWeight, Tensor> tensors = new EnumMap<>(weights(3).tensors());
    tensors.computeIfPresent(SaeWeight.b_enc, (name, bias) -> bias.map(v -> 1000));
    SaeConfig config = config("busy", Architecture.RELU, OptionalInt.empty());
    return new NamedSae("busy", "c", "", Sae.of(config, new SaeWeights(tensors), backend));
  }

  /** Returns one that was made for another activation. */
  public static NamedSae at(HookPoint point) {
    return transcoder(point, point);
  }

  /** Returns one that predicts an activation from another. */
  public static NamedSae transcoder(HookPoint reads, HookPoint writes) {
    Backend backend = Backends.named("scalar", BackendOptions.defaults());
    SaeConfig config = config("other", Architecture.RELU, OptionalInt.empty(), reads, writes);
    return new NamedSae("other", "a", "", Sae.of(config, weights(5), backend));
  }

  private static Sae topK(Backend backend) {
    return Sae.of(config("few", Architecture.TOP_K, OptionalInt.of(2)), weights(1), backend);
  }

  private static Sae relu(Backend backend) {
    return Sae.of(config("many", Architecture.RELU, OptionalInt.empty()), weights(2), backend);
  }

  private static SaeConfig config(String name, Architecture architecture, OptionalInt k) {
    return config(name, architecture, k, HookPoint.residPre(1), HookPoint.residPre(1));
  }

  private static SaeConfig config(
      String name, Architecture architecture, OptionalInt k, HookPoint reads, HookPoint writes) {
    int d = TinyModel.CONFIG.dModel();
    return new SaeConfig(
        name,
        architecture,
        d,
        D_SAE,
        d,
        k,
        TopKScale.PLAIN,
        Normalization.NONE,
        1,
        DecoderBias.SUBTRACTED_AND_ADDED,
        reads,
        writes,
        Optional.of(WeightsState.RAW),
        Provenance.UNKNOWN);
  }

  private static SaeWeights weights(long seed) {
    int d = TinyModel.CONFIG.dModel();
    CounterRandom random = new CounterRandom(seed);
    return new SaeWeights(
        Map.of(
            SaeWeight.W_enc, normal(random, SaeWeight.W_enc, d),
            SaeWeight.b_enc, normal(random, SaeWeight.b_enc, d),
            SaeWeight.W_dec, normal(random, SaeWeight.W_dec, d),
            SaeWeight.b_dec, normal(random, SaeWeight.b_dec, d)));
  }

  private static Tensor normal(CounterRandom random, SaeWeight weight, int d) {
    var shape = weight.shape(d, D_SAE, d);
    float[] values = new float[Math.toIntExact(shape.elements())];
    random.fillNormal(weight.ordinal(), 0, values);
    return Tensor.wrap(shape, values).times(0.3);
  }
}

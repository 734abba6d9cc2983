package dev.resid.sae.io;

import static dev.resid.sae.io.Numbers.D_IN;
import static dev.resid.sae.io.Numbers.D_SAE;
import static dev.resid.sae.io.Numbers.normal;

import dev.resid.hook.HookPoint;
import dev.resid.model.WeightsState;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.BeginningOfText;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.Tensor;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Small SAEs of every architecture. */
final class TinySae {
  private TinySae() {}

  static SaeConfig config(Architecture architecture) {
    return new SaeConfig(
        "tiny",
        architecture,
        D_IN,
        D_SAE,
        D_IN,
        architecture == Architecture.TOP_K ? OptionalInt.of(3) : OptionalInt.empty(),
        architecture == Architecture.TOP_K ? TopKScale.DECODER_NORM : TopKScale.PLAIN,
        Normalization.CONSTANT_NORM,
        1,
        DecoderBias.SUBTRACTED_AND_ADDED,
        HookPoint.residPre(1),
        HookPoint.residPre(1),
        Optional.of(WeightsState.TRANSFORMER_LENS),
        new Provenance(
            Optional.of("tiny-model"),
            OptionalInt.of(64),
            Optional.of(BeginningOfText.PREPENDED),
            Optional.of("tiny/1-res")));
  }

  static SaeWeights weights(Architecture architecture) {
    Set<SaeWeight> names = EnumSet.of(SaeWeight.W_enc, SaeWeight.W_dec, SaeWeight.b_dec);
    switch (architecture) {
      case RELU, TOP_K -> names.add(SaeWeight.b_enc);
      case JUMP_RELU -> names.addAll(List.of(SaeWeight.b_enc, SaeWeight.threshold));
      case GATED -> names.addAll(List.of(SaeWeight.b_gate, SaeWeight.b_mag, SaeWeight.r_mag));
    }
    return weights(names, D_IN);
  }

  static SaeWeights weights(Set<SaeWeight> names, int dOut) {
    Map<SaeWeight, Tensor> tensors = new EnumMap<>(SaeWeight.class);
    for (SaeWeight weight : names) {
      var shape = weight.shape(D_IN, D_SAE, dOut);
      tensors.put(
          weight,
          Tensor.wrap(shape, normal(30 + weight.ordinal(), Math.toIntExact(shape.elements()))));
    }
    return new SaeWeights(tensors);
  }
}

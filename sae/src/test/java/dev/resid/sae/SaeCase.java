package dev.resid.sae;

import dev.resid.hook.HookPoint;
import dev.resid.model.WeightsState;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Configurations of every kind with weights from a seed. */
record SaeCase(SaeConfig config, SaeWeights weights) {
  static final int D_IN = 24;
  static final int D_SAE = 71;

  /** Every architecture with every normalisation, and every part that any may have. */
  static List<SaeCase> all() {
    List<SaeCase> cases = new ArrayList<>();
    for (Architecture architecture : Architecture.values()) {
      for (Normalization normalization : Normalization.values()) {
        for (DecoderBias bias : DecoderBias.values()) {
          cases.add(of(architecture, normalization, bias, TopKScale.PLAIN, D_IN));
        }
      }
    }
    cases.add(
        of(
            Architecture.TOP_K,
            Normalization.NONE,
            DecoderBias.SUBTRACTED_AND_ADDED,
            TopKScale.DECODER_NORM,
            D_IN));
    cases.add(transcoder());
    cases.add(cases.getFirst().with(SaeWeight.scaling_factor));
    cases.add(cases.getLast().with(SaeWeight.W_skip));
    cases.add(transcoder().with(SaeWeight.W_skip));
    return cases;
  }

  /** An SAE that reads the input of an MLP and writes its output, of another width here. */
  static SaeCase transcoder() {
    SaeCase plain =
        of(Architecture.RELU, Normalization.NONE, DecoderBias.ADDED, TopKScale.PLAIN, 10);
    return new SaeCase(
        at(
            plain.config(),
            HookPoint.at(dev.resid.hook.Site.LN2_NORMALIZED, 0),
            HookPoint.mlpOut(0)),
        plain.weights());
  }

  static SaeConfig at(SaeConfig c, HookPoint point, HookPoint outputPoint) {
    return new SaeConfig(
        c.name(),
        c.architecture(),
        c.dIn(),
        c.dSae(),
        c.dOut(),
        c.k(),
        c.topKScale(),
        c.normalization(),
        c.inputScale(),
        c.decoderBias(),
        point,
        outputPoint,
        c.weights(),
        c.provenance());
  }

  SaeCase with(SaeWeight more) {
    Map<SaeWeight, Tensor> tensors = new EnumMap<>(weights.tensors());
    tensors.put(more, tensor(more, config, 1));
    return new SaeCase(config, new SaeWeights(tensors));
  }

  static SaeCase of(
      Architecture architecture,
      Normalization normalization,
      DecoderBias bias,
      TopKScale scale,
      int dOut) {
    SaeConfig config =
        new SaeConfig(
            architecture + " " + normalization + " " + bias + " " + scale,
            architecture,
            D_IN,
            D_SAE,
            dOut,
            architecture == Architecture.TOP_K ? OptionalInt.of(9) : OptionalInt.empty(),
            scale,
            normalization,
            normalization == Normalization.EXPECTED_AVERAGE_NORM ? 0.37 : 1,
            bias,
            HookPoint.residPre(1),
            HookPoint.residPre(1),
            Optional.of(WeightsState.RAW),
            SaeConfig.Provenance.UNKNOWN);
    Map<SaeWeight, Tensor> tensors = new EnumMap<>(SaeWeight.class);
    for (SaeWeight weight : parameters(architecture)) {
      tensors.put(weight, tensor(weight, config, 0.3));
    }
    return new SaeCase(config, new SaeWeights(tensors));
  }

  private static List<SaeWeight> parameters(Architecture architecture) {
    List<SaeWeight> all =
        new ArrayList<>(List.of(SaeWeight.W_enc, SaeWeight.W_dec, SaeWeight.b_dec));
    switch (architecture) {
      case RELU, TOP_K -> all.add(SaeWeight.b_enc);
      case JUMP_RELU -> all.addAll(List.of(SaeWeight.b_enc, SaeWeight.threshold));
      case GATED -> all.addAll(List.of(SaeWeight.b_gate, SaeWeight.b_mag, SaeWeight.r_mag));
    }
    return all;
  }

  private static Tensor tensor(SaeWeight weight, SaeConfig config, double deviation) {
    var shape = weight.shape(config.dIn(), config.dSae(), config.dOut());
    int n = Math.toIntExact(shape.elements());
    return Tensor.wrap(shape, SmallSaes.normal(77, weight.ordinal(), n, deviation));
  }
}

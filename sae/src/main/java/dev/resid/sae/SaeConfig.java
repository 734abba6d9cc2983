package dev.resid.sae;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightsState;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What is known about an SAE without its weights.
 *
 * @param name what it is called in tables and errors, for example {@code
 *     gpt2-small-res-jb/blocks.8}
 * @param architecture how features come from pre-activations
 * @param dIn width of the input; for {@code hook_z}, heads times d_head
 * @param dSae number of features
 * @param dOut width of the output; differs from {@code dIn} only for transcoders
 * @param k features kept by a top-k SAE; empty for others
 * @param topKScale whether top-k pre-activations are weighed by decoder norms
 * @param normalization what is done to inputs
 * @param inputScale the constant of {@link Normalization#EXPECTED_AVERAGE_NORM}; 1 otherwise
 * @param decoderBias where b_dec enters
 * @param point the activation it reads
 * @param outputPoint the activation it writes; {@code point} but for transcoders
 * @param weights the state of the model's weights it was trained on; empty where nothing states it
 * @param provenance where it comes from
 */
public record SaeConfig(
    String name,
    Architecture architecture,
    int dIn,
    int dSae,
    int dOut,
    OptionalInt k,
    TopKScale topKScale,
    Normalization normalization,
    double inputScale,
    DecoderBias decoderBias,
    HookPoint point,
    HookPoint outputPoint,
    Optional<WeightsState> weights,
    Provenance provenance) {

  /** Whether the k largest are chosen among pre-activations as they are. */
  public enum TopKScale {
    /** Pre-activations compete as they are. */
    PLAIN,
    /**
     * Pre-activations are multiplied by the norm of their decoder row before they compete, and
     * features are divided by it before decoding.
     */
    DECODER_NORM
  }

  /**
   * Facts for records and links.
   *
   * @param model the model it was trained on, as the file names it, for example {@code gpt2-small}
   * @param contextLength tokens of a training row
   * @param beginningOfText whether training rows began with the beginning-of-text token
   * @param neuronpediaId for example {@code gpt2-small/8-res-jb}
   */
  public record Provenance(
      Optional<String> model,
      OptionalInt contextLength,
      Optional<BeginningOfText> beginningOfText,
      Optional<String> neuronpediaId) {
    /** Nothing known. */
    public static final Provenance UNKNOWN =
        new Provenance(Optional.empty(), OptionalInt.empty(), Optional.empty(), Optional.empty());
  }

  /** Whether a training row began with the beginning-of-text token. */
  public enum BeginningOfText {
    /** Every row begins with it. */
    PREPENDED,
    /** Rows begin anywhere in the text. */
    NOT_PREPENDED
  }

  /**
   * Checks that the facts do not contradict each other.
   *
   * @throws IllegalArgumentException if a width is below 1, k is missing for a top-k SAE, given for
   *     another or above {@code dSae}, decoder norms weigh the features of another than a top-k
   *     SAE, the scale is not a positive number, b_dec is to be subtracted from an input of another
   *     width than the output, or a layer norm is over a single number
   */
  public SaeConfig {
    if (dIn < 1 || dSae < 1 || dOut < 1) {
      throw new IllegalArgumentException(
          name
              + ": widths must be positive, got d_in "
              + dIn
              + ", d_sae "
              + dSae
              + ", d_out "
              + dOut);
    }
    if (k.isPresent() != (architecture == Architecture.TOP_K)) {
      throw new IllegalArgumentException(
          name + ": k belongs to a top-k SAE and to no other, got " + architecture + " with " + k);
    }
    if (k.isPresent() && (k.getAsInt() < 1 || k.getAsInt() > dSae)) {
      throw new IllegalArgumentException(
          name + ": k must lie from 1 to d_sae=" + dSae + ", got " + k.getAsInt());
    }
    if (topKScale == TopKScale.DECODER_NORM && architecture != Architecture.TOP_K) {
      throw new IllegalArgumentException(
          name + ": decoder norms weigh the features of a top-k SAE only, got " + architecture);
    }
    if (decoderBias == DecoderBias.SUBTRACTED_AND_ADDED && dIn != dOut) {
      throw new IllegalArgumentException(
          name
              + ": b_dec has width d_out "
              + dOut
              + " and cannot be subtracted from an input of width "
              + dIn
              + "; a transcoder only adds it");
    }
    if (normalization == Normalization.LAYER_NORM && dIn < 2) {
      throw new IllegalArgumentException(
          name + ": a layer norm needs d_in of 2 or more, its deviation is divided by d_in - 1");
    }
    if (!(inputScale > 0) || Double.isInfinite(inputScale)) {
      throw new IllegalArgumentException(
          name + ": the input scale must be positive, got " + inputScale);
    }
  }

  /**
   * Checks the number of a feature.
   *
   * @param feature from 0 to d_sae − 1
   * @throws IndexOutOfBoundsException if there is no such feature
   */
  public void requireFeature(int feature) {
    if (feature < 0 || feature >= dSae) {
      throw new IndexOutOfBoundsException(
          name + " has no feature " + feature + ", only 0 to " + (dSae - 1));
    }
  }

  /** Returns these facts with the state of the model's weights stated. */
  public SaeConfig withWeights(WeightsState state) {
    return new SaeConfig(
        name,
        architecture,
        dIn,
        dSae,
        dOut,
        k,
        topKScale,
        normalization,
        inputScale,
        decoderBias,
        point,
        outputPoint,
        Optional.of(state),
        provenance);
  }

  /**
   * Refuses a model that an SAE of these facts does not belong to.
   *
   * @param gpt2 the model
   * @throws SaeMismatchException if the model lacks a point the SAE reads or writes, has another
   *     width there, has weights in another state than the SAE was trained on, or nothing states
   *     that state; the message says what to do
   */
  public void requireFits(Gpt2 gpt2) {
    Fit.require(this, gpt2);
  }
}

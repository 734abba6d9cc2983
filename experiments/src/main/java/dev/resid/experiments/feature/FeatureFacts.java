package dev.resid.experiments.feature;

import dev.resid.sae.SaeConfig;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import dev.resid.sae.dictionary.FeatureLens.View;
import dev.resid.sae.dictionary.MaxCosineSimilarity.Neighbour;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Everything that a page shows.
 *
 * @param sae what the SAE is called
 * @param config its facts
 * @param model what the model is called
 * @param weights state of the model's weights
 * @param options what was asked for
 * @param activations where the feature is active
 * @param top positions with the largest activations, at most one a row
 * @param binned one position of every bin of activations
 * @param lens tokens it promotes and suppresses, if its direction has a logit lens
 * @param maskedTokens tokens left out of the lens
 * @param neighbours nearest features
 * @param neighbourLenses their lenses, in the same order; empty if there are none
 * @param encoderDecoderCosine if both have the same width
 * @param attribution what in the text of the first example the activation depends on
 * @param effect what taking the feature out does to the predictions of the examples' rows
 */
record FeatureFacts(
    String sae,
    SaeConfig config,
    String model,
    String weights,
    FeatureOptions options,
    FeatureActivations activations,
    List<Example> top,
    List<Example> binned,
    Optional<View> lens,
    int maskedTokens,
    List<Neighbour> neighbours,
    List<View> neighbourLenses,
    OptionalDouble encoderDecoderCosine,
    Optional<Attribution> attribution,
    Optional<Effect> effect) {

  /**
   * Change of the activation at the last token when one of the tokens up to it is removed.
   *
   * @param row of the token set
   * @param scores [tokens up to and including the example's]
   */
  record Attribution(int row, double[] scores) {}

  /**
   * Mean change of the log-probability of the next token when the feature is taken out.
   *
   * @param meanNats over the positions at which the feature is active
   * @param positions how many those are
   * @param meanElsewhereNats over the other positions of the same rows; 0 if there are none
   * @param rows how many rows were run
   */
  record Effect(double meanNats, int positions, double meanElsewhereNats, int rows) {}
}

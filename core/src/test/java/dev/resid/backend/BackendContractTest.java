package dev.resid.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

/**
 * Shows that the contract can fail: each mistake of {@link BrokenBackends} is seen by exactly the
 * tests named here.
 */
@Execution(ExecutionMode.CONCURRENT)
class BackendContractTest {
  private static void assertFails(Class<? extends BackendContract> broken, String... tests) {
    Events events =
        EngineTestKit.engine("junit-jupiter").selectors(selectClass(broken)).execute().testEvents();
    Set<String> failed =
        events
            .failed()
            .map(event -> event.getTestDescriptor().getSource().orElseThrow())
            .map(source -> ((MethodSource) source).getMethodName())
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(new TreeSet<>(Set.of(tests)), failed);
    assertTrue(events.succeeded().count() > 50, "the other tests have to run and pass");
  }

  @Test
  void aDroppedTailIsSeen() {
    assertFails(
        BrokenBackends.DropsTheTail.class,
        "addIsRoundedOnce",
        "resultsInPlaceHaveTheSameBits",
        "rowKernelsPropagateNonFiniteValues");
  }

  @Test
  void aForgottenMaskIsSeen() {
    assertFails(
        BrokenBackends.ForgetsTheMask.class,
        "attentionAgrees",
        "attentionBackwardIsExactlyItsParts",
        "attentionScoresAgree",
        "laterKeysDoNotChangeAttention",
        "nonFiniteLaterKeysDoNotChangeAttention",
        "patternsAreCausalDistributions");
  }

  @Test
  void aShiftedMaskIsSeen() {
    assertFails(
        BrokenBackends.ShiftsTheMaskOfCachedKeys.class,
        "attentionAgrees",
        "attentionIsExactlyItsParts",
        "queriesAloneGiveTheSameAttention");
  }

  @Test
  void aTransposedWeightIsSeen() {
    assertFails(
        BrokenBackends.TransposesAWeight.class,
        "linearIsTheSameHoweverPacked",
        "packedMatricesKeepBits",
        "repackingOverwrites",
        "weightsArePackedFromFilesReadOnceInOrder");
  }

  @Test
  void aMissingEpsilonIsSeen() {
    assertFails(
        BrokenBackends.LeavesOutEpsilon.class,
        "layerNormKeepsNonFiniteValuesInTheirRow",
        "layerNormScaleAgrees");
  }

  @Test
  void aVarianceInOnePassIsSeen() {
    assertFails(
        BrokenBackends.TakesTheVarianceInOnePass.class,
        "layerNormScaleAgrees",
        "layerNormScaleSurvivesLargeMeans");
  }

  @Test
  void theOtherGeluIsSeen() {
    assertFails(
        BrokenBackends.UsesTheOtherGelu.class,
        "activationsAreTheirFormulas",
        "activationsOfEveryLengthAgree",
        "rowKernelsPropagateNonFiniteValues");
  }

  @Test
  void anElementTooManyIsSeen() {
    assertFails(
        BrokenBackends.WritesOneElementTooFar.class,
        "attentionBackwardIsExactlyItsParts",
        "attentionIsExactlyItsParts",
        "nonFiniteLaterKeysDoNotChangeAttention",
        "normalisedRowsDoNotDependOnOthers",
        "patternsAreCausalDistributions",
        "resultsInPlaceHaveTheSameBits",
        "rowKernelsAcceptNoRows",
        "rowKernelsPropagateNonFiniteValues",
        "softmaxAgrees");
  }

  @Test
  void aChangedInputIsSeen() {
    assertFails(
        BrokenBackends.ChangesAnInput.class,
        "distancesAndSquaresAgree",
        "reducedRowsDoNotDependOnOthers",
        "reductionsKeepNanInItsRow",
        "repetitionDoesNotChangeBits",
        "threadsDoNotChangeBits");
  }

  @Test
  void theOtherDirectionOfKlIsSeen() {
    assertFails(
        BrokenBackends.TakesKlInTheOtherDirection.class,
        "klAndCrossEntropyAreThoseOfEachAlone",
        "klIsDirected",
        "reductionsKeepNanInItsRow",
        "tokensRuledOutCountForNothing",
        "unembedKlAgrees");
  }

  @Test
  void lostDigitsOfKlAreSeen() {
    assertFails(
        BrokenBackends.LosesDigitsOfKl.class,
        "klAndCrossEntropyAreThoseOfEachAlone",
        "klOfEqualStreamsIsExactlyZero",
        "unembedKlAgrees");
  }

  @Test
  void resultsThatDependOnTheBatchAreSeen() {
    assertFails(
        BrokenBackends.DependsOnTheBatch.class,
        "linearAboveKeepsNan",
        "linearAboveKeepsWhatExceeds",
        "linearRowsDoNotDependOnOthers",
        "linearTopKIsASort",
        "linearTopKTakesNanLast");
  }

  @Test
  void resultsThatDependOnThreadsAreSeen() {
    assertFails(BrokenBackends.DependsOnThreads.class, "threadsDoNotChangeBits");
  }

  @Test
  void resultsThatDependOnTheCallAreSeen() {
    assertFails(
        BrokenBackends.DependsOnTheCall.class,
        "repetitionDoesNotChangeBits",
        "threadsDoNotChangeBits");
  }

  @Test
  void tiesByHighestIndexAreSeen() {
    assertFails(BrokenBackends.BreaksTiesByHighestIndex.class, "topKIsASortByValueThenIndex");
  }

  @Test
  void anInexactlyFusedAttentionIsSeen() {
    assertFails(
        BrokenBackends.FusesAttentionInexactly.class,
        "attentionIsExactlyItsParts",
        "nonFiniteLaterKeysDoNotChangeAttention");
  }

  @Test
  void multipliedMaskedValuesAreSeen() {
    assertFails(
        BrokenBackends.MultipliesMaskedValues.class, "nonFiniteLaterKeysDoNotChangeAttention");
  }

  @Test
  void anOverwrittenGradientIsSeen() {
    assertFails(
        BrokenBackends.OverwritesAGradient.class,
        "addOuterProductsAddsSums",
        "productsAcceptNoRows",
        "productsPropagateNonFiniteValues");
  }

  @Test
  void aRoundingTooManyIsSeen() {
    assertFails(BrokenBackends.RoundsTwice.class, "addScaledIsFused");
  }

  @Test
  void memoryHandedOutTwiceIsSeen() {
    assertFails(
        BrokenBackends.HandsOutMemoryTwice.class,
        "kernelsGiveTheSameBitsOnTemporaries",
        "scopeTensorsDoNotOverlap");
  }

  @Test
  void keepingWhatEqualsTheThresholdIsSeen() {
    assertFails(
        BrokenBackends.KeepsWhatEqualsTheThreshold.class,
        "linearAboveKeepsNan",
        "linearAboveKeepsWhatExceeds");
  }

  @Test
  void forgottenNanIsSeen() {
    assertFails(BrokenBackends.ForgetsNan.class, "linearAboveKeepsNan");
  }

  @Test
  void theHighestOfEqualProductsIsSeen() {
    assertFails(
        BrokenBackends.KeepsTheHighestOfEqualProducts.class,
        "linearTopKIsASort",
        "linearTopKTakesNanLast");
  }

  @Test
  void sumsOfWhatIsNotKeptAreSeen() {
    assertFails(BrokenBackends.SumsWhatIsNotKept.class, "sparseLinearReadsOnlyWhatIsKept");
  }
}

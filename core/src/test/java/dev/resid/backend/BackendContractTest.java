package dev.resid.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.resid.tensor.Backend;
import dev.resid.testing.DelegatingBackend;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.commons.support.ReflectionSupport;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

/**
 * Shows that the contract can fail: each mistake of {@link BrokenBackends} is seen by exactly the
 * tests named here. Those that never call the broken method cannot see it and are not run.
 */
@Execution(ExecutionMode.CONCURRENT)
class BackendContractTest {
  private static void assertFails(Class<? extends BackendContract> broken, String... tests) {
    Set<Method> concerned = ContractCalls.testsOf(overridden(broken));
    Events events =
        EngineTestKit.engine("junit-jupiter")
            .selectors(
                concerned.stream()
                    .map(test -> selectMethod(broken, test))
                    .toArray(DiscoverySelector[]::new))
            .execute()
            .testEvents();
    Set<String> failed =
        events
            .failed()
            .map(event -> event.getTestDescriptor().getSource().orElseThrow())
            .map(source -> ((MethodSource) source).getMethodName())
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(new TreeSet<>(Set.of(tests)), failed);
    assertEquals(concerned.size(), events.started().count(), "tests that call what is broken");
  }

  /** Returns the methods that a broken backend has of its own. */
  private static Set<String> overridden(Class<? extends BackendContract> broken) {
    BackendContract contract = ReflectionSupport.newInstance(broken);
    Set<String> methods = new TreeSet<>();
    try (Backend one = contract.open();
        Backend several = contract.open(2)) {
      for (Backend backend : List.of(one, several)) {
        for (Class<?> type = backend.getClass();
            DelegatingBackend.class.isAssignableFrom(type) && type != DelegatingBackend.class;
            type = type.getSuperclass()) {
          for (Method method : type.getDeclaredMethods()) {
            methods.add(method.getName());
          }
        }
      }
    }
    methods.remove("name");
    return methods;
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

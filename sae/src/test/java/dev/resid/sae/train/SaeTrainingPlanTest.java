package dev.resid.sae.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.train.LearningRate;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class SaeTrainingPlanTest {
  private static final HookPoint POINT = HookPoint.residPre(3);

  private static void assertRefused(String message, Executable executable) {
    String found = assertThrows(IllegalArgumentException.class, executable).getMessage();
    assertTrue(found.contains(message), found);
  }

  private static SaeTrainingPlan plan(int dSae, SaeObjective loss, int rows, int rowLength) {
    return SaeTrainingPlan.of(
        POINT, dSae, loss, new LearningRate(1e-3, 1, 9, 0.1), rows, rowLength, 1);
  }

  @Test
  void lossesOutOfRangeAreRefused() {
    assertRefused("the weight of the sparsity loss is -1.0", () -> SaeLoss.local(-1));
    assertRefused("the weight of the sparsity loss is NaN", () -> SaeLoss.endToEnd(Double.NaN));
    assertRefused("beside sparsity", () -> new SaeLoss(0, 0, 0, List.of(), 1));
    assertRefused("points after the SAE", () -> SaeLoss.downstream(POINT, 4, 1));
    assertRefused("the weight of the L1 loss is Infinity", () -> BloomLoss.published(1.0 / 0));
    assertRefused("after 0 tokens", () -> BloomLoss.published(1).withDeadAfter(0));
    assertRefused("k is 0", () -> TopKLoss.published(0));
    assertRefused("after 0 tokens", () -> TopKLoss.published(3).withDeadAfter(0));
    assertRefused("weight of its error", () -> new TopKLoss(3, TopKScale.PLAIN, 0, 1, 1));
  }

  @Test
  void plansOutOfRangeAreRefused() {
    SaeLoss loss = SaeLoss.local(1);
    assertRefused("d_sae is 0", () -> plan(0, loss, 1, 2));
    assertRefused("batch rows is 0", () -> plan(5, loss, 0, 2));
    assertRefused("row length is 1", () -> plan(5, loss, 1, 1));
    assertRefused("buffer rows is 0", () -> plan(5, loss, 1, 2).withBufferRows(0));
    assertRefused("k is 6, more than the 5 features", () -> plan(5, TopKLoss.published(6), 1, 2));
    SaeLoss before = new SaeLoss(0, 1, 1, List.of(HookPoint.residMid(2)), 1);
    assertRefused("does not come after", () -> plan(5, before, 1, 2));
  }

  @Test
  void aPlanCountsItsTokens() {
    assertEquals(3 * 7, plan(5, SaeLoss.local(1), 3, 7).tokensPerStep());
    assertEquals(9, plan(5, SaeLoss.local(1), 3, 7).withBufferRows(9).bufferRows());
  }

  @Test
  void theFactorsOfThePublishedLosses() {
    assertEquals(new SaeLoss(1, 0, 0, List.of(), 6), SaeLoss.local(6));
    assertEquals(new SaeLoss(0, 1, 0, List.of(), 1.5), SaeLoss.endToEnd(1.5));
    assertEquals(
        new SaeLoss(0, 0.5, 2.5, List.of(HookPoint.residPre(4), HookPoint.residPre(5)), 1.5),
        SaeLoss.downstream(POINT, 6, 1.5));
    assertTrue(SaeLoss.local(1).isLocal());
    assertEquals(20_480_000, BloomLoss.published(8e-5).deadAfterTokens());
  }
}

package dev.resid.hook;

import static dev.resid.tensor.Axis.BATCH;
import static dev.resid.tensor.Axis.D_HEAD;
import static dev.resid.tensor.Axis.HEAD;
import static dev.resid.tensor.Axis.POS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Interventions by themselves, without a model. */
class InterventionTest {
  private static final Shape SHAPE = Shape.of(BATCH, 2, POS, 3, HEAD, 4, D_HEAD, 2);
  private static final Tensor ONES = Tensor.zeros(SHAPE).map(x -> 1);
  private static final Intervention TWICE = (x, at) -> x.times(2);

  private static Tensor act(Intervention intervention, int firstPosition) {
    return intervention.apply(ONES, new At(HookPoint.z(1), firstPosition));
  }

  /** Checks that exactly these indices of an axis were changed, everywhere else. */
  private static void requireTwiceAt(Tensor actual, Axis axis, Integer... indices) {
    Tensor expected = ONES;
    for (int index : indices) {
      expected = expected.with(axis, index, ONES.at(axis, index).times(2));
    }
    assertArrayEquals(expected.toArray(), actual.toArray());
  }

  @Test
  void onlyTheChosenIndicesChange() {
    requireTwiceAt(act(TWICE.onlyAt(HEAD, 2), 0), HEAD, 2);
    requireTwiceAt(act(TWICE.onlyAt(HEAD, 0, 3), 0), HEAD, 0, 3);
    requireTwiceAt(act(TWICE.onlyAt(BATCH, 1), 0), BATCH, 1);
    requireTwiceAt(act(TWICE.onlyAt(POS, 1, 2), 0), POS, 1, 2);
  }

  @Test
  void nestedChoicesMeet() {
    Tensor one = act(TWICE.onlyAt(HEAD, 2).onlyAt(POS, 1), 0);
    assertEquals(2, one.get(0, 1, 2, 0));
    assertEquals(1, one.get(0, 0, 2, 0));
    assertEquals(1, one.get(0, 1, 3, 0));
  }

  @Test
  void positionsAreTrueOnesAndThoseOutsideThePassAreLeftAlone() {
    requireTwiceAt(act(TWICE.onlyAt(POS, 6), 5), POS, 1);
    requireTwiceAt(act(TWICE.onlyAt(POS, 1, 9), 5), POS);
  }

  @Test
  void anIndexThatIsNotThereIsRefusedWithPointAndShape() {
    IndexOutOfBoundsException error =
        assertThrows(IndexOutOfBoundsException.class, () -> act(TWICE.onlyAt(HEAD, 4), 0));
    assertEquals(
        "there is no head 4 at blocks.1.attn.hook_z, which is " + SHAPE, error.getMessage());
    assertThrows(IndexOutOfBoundsException.class, () -> act(TWICE.onlyAt(HEAD, -1), 0));
    assertThrows(IndexOutOfBoundsException.class, () -> act(TWICE.onlyAt(POS, -1), 0));
  }

  @Test
  void anotherShapeIsHandedOnForThePassToName() {
    Tensor small = Tensor.zeros(Shape.of(POS, 3));
    assertSame(small, act(((Intervention) (x, at) -> small).onlyAt(HEAD, 1), 0));
  }

  @Test
  void hooksOfSeveralSourcesStandInTheOrderGiven() {
    Hook first = HookPoint.z(0).replace(TWICE);
    Hook[] captures = Capture.each(HookPoint.matching(2, "blocks.*.attn.hook_z"));
    Hook[] all = Hook.join(new Hook[] {first}, captures);
    assertEquals(List.of(first, HookPoint.z(0).capture(), HookPoint.z(1).capture()), List.of(all));
  }
}

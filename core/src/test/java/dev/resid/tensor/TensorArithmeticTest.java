package dev.resid.tensor;

import static dev.resid.tensor.Axis.BATCH;
import static dev.resid.tensor.Axis.D_HEAD;
import static dev.resid.tensor.Axis.D_MODEL;
import static dev.resid.tensor.Axis.D_VOCAB;
import static dev.resid.tensor.Axis.HEAD;
import static dev.resid.tensor.Axis.OUT;
import static dev.resid.tensor.Axis.POS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Tensors match their axes by name. Sizes differ, so that no axis can stand for another. */
class TensorArithmeticTest {
  private static final Tensor STREAM = counted(Shape.of(BATCH, 2, POS, 3, D_MODEL, 4));

  /** Returns 0, 1, 2, … in a shape. */
  private static Tensor counted(Shape shape) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return Tensor.wrap(shape, values);
  }

  @Test
  void aVectorIsAddedAtEveryPosition() {
    Tensor vector = Tensor.of(Shape.of(D_MODEL, 4), 100, 200, 300, 400);
    Tensor sum = STREAM.plus(vector);
    assertEquals(STREAM.shape(), sum.shape());
    assertEquals(STREAM.get(1, 2, 1) + 200, sum.get(1, 2, 1));
    assertEquals(STREAM.get(0, 1, 3) - 400, STREAM.minus(vector).get(0, 1, 3));
    assertEquals(STREAM.get(1, 0, 2) * 300, STREAM.times(vector).get(1, 0, 2));
  }

  @Test
  void anOuterAxisIsMatchedByItsNameWhateverTheOrder() {
    Tensor byPosition = Tensor.of(Shape.of(POS, 3), 10, 20, 30);
    assertEquals(STREAM.get(1, 2, 1) * 30, STREAM.times(byPosition).get(1, 2, 1));
    Tensor turned = counted(Shape.of(D_MODEL, 4, POS, 3));
    assertEquals(STREAM.get(1, 2, 1) + turned.get(1, 2), STREAM.plus(turned).get(1, 2, 1));
  }

  @Test
  void anAxisThatIsNotThereOrOfAnotherSizeIsRefusedWithBothShapes() {
    for (Shape wrong : List.of(Shape.of(D_HEAD, 4), Shape.of(D_MODEL, 5))) {
      String message =
          assertThrows(ShapeMismatchException.class, () -> STREAM.plus(Tensor.zeros(wrong)))
              .getMessage();
      assertTrue(message.contains("[batch=2, pos=3, d_model=4] and " + wrong), message);
    }
  }

  @Test
  void aProductSumsOverItsAxisAndAppendsWhatTheOtherHasAlone() {
    Tensor matrix = counted(Shape.of(D_MODEL, 4, D_VOCAB, 5));
    Tensor logits = STREAM.dot(matrix, D_MODEL);
    assertEquals(Shape.of(BATCH, 2, POS, 3, D_VOCAB, 5), logits.shape());
    double expected = 0;
    for (int c = 0; c < 4; c++) {
      expected += (double) STREAM.get(1, 2, c) * matrix.get(c, 3);
    }
    assertEquals((float) expected, logits.get(1, 2, 3));
  }

  @Test
  void anAxisThatIsNotTheLastIsSummedOverToo() {
    Tensor weighted = STREAM.dot(Tensor.of(Shape.of(POS, 3), 1, 10, 100), POS);
    assertEquals(Shape.of(BATCH, 2, D_MODEL, 4), weighted.shape());
    assertEquals(
        STREAM.get(1, 0, 2) + 10 * STREAM.get(1, 1, 2) + 100 * STREAM.get(1, 2, 2),
        weighted.get(1, 2));
  }

  @Test
  void anAxisThatBothHaveIsMatchedUnlessItIsRenamed() {
    Tensor z = counted(Shape.of(POS, 2, HEAD, 3, D_HEAD, 2));
    Tensor writing = counted(Shape.of(HEAD, 3, D_HEAD, 2, D_MODEL, 4));
    Tensor result = z.dot(writing, D_HEAD);
    assertEquals(Shape.of(POS, 2, HEAD, 3, D_MODEL, 4), result.shape());
    assertEquals(
        z.get(1, 2, 0) * writing.get(2, 0, 3) + z.get(1, 2, 1) * writing.get(2, 1, 3),
        result.get(1, 2, 3));
    Tensor reading = writing.renamed(D_MODEL, OUT);
    assertEquals(Shape.of(HEAD, 3, D_MODEL, 4, OUT, 4), writing.dot(reading, D_HEAD).shape());
    assertEquals(Shape.of(HEAD, 3, D_MODEL, 4), writing.dot(writing, D_HEAD).shape());
  }

  @Test
  void aProductOfAnAxisInTwoSizesIsRefused() {
    Tensor narrow = Tensor.zeros(Shape.of(D_MODEL, 3));
    assertThrows(ShapeMismatchException.class, () -> STREAM.dot(narrow, D_MODEL));
    Tensor longer = Tensor.zeros(Shape.of(POS, 4, D_MODEL, 4));
    assertThrows(ShapeMismatchException.class, () -> STREAM.dot(longer, D_MODEL));
    assertThrows(
        ShapeMismatchException.class, () -> STREAM.dot(Tensor.zeros(Shape.of(POS, 3)), D_MODEL));
  }

  @Test
  void sumMeanAndLengthLeaveTheirAxisOut() {
    Tensor two = Tensor.of(Shape.of(POS, 2, D_MODEL, 2), 3, 4, -6, 8);
    assertEquals(Shape.of(POS, 2), two.norm(D_MODEL).shape());
    assertArrayEquals(new float[] {5, 10}, two.norm(D_MODEL).toArray());
    assertArrayEquals(new float[] {-3, 12}, two.sum(POS).toArray());
    assertArrayEquals(new float[] {-1.5f, 6}, two.mean(POS).toArray());
    assertEquals(9, two.sum(POS).sum(D_MODEL).get());
  }

  @Test
  void sumsAreRoundedOnce() {
    Tensor x = Tensor.of(Shape.of(D_MODEL, 3), 1e8f, 1, -1e8f);
    assertEquals(1, x.sum(D_MODEL).get());
    assertEquals(1, x.dot(Tensor.of(x.shape(), 1, 1, 1), D_MODEL).get());
  }

  @Test
  void whatIsStackedComesApartAgain() {
    List<Tensor> parts = List.of(STREAM.at(BATCH, 0), STREAM.at(BATCH, 1));
    assertTrue(Tensor.stack(BATCH, parts).sameBits(STREAM));
    Tensor other = STREAM.at(POS, 0);
    assertThrows(
        ShapeMismatchException.class,
        () -> Tensor.stack(HEAD, List.of(STREAM.at(BATCH, 0), other)));
    assertThrows(IllegalArgumentException.class, () -> Tensor.stack(HEAD, List.of()));
  }

  @Test
  void anIndexOutsideNamesAxisAndShape() {
    String shape = " in [batch=2, pos=3, d_model=4]";
    assertEquals("there is no pos 3" + shape, message(() -> STREAM.at(POS, 3)));
    assertEquals("there is no d_model 9" + shape, message(() -> STREAM.get(0, 1, 9)));
    assertEquals(
        "there is no batch 2" + shape, message(() -> STREAM.with(BATCH, 2, STREAM.at(BATCH, 0))));
    assertEquals("pos 1 to before 7 is no range" + shape, message(() -> STREAM.slice(POS, 1, 7)));
    assertEquals(
        "there is no pos -1" + shape + "; indices are counted from 0, never from the end",
        message(() -> STREAM.at(POS, -1)));
  }

  private static String message(Runnable wrong) {
    return assertThrows(IndexOutOfBoundsException.class, wrong::run).getMessage();
  }
}

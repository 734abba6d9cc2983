package dev.resid.backend.vector;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Products that are larger than the blocks they are computed in: more terms than DEPTH and twice
 * that, more rows than a call of several parts takes at a time, more columns than a group and than
 * SHARED_COLUMNS. The contract's sizes lie below all of these.
 */
class LargeProductTest {
  /** A size: rows, inner, columns. */
  private record Size(int rows, int in, int out) {
    Shape x() {
      return Shape.of(Axis.ROW, rows, Axis.IN, in);
    }

    Shape w() {
      return Shape.of(Axis.IN, in, Axis.OUT, out);
    }

    Shape y() {
      return Shape.of(Axis.ROW, rows, Axis.OUT, out);
    }

    Shape bias() {
      return Shape.of(Axis.OUT, out);
    }
  }

  private static final List<Size> SIZES =
      List.of(
          new Size(9, 1030, 530),
          new Size(197, 260, 70),
          new Size(101, 3090, 40),
          new Size(400, 30, 300),
          new Size(412, 800, 290),
          new Size(1040, 780, 400),
          new Size(14, 20, 3100),
          new Size(3, 1300, 600),
          new Size(1, 70, 6310));

  private final Cases cases = Cases.ofThisRun();

  private Tensor draw(Shape shape) {
    return cases.tensor(shape, Cases.Values.ORDINARY);
  }

  private TensorAssert check(String operation, Size size) {
    return new TensorAssert("vector", operation + " of " + size, cases.seed());
  }

  @Test
  void linearAgreesWithTheReference() {
    try (Backend vector = VectorBackend.open(BackendOptions.defaults());
        Backend scalar = new ScalarBackend()) {
      for (Size n : SIZES) {
        Tensor x = draw(n.x());
        Tensor w = draw(n.w());
        Tensor bias = draw(n.bias());
        Tensor expected = linear(scalar, n, x, w, bias);
        Tensor magnitudes =
            linear(scalar, n, x.map(Math::abs), w.map(Math::abs), bias.map(Math::abs));
        check("linear", n)
            .close(expected, linear(vector, n, x, w, bias), Tolerance.sums(n.in, magnitudes));
      }
    }
  }

  private static Tensor linear(Backend backend, Size n, Tensor x, Tensor w, Tensor bias) {
    Tensor out = Tensor.zeros(n.y());
    backend.linear(x, backend.pack(w), bias, Activation.IDENTITY, out);
    return out;
  }

  @Test
  void gradientsAgreeWithTheReference() {
    try (Backend vector = VectorBackend.open(BackendOptions.defaults());
        Backend scalar = new ScalarBackend()) {
      for (Size n : SIZES) {
        Tensor x = draw(n.x());
        Tensor w = draw(n.w());
        Tensor dOut = draw(n.y());
        Tensor[] expected = gradients(scalar, n, x, w, dOut);
        Tensor[] magnitudes =
            gradients(scalar, n, x.map(Math::abs), w.map(Math::abs), dOut.map(Math::abs));
        Tensor[] actual = gradients(vector, n, x, w, dOut);
        check("linearBackwardInput", n)
            .close(expected[0], actual[0], Tolerance.sums(n.out, magnitudes[0]));
        check("addOuterProducts", n)
            .close(expected[1], actual[1], Tolerance.sums(n.rows, magnitudes[1]));
      }
    }
  }

  private static Tensor[] gradients(Backend backend, Size n, Tensor x, Tensor w, Tensor dOut) {
    Tensor dX = Tensor.zeros(n.x());
    Tensor dW = Tensor.zeros(n.w());
    backend.linearBackwardInput(dOut, backend.pack(w), dX);
    backend.addOuterProducts(x, dOut, dW);
    return new Tensor[] {dX, dW};
  }

  @Test
  void oneRowAloneHasTheSameBits() {
    try (Backend vector = VectorBackend.open(BackendOptions.defaults())) {
      for (Size n : SIZES) {
        Tensor x = draw(n.x());
        Tensor bias = draw(n.bias());
        Matrix w = vector.pack(draw(n.w()));
        Tensor all = Tensor.zeros(n.y());
        vector.linear(x, w, bias, Activation.GELU_NEW, all);
        for (int r = 0; r < n.rows; r += 1 + n.rows / 5) {
          Tensor alone = Tensor.zeros(new Size(1, n.in, n.out).y());
          vector.linear(x.slice(Axis.ROW, r, r + 1), w, bias, Activation.GELU_NEW, alone);
          check("row " + r + " alone", n).sameBits(all.slice(Axis.ROW, r, r + 1), alone);
        }
      }
    }
  }

  @Test
  void threadsDoNotChangeBits() {
    for (Size n : SIZES) {
      Tensor x = draw(n.x());
      Tensor w = draw(n.w());
      Tensor bias = draw(n.bias());
      Tensor[] expected = all(1, n, x, w, bias);
      for (int threads : new int[] {2, 3, 7}) {
        Tensor[] actual = all(threads, n, x, w, bias);
        for (int i = 0; i < expected.length; i++) {
          check("product " + i + " with " + threads + " threads", n)
              .sameBits(expected[i], actual[i]);
        }
      }
    }
  }

  private static Tensor[] all(int threads, Size n, Tensor x, Tensor w, Tensor bias) {
    try (Backend vector = VectorBackend.open(BackendOptions.defaults().withThreads(threads))) {
      Tensor y = linear(vector, n, x, w, bias);
      Tensor[] gradients = gradients(vector, n, x, w, y);
      return new Tensor[] {y, gradients[0], gradients[1]};
    }
  }
}

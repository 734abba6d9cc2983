package dev.resid.backend.vector;

import dev.resid.backend.BackendOptions;
import dev.resid.tensor.Activation;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import dev.resid.testing.TensorAssert;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several threads that use one backend get the bits that one of them gets alone. */
@Timeout(120)
class ConcurrentCallersTest {
  private static final int CALLERS = 4;
  private static final int REPEATS = 20;
  private static final Shape QUERIES =
      Shape.of(Axis.BATCH, 2, Axis.POS, 19, Axis.HEAD, 3, Axis.D_HEAD, 16);

  private final Cases cases = Cases.ofThisRun();
  private final Tensor x = draw(Shape.of(Axis.ROW, 61, Axis.IN, 300));
  private final Tensor w = draw(Shape.of(Axis.IN, 300, Axis.OUT, 130));
  private final Tensor bias = draw(Shape.of(Axis.OUT, 130));
  private final Tensor q = draw(QUERIES);

  private Tensor draw(Shape shape) {
    return cases.tensor(shape, Cases.Values.ORDINARY);
  }

  @Test
  void callersDoNotDisturbEachOther() throws Exception {
    try (Backend backend = VectorBackend.open(BackendOptions.defaults().withThreads(3));
        ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
      Matrix matrix = backend.pack(w);
      List<Tensor> expected = results(backend, matrix);
      List<Future<List<Tensor>>> all = new ArrayList<>();
      for (int i = 0; i < CALLERS * REPEATS; i++) {
        all.add(callers.submit(() -> results(backend, matrix)));
      }
      for (Future<List<Tensor>> one : all) {
        List<Tensor> actual = one.get();
        for (int i = 0; i < expected.size(); i++) {
          new TensorAssert("vector", "result " + i + " among others", cases.seed())
              .sameBits(expected.get(i), actual.get(i));
        }
      }
    }
  }

  private List<Tensor> results(Backend backend, Matrix matrix) {
    Tensor y = Tensor.zeros(Shape.of(Axis.ROW, 61, Axis.OUT, 130));
    backend.linear(x, matrix, bias, Activation.GELU, y);
    Tensor dX = Tensor.zeros(x.shape());
    backend.linearBackwardInput(y, matrix, dX);
    Tensor dW = Tensor.zeros(w.shape());
    backend.addOuterProducts(x, y, dW);
    Tensor z = Tensor.zeros(QUERIES);
    AttentionSpec spec = new AttentionSpec(0.25, 0);
    backend.attention(q, q, q, spec, z);
    Tensor[] gradients = {Tensor.zeros(QUERIES), Tensor.zeros(QUERIES), Tensor.zeros(QUERIES)};
    backend.attentionBackward(z, q, q, q, spec, gradients[0], gradients[1], gradients[2]);
    double[] kl = backend.unembedKl(x, dX, matrix, bias);
    Tensor klTensor = Tensor.zeros(Shape.of(Axis.ROW, kl.length));
    for (int r = 0; r < kl.length; r++) {
      klTensor = klTensor.with(Axis.ROW, r, Tensor.of(Shape.of(), (float) kl[r]));
    }
    return List.of(y, dX, dW, z, gradients[0], gradients[1], gradients[2], klTensor);
  }
}

package dev.resid.backend.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.tensor.Activation;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import dev.resid.testing.Cases.Values;
import dev.resid.testing.TensorAssert;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** First passes have the bits of later ones, and end. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FirstPassesTest {
  private static final float[] SPECIAL = {
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    0f,
    -0f,
    88.8f,
    -103f,
    -104.5f
  };

  private final Cases cases = Cases.ofThisRun();
  private Backend plain;
  private Backend vectors;

  @BeforeAll
  void open() {
    plain = VectorBackend.open(BackendOptions.defaults(), Long.MAX_VALUE);
    vectors = VectorBackend.open(BackendOptions.defaults(), 0);
  }

  @AfterAll
  void close() {
    plain.close();
    vectors.close();
  }

  private void sameBits(String operation, Tensor expected, Tensor actual) {
    new TensorAssert("plain", operation, cases.seed()).sameBits(expected, actual);
  }

  private Tensor draw(Shape shape) {
    return cases.tensor(shape, Values.MIXED);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 7, 1, RELU",
    "1, 768, 2304, IDENTITY",
    "1, 40, 6310, GELU_NEW",
    "2, 65, 33, GELU_NEW",
    "3, 64, 32, GELU_FAST",
    "8, 130, 1000, GELU_NEW",
    "13, 1030, 530, RELU",
    "64, 20, 3100, IDENTITY"
  })
  void products(int rows, int in, int out, Activation f) {
    Tensor x = draw(Shape.of(Axis.ROW, rows, Axis.IN, in));
    Tensor w = draw(Shape.of(Axis.IN, in, Axis.OUT, out));
    Tensor bias = draw(Shape.of(Axis.OUT, out));
    Tensor[] results = new Tensor[2];
    for (int i = 0; i < 2; i++) {
      Backend backend = i == 0 ? vectors : plain;
      results[i] = Tensor.zeros(Shape.of(Axis.ROW, rows, Axis.OUT, out));
      backend.linear(x, backend.pack(w), bias, f, results[i]);
    }
    sameBits(f + " of a product", results[0], results[1]);
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activations(Activation f) {
    Shape shape = Shape.of(Axis.ROW, 3, Axis.D_MLP, 2050);
    float[] values = cases.values(3 * 2050, Values.MIXED);
    System.arraycopy(SPECIAL, 0, values, 40, SPECIAL.length);
    for (int i = 0; i < 2050; i++) {
      values[4100 + i] = (i - 1025) / 10f;
    }
    Tensor x = Tensor.wrap(shape, values);
    Tensor expected = Tensor.zeros(shape);
    Tensor actual = Tensor.zeros(shape);
    vectors.activate(x, f, expected);
    plain.activate(x, f, actual);
    sameBits(f.name(), expected, actual);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 31", "3, 768", "7, 1031"})
  void layerNorms(int rows, int width) {
    Shape shape = Shape.of(Axis.ROW, rows, Axis.D_MODEL, width);
    Tensor x = draw(shape);
    Tensor gamma = draw(Shape.of(Axis.D_MODEL, width));
    Tensor beta = draw(Shape.of(Axis.D_MODEL, width));
    Tensor expected = Tensor.zeros(Shape.of(Axis.ROW, rows));
    Tensor scale = Tensor.zeros(expected.shape());
    vectors.layerNormScale(x, 1e-5, expected);
    plain.layerNormScale(x, 1e-5, scale);
    sameBits("layerNormScale", expected, scale);
    sameNorms(x, scale, gamma, beta);
    // What is left when the bias takes the rest away is the rounding of the product.
    Tensor one = x.slice(Axis.ROW, 0, 1);
    Tensor most = Tensor.zeros(one.shape());
    vectors.layerNormApply(one, scale.slice(Axis.ROW, 0, 1), gamma, zeros(width), most);
    Tensor opposite = Tensor.wrap(beta.shape(), most.map(value -> -value).toArray());
    sameNorms(one, scale.slice(Axis.ROW, 0, 1), gamma, opposite);
  }

  private static Tensor zeros(int width) {
    return Tensor.zeros(Shape.of(Axis.D_MODEL, width));
  }

  private void sameNorms(Tensor x, Tensor scale, Tensor gamma, Tensor beta) {
    Tensor expected = Tensor.zeros(x.shape());
    Tensor actual = Tensor.zeros(x.shape());
    vectors.layerNormApply(x, scale, gamma, beta, expected);
    plain.layerNormApply(x, scale, gamma, beta, actual);
    sameBits("layerNormApply", expected, actual);
  }

  @Test
  void softmaxOfDistantValues() {
    for (int n : new int[] {1, 15, 16, 40, 1031}) {
      float[] x = new float[n];
      for (int i = 0; i < n; i++) {
        x[i] = i == n / 2 ? 3f : 3f - 110f * i / n;
      }
      float[] expected = x.clone();
      RowKernels.softmax(x, 0, expected, 0, n);
      PlainKernels.softmax(x, 0, n);
      Shape shape = Shape.of(Axis.KEY_POS, n);
      sameBits("softmax", Tensor.wrap(shape, expected), Tensor.wrap(shape, x));
    }
  }

  @Test
  void aWeightOfZeroHidesAnInfinity() {
    Shape queries = Shape.of(Axis.BATCH, 1, Axis.POS, 2, Axis.HEAD, 1, Axis.D_HEAD, 2);
    Shape keys = Shape.of(Axis.BATCH, 1, Axis.KEY_POS, 2, Axis.HEAD, 1, Axis.D_HEAD, 2);
    Tensor q = Tensor.wrap(queries, new float[] {1, 0, 1, 0});
    Tensor k = Tensor.wrap(keys, new float[] {0, 0, 300, 0});
    Tensor v = Tensor.wrap(keys, new float[] {Float.POSITIVE_INFINITY, Float.NaN, 5, 6});
    Tensor expected = Tensor.zeros(queries);
    Tensor actual = Tensor.zeros(queries);
    vectors.attention(q, k, v, new AttentionSpec(1, 0), expected);
    plain.attention(q, k, v, new AttentionSpec(1, 0), actual);
    sameBits("attention", expected, actual);
    assertEquals(5f, actual.toArray()[2]);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 8, 0", "2, 3, 5, 20, 0", "1, 12, 3, 64, 30", "2, 1, 2, 64, 40"})
  void attention(int batch, int queries, int heads, int width, int earlier) {
    Tensor q =
        draw(Shape.of(Axis.BATCH, batch, Axis.POS, queries, Axis.HEAD, heads, Axis.D_HEAD, width));
    Shape keys =
        Shape.of(
            Axis.BATCH,
            batch,
            Axis.KEY_POS,
            earlier + queries,
            Axis.HEAD,
            heads,
            Axis.D_HEAD,
            width);
    Tensor k = cases.tensor(keys, Values.ORDINARY);
    Tensor v = draw(keys);
    AttentionSpec spec = new AttentionSpec(1 / Math.sqrt(width), earlier);
    Tensor expected = Tensor.zeros(q.shape());
    Tensor actual = Tensor.zeros(q.shape());
    vectors.attention(q, k, v, spec, expected);
    plain.attention(q, k, v, spec, actual);
    sameBits("attention", expected, actual);
  }

  @Test
  void theyEndWhenTheirTimeIsSpent() {
    FirstPasses first = new FirstPasses(100);
    assertTrue(first.take(1, 60));
    assertFalse(first.take(1, 60), "more than is left");
    assertTrue(first.take(1, 40), "what is left");
    assertFalse(first.take(1, 1), "nothing is left");
  }

  @Test
  void manyRowsBeginWithVectors() {
    FirstPasses first = new FirstPasses(100);
    assertTrue(first.take(64, 1));
    assertFalse(first.take(65, 1));
  }
}

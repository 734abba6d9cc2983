package dev.resid.sae.io;

import static dev.resid.sae.io.Numbers.D_IN;
import static dev.resid.sae.io.Numbers.D_SAE;
import static dev.resid.sae.io.Numbers.ROWS;
import static dev.resid.sae.io.Numbers.flat;
import static dev.resid.sae.io.Numbers.normal;
import static dev.resid.sae.io.Numbers.plus;
import static dev.resid.sae.io.Numbers.rows;
import static dev.resid.sae.io.Numbers.times;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.sae.Sae;
import dev.resid.sae.io.PtFile.Values;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A small SAE in the files of another library, and that library's formulas. */
abstract class LibraryCase {
  /** d_sae rows of width d_in, as PyTorch's encoder has it. */
  static final float[] ENCODER = normal(1, D_SAE * D_IN);

  /** d_in rows of width d_sae, as PyTorch's decoder has it. */
  static final float[] DECODER = normal(2, D_IN * D_SAE);

  static final float[] B_ENC = normal(3, D_SAE);

  static final float[] B_DEC = normal(4, D_IN);

  static final float[] EXTRA = normal(5, D_SAE);

  static final float[] MORE = normal(6, D_SAE);

  /** Float32 products of at most nine terms, in the order of tens, a few times over. */
  private static final Tolerance CLOSE = Tolerance.within(2e-5, 2e-5);

  @TempDir Path temp;

  Backend backend;

  /** One library's forward pass of one row. */
  @FunctionalInterface
  interface Forward {
    /** Returns features and reconstruction. */
    double[][] apply(double[] x);
  }

  @BeforeEach
  void open() {
    backend = Backends.named("scalar");
  }

  @AfterEach
  void close() {
    backend.close();
  }

  static Map<String, Object> linear() {
    Map<String, Object> tensors = new HashMap<>();
    tensors.put("encoder.weight", Values.floats(new int[] {D_SAE, D_IN}, ENCODER));
    tensors.put("decoder.weight", Values.floats(new int[] {D_IN, D_SAE}, DECODER));
    return tensors;
  }

  static double[] preActivations(double[] x) {
    return plus(times(rows(ENCODER, D_IN), plus(x, B_DEC, -1)), B_ENC, 1);
  }

  static double[][] standard(double[] x) {
    double[] f = relu(preActivations(x));
    return new double[][] {f, plus(times(rows(DECODER, D_SAE), f), B_DEC, 1)};
  }

  static double[] relu(double[] values) {
    return Arrays.stream(values).map(v -> Math.max(v, 0)).toArray();
  }

  static double[] topK(double[] values, int k) {
    TreeSet<Double> kept = new TreeSet<>();
    Arrays.stream(values).forEach(kept::add);
    while (kept.size() > k) {
      kept.pollFirst();
    }
    return Arrays.stream(values).map(v -> kept.contains(v) ? Math.max(v, 0) : 0).toArray();
  }

  static Tensor matrix(float[] values, int rows, int columns) {
    return Tensor.wrap(Shape.of(Axis.ROW, rows, Axis.OUT, columns), values);
  }

  static Tensor vector(float[] values) {
    return Tensor.wrap(Shape.of(Axis.OUT, values.length), values);
  }

  void requireSame(Sae sae, Forward library) {
    Tensor x = Numbers.activations();
    double[][] inputs = rows(x.toArray(), D_IN);
    double[][] features = new double[ROWS][];
    double[][] outputs = new double[ROWS][];
    int active = 0;
    for (int r = 0; r < ROWS; r++) {
      double[][] both = library.apply(inputs[r]);
      features[r] = both[0];
      outputs[r] = both[1];
      active += (int) Arrays.stream(features[r]).filter(v -> v > 0).count();
    }
    assertTrue(active > ROWS && active < ROWS * D_SAE, "a telling case has some active features");
    TensorAssert check = new TensorAssert("scalar", sae.config().name(), 20);
    check.close(flat(features), sae.encode(x).toDense(), CLOSE);
    check.close(flat(outputs), sae.reconstruct(x), CLOSE);
  }
}

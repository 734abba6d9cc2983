package dev.resid.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendContract;
import dev.resid.backend.Precision;
import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import java.util.Locale;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * The contract on a real GPU. Runs where somebody says that there is one, by {@code
 * -Dresid.cuda.test=gpu}, and then fails without one.
 */
@EnabledIfSystemProperty(named = "resid.cuda.test", matches = "gpu")
class CudaContractTest {
  @Nested
  class OwnKernels extends With {
    @Override
    String products() {
      return "kernels";
    }
  }

  @Nested
  class ForeignCublas extends Cublas {
    @Override
    String products() {
      return "foreign";
    }
  }

  @Nested
  @EnabledIfSystemProperty(named = "resid.cuda.test.jcublas", matches = "yes")
  class JcudaCublas extends Cublas {
    @Override
    String products() {
      return "jcuda";
    }
  }

  /**
   * cuBLAS picks its kernels by shape, so that a row's bits depend on how many share the call: the
   * tests of that promise, which CPU backends make, are left out. They are overridden without the
   * annotation that makes them tests.
   */
  abstract static class Cublas extends With {
    @Override
    public void linearRowsDoNotDependOnOthers() {}

    @Override
    public void reducedRowsDoNotDependOnOthers() {}

    @Override
    public void sparseRowsDoNotDependOnOthers() {}

    @Override
    public void klRepeatsTheBaseForEveryRun() {}
  }

  abstract static class With extends BackendContract {
    private Backend opened;
    private int outputs;

    abstract String products();

    @Override
    protected Backend open() {
      opened = ProductsTest.open(products(), Precision.FP32);
      return opened;
    }

    @Override
    protected Backend open(int threads) {
      return open();
    }

    @Override
    protected Tensor output(Shape shape) {
      return outputs++ % 2 == 0 ? opened.allocate(shape) : null;
    }
  }

  /** TF32 has ten bits of mantissa: errors are larger than in float32 and below 2⁻¹⁰ of Σ|a·b|. */
  @Test
  void tf32IsOffByDefaultAndItsErrorsAreAsExpected(TestReporter reporter) {
    Cases cases = Cases.ofThisRun();
    StringBuilder table =
        new StringBuilder("terms, fp32 error, tf32 error (of the sum of |a·b|)\n");
    for (int terms : new int[] {64, 768, 3072}) {
      Tensor x = cases.tensor(Shape.of(Axis.ROW, 128, Axis.IN, terms), Cases.Values.ORDINARY);
      Tensor w = cases.tensor(Shape.of(Axis.IN, terms, Axis.OUT, 256), Cases.Values.ORDINARY);
      double fp32 = error(Precision.FP32, x, w);
      double tf32 = error(Precision.TF32, x, w);
      table.append(String.format(Locale.ROOT, "%d, %.2e, %.2e%n", terms, fp32, tf32));
      assertTrue(fp32 < terms * 0x1p-24, () -> "fp32 has an error of " + fp32);
      assertTrue(tf32 < 0x1p-9, () -> "tf32 has an error of " + tf32);
      assertTrue(tf32 > 4 * fp32, "tf32 is as exact as fp32: it was not used");
    }
    reporter.publishEntry("TF32", table.toString());
  }

  private static double error(Precision precision, Tensor x, Tensor w) {
    Shape shape = Shape.of(Axis.ROW, 128, Axis.OUT, 256);
    Tensor bias = Tensor.zeros(Shape.of(Axis.OUT, 256));
    try (Backend cuda = ProductsTest.open("foreign", precision);
        Backend scalar = new ScalarBackend()) {
      Tensor actual = cuda.allocate(shape);
      cuda.linear(x, cuda.pack(w), bias, Activation.IDENTITY, actual);
      Tensor expected = scalar.allocate(shape);
      scalar.linear(x, scalar.pack(w), bias, Activation.IDENTITY, expected);
      Tensor magnitudes = scalar.allocate(shape);
      scalar.linear(
          x.map(Math::abs), scalar.pack(w.map(Math::abs)), bias, Activation.IDENTITY, magnitudes);
      float[] a = actual.toArray();
      float[] e = expected.toArray();
      float[] m = magnitudes.toArray();
      double largest = 0;
      for (int i = 0; i < a.length; i++) {
        largest = Math.max(largest, Math.abs(a[i] - e[i]) / m[i]);
      }
      return largest;
    }
  }
}

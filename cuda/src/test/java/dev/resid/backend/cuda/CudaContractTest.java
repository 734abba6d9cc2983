package dev.resid.backend.cuda;

import dev.resid.backend.BackendContract;
import dev.resid.backend.Precision;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
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

  /** The table that gpu-check.sh shows. */
  @Test
  void tf32IsOffByDefaultAndItsErrorsAreAsExpected(TestReporter reporter) {
    Tf32Errors errors = Tf32Errors.measure(128, 256, 64, 768, 3072);
    reporter.publishEntry("TF32", errors.table());
    errors.requireAsExpected();
  }
}

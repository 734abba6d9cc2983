package dev.resid.backend.cuda;

import dev.resid.backend.BackendContract;
import dev.resid.backend.BackendOptions;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/**
 * The contract on the emulated GPU, with each of the three ways to multiply matrices; threads take
 * turns in a mixed order, so that most barriers that are missing show. Two of the ways only in the
 * profile {@code cuda-emulation}: what differs there, other tests of the default build see too.
 */
class EmulatedContractTest {
  @BeforeAll
  static void requireEmulation() {
    EmulatedGpu.require().repair();
  }

  @Nested
  @Tag("emulation")
  class OwnKernels extends With {
    @Override
    String products() {
      return "kernels";
    }
  }

  @Nested
  class JcudaCublas extends With {
    @Override
    String products() {
      return "jcuda";
    }
  }

  @Nested
  @Tag("emulation")
  class ForeignCublas extends With {
    @Override
    String products() {
      return "foreign";
    }
  }

  abstract static class With extends BackendContract {
    private Backend opened;

    abstract String products();

    @Override
    protected Backend open() {
      System.setProperty(BlasChoice.PROPERTY, products());
      EmulatedGpu.require().order(EmulatedGpu.Order.MIXED);
      try {
        opened = new CudaBackendProvider().open(BackendOptions.defaults());
        return opened;
      } finally {
        System.clearProperty(BlasChoice.PROPERTY);
      }
    }

    @Override
    protected Backend open(int threads) {
      return open();
    }

    // Every other test case writes to the device, the others to guarded arrays on the host.
    private int outputs;

    @Override
    protected Tensor output(Shape shape) {
      return outputs++ % 2 == 0 ? opened.allocate(shape) : null;
    }

    @AfterEach
    void guardsOnTheDeviceAreWhole() {
      EmulatedGpu.require().inUse();
    }
  }
}

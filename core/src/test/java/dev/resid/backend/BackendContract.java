package dev.resid.backend;

import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * What every backend has to keep, checked against the scalar one. A backend's test extends this
 * class and says how it is opened; the tests come from the interfaces, one for each group of
 * kernels. {@code BackendContractTest} shows that they can fail.
 */
public abstract class BackendContract
    implements RowContract,
        LayerNormContract,
        ProductContract,
        SparseContract,
        AttentionContract,
        AttentionGradientContract,
        ReductionContract,
        BitwiseContract,
        HousekeepingContract {
  private Backend backend;
  private ContractBench bench;

  /** Returns a new backend as most tests use it. */
  protected abstract Backend open();

  /**
   * Returns a new backend with a number of threads; one that has no threads ignores it.
   *
   * @param threads at least 1
   */
  protected abstract Backend open(int threads);

  /**
   * Returns an output tensor for the backend, or null for one on the host with guard values behind
   * it. A device backend that writes only to its own memory overrides this.
   *
   * @param shape its shape
   */
  protected Tensor output(Shape shape) {
    return null;
  }

  @Override
  public final ContractBench bench() {
    return bench;
  }

  /** Opens the backend. */
  @BeforeEach
  public final void openBackend() {
    backend = open();
    bench = new ContractBench(backend, this::open, this::output);
  }

  /** Closes the backend and checks that inputs and guards are as they were. */
  @AfterEach
  public final void closeBackend() {
    backend.close();
    bench.verifyOperands();
  }
}

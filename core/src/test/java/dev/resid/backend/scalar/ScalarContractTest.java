package dev.resid.backend.scalar;

import dev.resid.backend.BackendContract;
import dev.resid.tensor.Backend;

/** The contract on the reference itself: it keeps every promise that is not a comparison. */
class ScalarContractTest extends BackendContract {
  @Override
  protected Backend open() {
    return new ScalarBackend();
  }

  @Override
  protected Backend open(int threads) {
    return new ScalarBackend();
  }
}

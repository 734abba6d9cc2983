package dev.resid.backend.cuda;

import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Begins and ends calls of kernels on one device.
 *
 * @param device where they run
 */
record Calls(Device device) {
  /** Does work whose outputs may be on the host. */
  void run(Consumer<Call> work) {
    try (Call call = new Call(device)) {
      work.accept(call);
      call.finish();
    }
  }

  /** Returns what the work returns. */
  <T> T get(Function<Call, T> work) {
    try (Call call = new Call(device)) {
      return work.apply(call);
    }
  }
}

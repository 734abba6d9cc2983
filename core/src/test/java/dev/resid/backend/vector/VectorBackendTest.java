package dev.resid.backend.vector;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.resid.backend.BackendContract;
import dev.resid.backend.BackendOptions;
import dev.resid.tensor.Backend;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/**
 * The contract at every vector width, and once more without vectors, as first passes are computed.
 * A width beyond that of the machine is skipped: it would run, but through boxed objects and for
 * minutes.
 */
class VectorBackendTest {
  @Nested
  class Bits128 extends AtWidth {
    @Override
    int bits() {
      return 128;
    }
  }

  @Nested
  class Bits256 extends AtWidth {
    @BeforeAll
    static void requireWidth() {
      requireBits(256);
    }

    @Override
    int bits() {
      return 256;
    }
  }

  @Nested
  class Bits512 extends AtWidth {
    @BeforeAll
    static void requireWidth() {
      requireBits(512);
    }

    @Override
    int bits() {
      return 512;
    }
  }

  @Nested
  class PlainBits128 extends Plain {
    @Override
    int bits() {
      return 128;
    }
  }

  @Nested
  class PlainBits256 extends Plain {
    @BeforeAll
    static void requireWidth() {
      requireBits(256);
    }

    @Override
    int bits() {
      return 256;
    }
  }

  @Nested
  class PlainBits512 extends Plain {
    @BeforeAll
    static void requireWidth() {
      requireBits(512);
    }

    @Override
    int bits() {
      return 512;
    }
  }

  private static void requireBits(int bits) {
    int preferred = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    assumeTrue(preferred >= bits, "the machine's vectors have " + preferred + " bits");
  }

  abstract static class AtWidth extends BackendContract {
    abstract int bits();

    @Override
    protected Backend open() {
      return open(2);
    }

    @Override
    protected Backend open(int threads) {
      return VectorBackend.open(new BackendOptions(threads, bits()), 0);
    }
  }

  abstract static class Plain extends AtWidth {
    @Override
    protected Backend open(int threads) {
      return VectorBackend.open(new BackendOptions(threads, bits()), Long.MAX_VALUE);
    }
  }
}

package dev.resid.testing;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.tensor.Backend;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs every test of a class on the scalar and on the vector backend. Where one of them cannot be
 * opened the tests fail: nothing is skipped. A property names other backends for machines that have
 * them.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("dev.resid.testing.OnEachCpuBackend#names")
public abstract class OnEachCpuBackend {
  /** System property: backends to test instead, separated by commas, for example {@code cuda}. */
  public static final String PROPERTY = "resid.test.backends";

  /** Name of the backend. */
  @Parameter public String backendName;

  private Backend backend;

  /** Returns the names of the backends that tests run on. */
  public static Stream<String> names() {
    return Stream.of(System.getProperty(PROPERTY, "scalar,vector").split(","));
  }

  /** Opens the backend. */
  @BeforeEach
  public final void openBackend() {
    backend = open(2);
  }

  /** Closes the backend. */
  @AfterEach
  public final void closeBackend() {
    backend.close();
  }

  /** Returns the backend of this test, with two threads. */
  protected final Backend backend() {
    return backend;
  }

  /**
   * Returns a new backend of the same kind; the caller closes it.
   *
   * @param threads worker threads; the scalar backend has none
   */
  protected final Backend open(int threads) {
    return Backends.named(backendName, BackendOptions.defaults().withThreads(threads));
  }

  /**
   * Returns a comparison that names this backend.
   *
   * @param what what is compared
   * @param seed of the inputs; 0 where they are fixed
   */
  protected final TensorAssert check(String what, long seed) {
    return new TensorAssert(backendName, what, seed);
  }

  /** Returns a comparison of fixed inputs. */
  protected final TensorAssert check(String what) {
    return check(what, 0);
  }
}

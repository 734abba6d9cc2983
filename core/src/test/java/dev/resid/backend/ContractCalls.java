package dev.resid.backend;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.tensor.Backend;
import dev.resid.testing.DelegatingBackend;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.testkit.engine.EngineTestKit;

/**
 * Which methods of a backend each test of the contract calls, found by running it once. A mistake
 * in a method can be seen only by tests that call it, so that {@link BackendContractTest} runs
 * these alone.
 */
final class ContractCalls {
  private static final Map<Method, Set<String>> BY_TEST = record();

  private ContractCalls() {}

  private static Map<Method, Set<String>> record() {
    Recorded.CALLS.clear();
    EngineTestKit.engine("junit-jupiter")
        .selectors(selectClass(Recorded.class))
        .execute()
        .testEvents()
        .assertStatistics(seen -> seen.failed(0));
    return Map.copyOf(Recorded.CALLS);
  }

  /** Returns the tests that call one of the methods. */
  static Set<Method> testsOf(Set<String> methods) {
    return BY_TEST.entrySet().stream()
        .filter(test -> test.getValue().stream().anyMatch(methods::contains))
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  /** The contract of a sound backend that tells what it is asked for. */
  @ExtendWith(Recorded.Beginning.class)
  static class Recorded extends BackendContract {
    private static final Map<Method, Set<String>> CALLS = new ConcurrentHashMap<>();
    private static final ThreadLocal<Method> TEST = new ThreadLocal<>();

    /** Notes the test that begins. */
    static class Beginning implements BeforeEachCallback {
      @Override
      public void beforeEach(ExtensionContext context) {
        TEST.set(context.getRequiredTestMethod());
      }
    }

    @Override
    protected Backend open() {
      Set<String> calls = CALLS.computeIfAbsent(TEST.get(), test -> ConcurrentHashMap.newKeySet());
      Backend sound = new DelegatingBackend(new ScalarBackend());
      Set<String> delegated =
          Arrays.stream(DelegatingBackend.class.getDeclaredMethods())
              .map(Method::getName)
              .collect(Collectors.toSet());
      InvocationHandler handler =
          (proxy, method, arguments) -> {
            calls.add(method.getName());
            if (!delegated.contains(method.getName()) && method.isDefault()) {
              return InvocationHandler.invokeDefault(proxy, method, arguments);
            }
            try {
              return method.invoke(sound, arguments);
            } catch (InvocationTargetException e) {
              throw e.getCause();
            }
          };
      return (Backend)
          Proxy.newProxyInstance(
              Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, handler);
    }

    @Override
    protected Backend open(int threads) {
      return open();
    }
  }
}

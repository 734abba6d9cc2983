package dev.resid.model;

import dev.resid.tensor.Backend;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;

/** A backend that hands every call on to another one and counts it by the name of the kernel. */
final class CountedBackend {
  private final Map<String, Integer> calls = new HashMap<>();
  private final Backend counting;

  CountedBackend(Backend inner) {
    this.counting =
        (Backend)
            Proxy.newProxyInstance(
                Backend.class.getClassLoader(),
                new Class<?>[] {Backend.class},
                (proxy, method, arguments) -> {
                  calls.merge(method.getName(), 1, Integer::sum);
                  try {
                    return method.invoke(inner, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
  }

  /** Returns the backend to use. */
  Backend backend() {
    return counting;
  }

  /** Returns how often a kernel was called since the last {@link #clear}. */
  int calls(String kernel) {
    return calls.getOrDefault(kernel, 0);
  }

  void clear() {
    calls.clear();
  }
}

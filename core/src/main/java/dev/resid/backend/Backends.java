package dev.resid.backend;

import dev.resid.backend.Availability.Available;
import dev.resid.backend.Availability.Unavailable;
import dev.resid.tensor.Backend;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * Where backends are looked up. There is no default instance: the caller opens, owns and closes.
 */
public final class Backends {
  /** What was said already. */
  private static final Set<String> PASSED_OVER = ConcurrentHashMap.newKeySet();

  private Backends() {}

  /**
   * Returns the fastest backend available, with default options.
   *
   * @throws BackendUnavailableException if there is none
   */
  public static Backend fastest() {
    return fastest(BackendOptions.defaults());
  }

  /**
   * Returns the fastest backend available. A faster one that is missed here is passed over with a
   * warning in the log, once for each reason: one that seemed available and then cannot be opened
   * (a GPU without free memory, for example), or whose surroundings are there and do not suffice (a
   * driver that is too old).
   *
   * @param options threads and vector width
   * @throws BackendUnavailableException if there is none
   */
  public static Backend fastest(BackendOptions options) {
    return fastest(options, providers());
  }

  static Backend fastest(BackendOptions options, List<BackendProvider> providers) {
    for (BackendProvider provider : providers) {
      switch (provider.availability()) {
        case Available _ -> {
          try {
            return provider.open(options);
          } catch (BackendUnavailableException e) {
            passOver(e.getMessage());
          }
        }
        case Unavailable(String reason, String fix) -> {
          if (provider.isMissed()) {
            passOver(provider.name() + ": " + reason + ". " + fix + ".");
          }
        }
      }
    }
    throw new BackendUnavailableException("no backend is available here. " + listing());
  }

  private static void passOver(String why) {
    if (PASSED_OVER.add(why)) {
      System.getLogger(Backends.class.getName())
          .log(System.Logger.Level.WARNING, "Not using " + why);
    }
  }

  /**
   * Returns the named backend, with default options.
   *
   * @throws BackendUnavailableException if it does not exist or cannot run here
   */
  public static Backend named(String name) {
    return named(name, BackendOptions.defaults());
  }

  /**
   * Returns the named backend.
   *
   * @param name for example {@code vector} or {@code scalar}
   * @param options threads and vector width
   * @throws BackendUnavailableException if it does not exist or cannot run here
   */
  public static Backend named(String name, BackendOptions options) {
    for (BackendProvider provider : providers()) {
      if (provider.name().equals(name) && provider.availability() instanceof Available) {
        return provider.open(options);
      }
    }
    throw new BackendUnavailableException("no backend \"" + name + "\" here. " + listing());
  }

  /** Returns every known backend by name with its availability, fastest first. */
  public static Map<String, Availability> available() {
    Map<String, Availability> found = new LinkedHashMap<>();
    for (BackendProvider provider : providers()) {
      found.put(provider.name(), provider.availability());
    }
    return found;
  }

  /** Returns what each backend tried to work here, by name, one line a step; most try nothing. */
  public static Map<String, List<String>> steps() {
    Map<String, List<String>> found = new LinkedHashMap<>();
    for (BackendProvider provider : providers()) {
      found.put(provider.name(), provider.steps());
    }
    return found;
  }

  private static List<BackendProvider> providers() {
    return ServiceLoader.load(BackendProvider.class, Backends.class.getClassLoader()).stream()
        .map(ServiceLoader.Provider::get)
        .sorted(Comparator.comparingInt(BackendProvider::priority).reversed())
        .toList();
  }

  private static String listing() {
    Map<String, Availability> all = available();
    String there =
        all.entrySet().stream()
            .filter(e -> e.getValue() instanceof Available)
            .map(e -> e.getKey() + " (" + ((Available) e.getValue()).description() + ")")
            .collect(Collectors.joining(", "));
    StringBuilder text =
        new StringBuilder("Available: ").append(there.isEmpty() ? "none" : there).append('.');
    all.forEach(
        (name, availability) -> {
          if (availability instanceof Unavailable(String reason, String fix)) {
            text.append(' ').append(name).append(": ").append(reason).append(". ").append(fix);
          }
        });
    return text.toString();
  }
}

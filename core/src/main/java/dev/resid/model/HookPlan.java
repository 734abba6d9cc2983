package dev.resid.model;

import dev.resid.hook.Capture;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Replace;
import dev.resid.hook.Site;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The hooks of one call, checked against the model and sorted by point. */
final class HookPlan {
  private final Map<HookPoint, List<Hook>> hooks = new TreeMap<>();

  HookPlan(Gpt2Config config, Hook... given) {
    Set<HookPoint> captured = new HashSet<>();
    for (Hook hook : given) {
      HookPoint point = hook.point();
      requireLayer(config, point);
      if (hook instanceof Capture && !captured.add(point)) {
        throw new IllegalArgumentException(
            point + " is captured twice in one call; capture it once");
      }
      hooks.computeIfAbsent(point, p -> new ArrayList<>()).add(hook);
    }
  }

  static void requireLayer(Gpt2Config config, HookPoint point) {
    if (point.layer() >= config.nLayers()) {
      throw new IllegalArgumentException(
          point
              + " does not exist: the model has "
              + config.nLayers()
              + " blocks, 0 to "
              + (config.nLayers() - 1));
    }
  }

  List<Hook> at(Site site, int layer) {
    if (hooks.isEmpty()) {
      return List.of();
    }
    return hooks.getOrDefault(new HookPoint(site, layer), List.of());
  }

  boolean has(Site site, int layer) {
    return !at(site, layer).isEmpty();
  }

  boolean replaces(Site site, int layer) {
    return at(site, layer).stream().anyMatch(Replace.class::isInstance);
  }

  Optional<HookPoint> lastCapture() {
    HookPoint last = null;
    for (Map.Entry<HookPoint, List<Hook>> entry : hooks.entrySet()) {
      if (entry.getValue().stream().anyMatch(Capture.class::isInstance)) {
        last = entry.getKey();
      }
    }
    return Optional.ofNullable(last);
  }
}

package org.example.week;

import static dev.resid.hook.HookPoint.z;
import static dev.resid.tensor.Axis.HEAD;

import dev.resid.analysis.LogitReadout;
import dev.resid.backend.Backends;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.Capture;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Intervention;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Path patching: what earlier heads tell the queries of one later head, and nothing else. The
 * sender has its value of the corrupted prompt, every other head is held at its clean one, and what
 * reaches the receiver that way is put into a clean run. After Wang et al. 2022, "Interpretability
 * in the Wild".
 */
public final class PathPatching {
  private final Gpt2 gpt2;
  private final TokenBatch clean;
  private final ActivationCache heads;
  private final ActivationCache corrupted;
  private final LogitReadout difference;
  private final HookPoint[] points;

  private PathPatching(Gpt2 gpt2) {
    this.gpt2 = gpt2;
    ByteLevelBpe tokenizer = gpt2.tokenizer();
    this.clean = tokenizer.encode("The captain looked at the sea and then at the");
    TokenBatch other = tokenizer.encode("The captain looked at the dog and then at the");
    int[] sea = {tokenizer.singleToken(" sea")};
    int[] dog = {tokenizer.singleToken(" dog")};
    this.difference = LogitReadout.differences(gpt2, sea, dog);
    List<HookPoint> all = HookPoint.matching(gpt2.config().nLayers(), "blocks.*.attn.hook_z");
    this.points = all.toArray(HookPoint[]::new);
    this.heads = gpt2.capture(clean, Capture.each(all));
    this.corrupted = gpt2.capture(other, Capture.each(all));
  }

  public static void main(String[] args) throws IOException {
    try (Backend backend = Backends.fastest()) {
      System.out.print(table(Gpt2.embedded(backend), 4, 5));
    }
  }

  static String table(Gpt2 gpt2, int layer, int head) {
    PathPatching patching = new PathPatching(gpt2);
    double before = patching.difference.of(gpt2, patching.clean)[0];
    StringBuilder table = new StringBuilder();
    table.append(String.format(Locale.ROOT, "clean logit difference %.3f%n", before));
    for (int from = 0; from < layer; from++) {
      for (int sender = 0; sender < gpt2.config().nHeads(); sender++) {
        double change = patching.through(from, sender, layer, head) - before;
        table.append(String.format(Locale.ROOT, "%8.4f", change));
      }
      table.append(String.format("%n"));
    }
    return table.toString();
  }

  /** Returns the logit difference if a sender reaches a receiver's queries with its other value. */
  private double through(int from, int sender, int layer, int head) {
    List<Hook> hooks = new ArrayList<>();
    for (HookPoint point : points) {
      Tensor held = heads.get(point);
      hooks.add(point.replace((x, at) -> held));
    }
    Tensor sent = corrupted.get(z(from));
    Intervention send = (x, at) -> sent;
    hooks.add(z(from).replace(send.onlyAt(HEAD, sender))); // after the one that holds all heads
    HookPoint queries = HookPoint.at(Site.Q, layer);
    Hook[] all = Hook.join(hooks.toArray(Hook[]::new), queries.capture());
    Tensor received = gpt2.capture(clean, all).get(queries);
    Intervention receive = (x, at) -> received;
    return difference.of(gpt2, clean, queries.replace(receive.onlyAt(HEAD, head)))[0];
  }
}

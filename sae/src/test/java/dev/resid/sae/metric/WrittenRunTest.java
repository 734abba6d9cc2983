package dev.resid.sae.metric;

import static org.junit.jupiter.api.Assertions.assertSame;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WrittenRunTest extends OnEachCpuBackend {
  private static final List<HookPoint> POINTS =
      List.of(
          HookPoint.at(Site.MLP_POST, 0),
          HookPoint.residPre(1),
          HookPoint.mlpOut(0),
          HookPoint.at(Site.MLP_PRE, 1));

  private static final HookPoint KEPT = HookPoint.residPre(0);

  private final TokenBatch tokens = SmallSaes.tokens(8, 30, 7, 7);

  @Test
  void runsOfOnePassAreThoseOfEachPointAlone() {
    Gpt2 gpt2 = Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
    Map<HookPoint, WrittenRun> together = WrittenRun.of(gpt2, tokens, POINTS, KEPT);
    for (HookPoint point : POINTS) {
      try (WrittenRun run = together.get(point);
          WrittenRun alone = new WrittenRun(gpt2, tokens, point, KEPT)) {
        check(point.name(), 3).sameBits(alone.activation(), run.activation());
        check(KEPT.name(), 3).sameBits(alone.cache().get(KEPT), run.cache().get(KEPT));
        Tensor other = alone.activation().times(0.5);
        check(point + " continued", 3)
            .sameBits(
                alone.continueWith(List.of(other)).logits(),
                run.continueWith(List.of(other)).logits());
      }
    }
  }

  @Test
  void severalPointsTakeOnePass() {
    Gpt2 gpt2 = Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend());
    Map<HookPoint, WrittenRun> together = WrittenRun.of(gpt2, tokens, POINTS, KEPT);
    Tensor kept = together.get(POINTS.getFirst()).cache().get(KEPT);
    for (HookPoint point : POINTS) {
      assertSame(kept, together.get(point).cache().get(KEPT), point.name());
    }
    together.values().forEach(WrittenRun::close);
  }
}

package dev.resid.experiments.examples;

import dev.resid.analysis.ActivationPatching;
import dev.resid.analysis.LogitReadout;
import dev.resid.experiments.patch.PromptPair;
import dev.resid.experiments.patch.TokenPair;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import java.io.IOException;

/** The example of the section on patching in {@code docs/experiments.md}. */
final class PatchExample {
  private PatchExample() {}

  static double[][] run(Backend backend) throws IOException {
    // docs:begin
    Gpt2 gpt2 = Gpt2.embedded(backend);
    TokenPair pair =
        TokenPair.of(
            new PromptPair("She opened the door with", "He opened the door with", " her", " his"),
            gpt2.tokenizer(),
            gpt2.beginOfText());
    LogitReadout readout =
        LogitReadout.differences(gpt2, new int[] {pair.answer()}, new int[] {pair.against()});
    HookPoint point = HookPoint.attnOut(5);
    ActivationPatching patching =
        new ActivationPatching(
            gpt2, pair.corrupted(), gpt2.capture(pair.clean(), point.capture()), readout, 8);
    double[][] patched =
        patching.run(point, ActivationPatching.everyPosition(pair.corrupted()), done -> {});
    // docs:end
    return patched;
  }
}

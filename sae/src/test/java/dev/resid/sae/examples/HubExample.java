package dev.resid.sae.examples;

import dev.resid.hub.HubCache;
import dev.resid.hub.HubName;
import dev.resid.hub.HubSnapshot;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.io.PrintStream;

/** The example of docs/hub.md: the lines between the two marks are printed there. */
final class HubExample {
  private HubExample() {}

  static void run(Backend backend, PrintStream out) throws IOException {
    // example:begin
    HubCache cache = HubCache.fromEnvironment();
    HubName name = HubName.parse("openai-community/gpt2");
    HubSnapshot files = cache.download(name, Gpt2Checkpoint.hubFiles(), Progress.none());
    Gpt2 gpt2 = Gpt2.load(files.folder(), backend); // cache.snapshot(name, ...) asks nobody

    String id = "gpt2-small-res-jb/blocks.8.hook_resid_pre";
    SaeCatalogue.Entry entry = SaeCatalogue.load().named(id).orElseThrow();
    HubName publisher = HubName.parse(entry.repository());
    HubSnapshot its = cache.download(publisher, entry.hubFiles(), Progress.none());
    Sae sae = SaeCheckpoint.load(entry.in(its), backend);
    out.println(gpt2.config().nLayers() + " blocks, " + sae.config().dSae() + " features");
    // example:end
  }
}

package org.example.heads;

import dev.resid.hub.HubCache;
import dev.resid.hub.HubName;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import java.io.IOException;

/** Models that do not ship with Resid. */
final class Models {
  private Models() {}

  // docs:begin
  /** Returns GPT-2 small, fetched on the first call into the cache that Python's tools use. */
  static Gpt2 gpt2Small(Backend backend) throws IOException {
    HubName name = HubName.parse("openai-community/gpt2");
    HubCache cache = HubCache.fromEnvironment();
    var files = cache.download(name, Gpt2Checkpoint.hubFiles(), Progress.none());
    return Gpt2.load(files.folder(), backend);
  }
  // docs:end
}

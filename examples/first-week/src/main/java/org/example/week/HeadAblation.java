package org.example.week;

import static dev.resid.hook.HookPoint.z;
import static dev.resid.tensor.Axis.HEAD;

import dev.resid.analysis.Ablation;
import dev.resid.backend.Backends;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.hook.Intervention;
import dev.resid.model.BaseRun;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.Locale;

/** What each head is good for: how much the loss grows if it always writes its mean. */
public final class HeadAblation {
  private HeadAblation() {}

  public static void main(String[] args) throws IOException {
    try (Backend backend = Backends.fastest()) {
      System.out.print(table(Gpt2.embedded(backend), 16));
    }
  }

  static String table(Gpt2 gpt2, int rows) throws IOException {
    TokenBatch tokens;
    try (Documents text = Documents.embedded()) {
      int bos = gpt2.beginOfText().orElseThrow();
      tokens = RowPacker.pack(text, gpt2.tokenizer(), bos, 64, rows);
    }
    double clean = gpt2.crossEntropyNats(tokens).mean();
    StringBuilder table = new StringBuilder();
    table.append(String.format(Locale.ROOT, "loss %.4f nats, and in place of a head:%n", clean));
    for (int layer = 0; layer < gpt2.config().nLayers(); layer++) {
      try (BaseRun base = gpt2.baseRun(tokens, z(layer))) { // the clean run, once a layer
        Intervention mean = Ablation.mean(Ablation.mean(base.activation(), tokens));
        for (int head = 0; head < gpt2.config().nHeads(); head++) {
          double loss = base.continueWith(mean.onlyAt(HEAD, head)).crossEntropyNats().mean();
          table.append(String.format(Locale.ROOT, "%+9.4f", loss - clean));
        }
        table.append(String.format("%n"));
      }
    }
    return table.toString();
  }
}

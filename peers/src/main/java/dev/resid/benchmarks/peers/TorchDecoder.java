package dev.resid.benchmarks.peers;

import static dev.resid.benchmarks.peers.TorchGpt2.line;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import dev.resid.benchmarks.work.DecodeWork;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntConsumer;

/** Decoding by PyTorch, with keys and values in arrays as long as the context. */
final class TorchDecoder implements DecodeWork.Decoder {
  private final Gpt2Config config;
  private final TorchGpt2 gpt2;
  private final PtNDManager manager;
  private final IValue weights;
  private final IValue keys;
  private final IValue values;
  private final Map<Integer, TorchScript> prompts = new HashMap<>();
  private final TorchScript step;

  TorchDecoder(Gpt2Weights weights, int threads) {
    config = weights.config();
    gpt2 = new TorchGpt2(config);
    manager = TorchScript.manager(threads);
    this.weights = PyTorchPeer.list(manager, weights);
    keys = caches();
    values = caches();
    step =
        new TorchScript(
            manager,
            header(", n: int")
                + gpt2.embed("n", 1)
                + gpt2.cachedBlocks(1, false)
                + gpt2.logits()
                + line("return torch.argmax(torch.view(logits, [-1]))"));
  }

  private IValue caches() {
    PtNDArray[] all = new PtNDArray[config.nLayers()];
    for (int i = 0; i < all.length; i++) {
      all[i] =
          (PtNDArray) manager.zeros(new Shape(1, config.nHeads(), config.nCtx(), config.dHead()));
    }
    return IValue.listFrom(all);
  }

  private static String header(String more) {
    return "  def forward(self: __torch__.Model, ids: Tensor, w: List[Tensor], kc: List[Tensor],"
        + " vc: List[Tensor]"
        + more
        + ") -> Tensor:\n";
  }

  private TorchScript prompt(int length) {
    return prompts.computeIfAbsent(
        length,
        n ->
            new TorchScript(
                manager,
                header("")
                    + gpt2.embed("0", n)
                    + gpt2.cachedBlocks(n, true)
                    + line("x = torch.narrow(x, 1, %d, 1)", n - 1)
                    + gpt2.logits()
                    + line("return torch.argmax(torch.view(logits, [-1]))")));
  }

  @Override
  public int[] decode(int[] from, int tokens, IntConsumer listener) {
    int[] chosen = new int[tokens];
    long[] ids = java.util.Arrays.stream(from).asLongStream().toArray();
    for (int i = 0; i < tokens; i++) {
      try (PtNDArray input = (PtNDArray) manager.create(ids, new Shape(1, ids.length));
          IValue argument = IValue.from(input);
          IValue n = IValue.from((long) from.length + i - 1);
          PtNDArray token =
              i == 0
                  ? prompt(from.length).run(argument, weights, keys, values)
                  : step.run(argument, weights, keys, values, n)) {
        ids = new long[] {token.getLong()};
      }
      chosen[i] = (int) ids[0];
      listener.accept(chosen[i]);
    }
    return chosen;
  }

  @Override
  public void close() {
    manager.close();
  }
}

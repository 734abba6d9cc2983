package dev.resid.benchmarks.peers;

import static dev.resid.benchmarks.peers.TorchGpt2.line;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import dev.resid.benchmarks.work.DecodeWork;
import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.ForwardWork;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.ProductWork;
import dev.resid.benchmarks.work.SaeWork;
import dev.resid.benchmarks.work.SweepWork;
import dev.resid.benchmarks.work.TrainingWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;

/** PyTorch through DJL: its operators one by one, as its users get it without compiling. */
public final class PyTorchPeer implements Peer {
  private static final String VERSION = "PyTorch 2.7.1";

  /** Called by the service loader. */
  public PyTorchPeer() {}

  @Override
  public String name() {
    return VERSION;
  }

  @Override
  public List<Engine> engines(Workload workload, int threads) {
    return switch (workload) {
      case ProductWork work -> List.of(product(work, threads));
      case ForwardWork work -> List.of(forward(work, threads));
      case SweepWork work -> List.of(sweep(work, threads, true), sweep(work, threads, false));
      case SaeWork work -> List.of(sae(work, threads));
      case TrainingWork work -> List.of(new TorchTraining(name(), work, threads));
      case DecodeWork work ->
          List.of(work.engine(name(), new TorchDecoder(work.weights(), threads)));
      default -> List.of();
    };
  }

  private Engine product(ProductWork work, int threads) {
    PtNDManager manager = TorchScript.manager(threads);
    String program =
        "  def forward(self: __torch__.Model, x: Tensor, w: Tensor, b: Tensor) -> Tensor:\n"
            + line("return torch.addmm(b, x, w)");
    TorchScript script = new TorchScript(manager, program);
    IValue x = value(manager, work.x());
    IValue bias = value(manager, work.bias());
    List<IValue> weights = work.weights().stream().map(w -> value(manager, w)).toList();
    return new TorchEngine(name(), manager) {
      @Override
      PtNDArray compute() {
        PtNDArray last = null;
        for (IValue w : weights) {
          if (last != null) {
            last.close();
          }
          last = script.run(x, w, bias);
        }
        return last;
      }

      @Override
      public float[] sample() {
        float[] none = new float[work.bias().shape().last()];
        return work.part(values(), none);
      }
    };
  }

  private Engine forward(ForwardWork work, int threads) {
    PtNDManager manager = TorchScript.manager(threads);
    TokenBatch tokens = work.tokens();
    TorchGpt2 gpt2 = new TorchGpt2(work.weights().config());
    int layers = work.weights().config().nLayers();
    String program =
        "  def forward(self: __torch__.Model, ids: Tensor, w: List[Tensor]) -> Tensor:\n"
            + gpt2.embed("0", tokens.maxLength())
            + gpt2.blocks(0, layers, tokens.rows(), tokens.maxLength())
            + gpt2.logits()
            + line("return logits");
    TorchScript script = new TorchScript(manager, program);
    IValue ids = IValue.from(ids(manager, tokens));
    IValue weights = list(manager, work.weights());
    return new TorchEngine(name(), manager) {
      @Override
      PtNDArray compute() {
        return script.run(ids, weights);
      }

      @Override
      public float[] sample() {
        return java.util.Arrays.copyOf(first(), work.checked());
      }
    };
  }

  // A length as a user writes it: the clean run's log-probabilities are kept, and the changed run's
  // logits, log-probabilities and KL are whole arrays.
  private Engine sweep(SweepWork work, int threads, boolean continued) {
    PtNDManager manager = TorchScript.manager(threads);
    Gpt2Config config = work.weights().config();
    TorchGpt2 gpt2 = new TorchGpt2(config);
    TokenBatch tokens = work.tokens();
    int batch = tokens.rows();
    int pos = tokens.maxLength();
    String clean =
        "  def forward(self: __torch__.Model, ids: Tensor, w: List[Tensor]) -> Tensor:\n"
            + gpt2.embed("0", pos)
            + gpt2.blocks(0, config.nLayers(), batch, pos);
    String before =
        continued ? "" : gpt2.embed("0", pos) + gpt2.blocks(0, work.layer(), batch, pos);
    String program =
        "  def forward(self: __torch__.Model, ids: Tensor, x: Tensor, d: Tensor, alpha: Tensor,"
            + " base: Tensor, last: Tensor, w: List[Tensor]) -> Tensor:\n"
            + before
            + line("x = torch.add(x, torch.mul(d, alpha))")
            + gpt2.blocks(work.layer(), config.nLayers(), batch, pos)
            + line("l2 = torch.sqrt(torch.sum(torch.square(torch.sub(x, last)), [2]))")
            + gpt2.logits()
            + line("q = torch.log_softmax(logits, 2)")
            + line("kl = torch.sum(torch.mul(torch.exp(base), torch.sub(base, q)), [2])")
            + line("return torch.cat([torch.reshape(kl, [-1]), torch.reshape(l2, [-1])], 0)");
    IValue ids = IValue.from(ids(manager, tokens));
    IValue weights = list(manager, work.weights());
    IValue last;
    IValue base;
    try (TorchScript residual = new TorchScript(manager, clean + line("return x"));
        TorchScript logProbabilities =
            new TorchScript(
                manager, clean + gpt2.logits() + line("return torch.log_softmax(logits, 2)"))) {
      last = IValue.from(residual.run(ids, weights));
      base = IValue.from(logProbabilities.run(ids, weights));
    }
    TorchScript script = new TorchScript(manager, program);
    IValue x = value(manager, work.clean());
    IValue d = value(manager, work.directions());
    IValue alpha = IValue.from((PtNDArray) manager.create((float) work.length(0)));
    String name = name() + (continued ? ", from layer " + work.layer() : ", whole model");
    return new TorchEngine(name, manager) {
      @Override
      PtNDArray compute() {
        return script.run(ids, x, d, alpha, base, last, weights);
      }

      @Override
      public float[] sample() {
        float[] all = first();
        double[] kl = new double[pos];
        double[] l2 = new double[pos];
        for (int t = 0; t < pos; t++) {
          kl[t] = all[t];
          l2[t] = all[batch * pos + t];
        }
        return work.part(kl, l2);
      }
    };
  }

  private Engine sae(SaeWork work, int threads) {
    PtNDManager manager = TorchScript.manager(threads);
    String program =
        "  def forward(self: __torch__.Model, x: Tensor, we: Tensor, be: Tensor, wd: Tensor,"
            + " bd: Tensor) -> Tensor:\n"
            + line("f = torch.relu(torch.addmm(be, torch.sub(x, bd), we))")
            + line("return torch.addmm(bd, f, wd)");
    TorchScript script = new TorchScript(manager, program);
    IValue x = value(manager, work.x());
    IValue we = value(manager, work.weights().get(SaeWeight.W_enc));
    IValue be = value(manager, work.weights().get(SaeWeight.b_enc));
    IValue wd = value(manager, work.weights().get(SaeWeight.W_dec));
    IValue bd = value(manager, work.weights().get(SaeWeight.b_dec));
    return new TorchEngine(name(), manager) {
      @Override
      PtNDArray compute() {
        return script.run(x, we, be, wd, bd);
      }

      @Override
      public float[] sample() {
        return java.util.Arrays.copyOf(values(), work.checked());
      }
    };
  }

  /** Returns an argument that copies a tensor. */
  static IValue value(PtNDManager manager, Tensor tensor) {
    return IValue.from(TorchScript.array(manager, tensor));
  }

  /** Returns the argument {@code w}. */
  static IValue list(PtNDManager manager, Gpt2Weights weights) {
    return IValue.listFrom(
        TorchGpt2.weights(weights).stream()
            .map(w -> TorchScript.array(manager, w))
            .toArray(PtNDArray[]::new));
  }

  /** Returns ids [batch, pos]. */
  static PtNDArray ids(PtNDManager manager, TokenBatch tokens) {
    int[] padded = tokens.padded(0);
    long[] ids = java.util.Arrays.stream(padded).asLongStream().toArray();
    return (PtNDArray) manager.create(ids, new Shape(tokens.rows(), tokens.maxLength()));
  }

  /** An engine whose run makes one array. */
  private abstract static class TorchEngine implements Engine {
    private final String name;
    private final PtNDManager manager;
    private PtNDArray result;

    TorchEngine(String name, PtNDManager manager) {
      this.name = name;
      this.manager = manager;
    }

    abstract PtNDArray compute();

    @Override
    public final String name() {
      return name;
    }

    @Override
    public final void run() {
      if (result != null) {
        result.close();
      }
      result = compute();
    }

    /** Returns all numbers of the result. */
    final float[] values() {
      return result.toFloatArray();
    }

    /** Returns the numbers of the first row of the result. */
    final float[] first() {
      if (result.getShape().dimension() == 1) {
        return values();
      }
      try (var row = result.get(0)) {
        return row.toFloatArray();
      }
    }

    @Override
    public final void close() {
      manager.close();
    }
  }
}

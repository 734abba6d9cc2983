package dev.resid.benchmarks.peers;

import static dev.resid.benchmarks.peers.TorchGpt2.line;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.TrainingWork;
import dev.resid.model.Gpt2Config;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.TrainingPlan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Training by PyTorch: autograd through its operators, the norm clipped, AdamW in place. */
final class TorchTraining implements Engine {
  private static final int PER_BLOCK = 12;

  private final String name;
  private final TrainingWork work;
  private final int threads;
  private final Learner learner;
  private long steps;

  TorchTraining(String name, TrainingWork work, int threads) {
    this.name = name;
    this.work = work;
    this.threads = threads;
    this.learner = new Learner(work, threads);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void run() {
    learner.step(work.plan(), work.rows(work.plan(), steps), steps + 1);
    steps++;
  }

  @Override
  public float[] sample() {
    TrainingPlan plan = work.checkedPlan();
    float[] losses = new float[work.checkedSteps()];
    try (Learner other = new Learner(work, threads)) {
      for (int i = 0; i < losses.length; i++) {
        losses[i] = other.step(plan, work.rows(plan, i), i + 1);
      }
    }
    return losses;
  }

  @Override
  public void close() {
    learner.close();
  }

  /** Weights, their moments, and the programs. */
  private static final class Learner implements AutoCloseable {
    private final Gpt2Config config;
    private final PtNDManager manager;
    private final PtNDArray[] parameters;
    private final IValue weights;
    private final IValue moments1;
    private final IValue moments2;
    private final Map<String, TorchScript> losses = new HashMap<>();
    private final TorchScript norm;
    private final TorchScript update;

    Learner(TrainingWork work, int threads) {
      config = work.config();
      manager = TorchScript.manager(threads);
      List<Tensor> initial = TorchGpt2.weights(work.initial());
      parameters =
          initial.stream().map(w -> TorchScript.array(manager, w)).toArray(PtNDArray[]::new);
      for (PtNDArray parameter : parameters) {
        parameter.setRequiresGradient(true);
      }
      weights = IValue.listFrom(parameters);
      moments1 = IValue.listFrom(zeros());
      moments2 = IValue.listFrom(zeros());
      norm = new TorchScript(manager, normProgram());
      update = new TorchScript(manager, updateProgram(work.plan()));
    }

    private PtNDArray[] zeros() {
      PtNDArray[] all = new PtNDArray[parameters.length];
      for (int i = 0; i < all.length; i++) {
        all[i] = (PtNDArray) manager.zeros(parameters[i].getShape());
      }
      return all;
    }

    float step(TrainingPlan plan, TokenBatch rows, long step) {
      JniUtils.setGradMode(true);
      float loss;
      try (PtNDArray ids = PyTorchPeer.ids(manager, rows);
          PtNDArray mean = program(rows).record(ids, parameters);
          PtNDArray one = (PtNDArray) manager.ones(new Shape())) {
        loss = mean.getFloat();
        JniUtils.backward(mean, one, false, false);
      } finally {
        JniUtils.setGradMode(false);
      }
      PtNDArray[] gradients = new PtNDArray[parameters.length];
      for (int i = 0; i < gradients.length; i++) {
        gradients[i] = parameters[i].getGradient();
      }
      try (IValue all = IValue.listFrom(gradients);
          PtNDArray length = norm.run(all);
          IValue scale = IValue.from(Math.min(1.0, plan.clipNorm() / (double) length.getFloat()));
          IValue rate = IValue.from(plan.rate().at(step));
          IValue correction1 = IValue.from(1 - Math.pow(plan.beta1(), step));
          IValue correction2 = IValue.from(1 - Math.pow(plan.beta2(), step))) {
        update.run(weights, all, moments1, moments2, scale, rate, correction1, correction2).close();
        return loss;
      } finally {
        for (PtNDArray gradient : gradients) {
          gradient.close();
        }
      }
    }

    private TorchScript program(TokenBatch rows) {
      int batch = rows.rows();
      int pos = rows.maxLength();
      TorchGpt2 gpt2 = new TorchGpt2(config);
      return losses.computeIfAbsent(
          batch + "x" + pos,
          key ->
              new TorchScript(
                  manager,
                  "  def forward(self: __torch__.Model, ids: Tensor, w: List[Tensor]) -> Tensor:\n"
                      + gpt2.embed("0", pos)
                      + gpt2.blocks(0, config.nLayers(), batch, pos)
                      + gpt2.logits()
                      + line("p = torch.log_softmax(torch.narrow(logits, 1, 0, %d), 2)", pos - 1)
                      + line("next = torch.unsqueeze(torch.narrow(ids, 1, 1, %d), 2)", pos - 1)
                      + line("return torch.neg(torch.mean(torch.gather(p, 2, next)))")));
    }

    private String normProgram() {
      StringBuilder text =
          new StringBuilder("  def forward(self: __torch__.Model, g: List[Tensor]) -> Tensor:\n");
      text.append(line("s = torch.sum(torch.square(g[0]))"));
      for (int i = 1; i < parameters.length; i++) {
        text.append(line("s = torch.add(s, torch.sum(torch.square(g[%d])))", i));
      }
      return text + line("return torch.sqrt(s)");
    }

    // Gradients are set to zero in place, since the next backward pass adds to them.
    private String updateProgram(TrainingPlan plan) {
      StringBuilder text =
          new StringBuilder(
              "  def forward(self: __torch__.Model, w: List[Tensor], g: List[Tensor],"
                  + " m: List[Tensor], v: List[Tensor], scale: float, rate: float, c1: float,"
                  + " c2: float) -> Tensor:\n");
      for (int i = 0; i < parameters.length; i++) {
        text.append(line("h = torch.mul_(g[%d], scale)", i))
            .append(line("a = torch.mul_(m[%d], %s)", i, plan.beta1()))
            .append(line("a = torch.add_(a, h, alpha=%s)", 1 - plan.beta1()))
            .append(line("b = torch.mul_(v[%d], %s)", i, plan.beta2()))
            .append(line("b = torch.addcmul_(b, h, h, value=%s)", 1 - plan.beta2()))
            .append(line("d = torch.add_(torch.sqrt_(torch.div(b, c2)), %s)", plan.epsilon()))
            .append(
                line(
                    "p = torch.mul_(w[%d], torch.sub(1., torch.mul(rate, %s)))",
                    i, decays(i) ? plan.weightDecay() : 0.0))
            .append(line("p = torch.addcdiv_(p, a, d, value=torch.neg(torch.div(rate, c1)))"))
            .append(line("h = torch.zero_(g[%d])", i));
      }
      return text + line("return torch.neg(h)");
    }

    /** Matrices decay, but not positions: W_QKV, W_O, W_in and W_out of a block, and W_E. */
    private boolean decays(int index) {
      int blocks = config.nLayers() * PER_BLOCK;
      int inBlock = index % PER_BLOCK;
      return index < blocks
          ? inBlock == 2 || inBlock == 4 || inBlock == 8 || inBlock == 10
          : index == blocks;
    }

    @Override
    public void close() {
      manager.close();
    }
  }
}

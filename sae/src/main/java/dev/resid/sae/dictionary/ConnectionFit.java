package dev.resid.sae.dictionary;

import dev.resid.random.CounterRandom;
import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * How well later features F2 follow from earlier ones F1 of the same tokens: models of growing
 * power are fitted by Adam on mini-batches to the squared error plus an L1 penalty on weights. If
 * the linear one is as good as the others, its weights are the connections.
 *
 * @source experiment document, section 5, 004-j (2)
 */
public final class ConnectionFit {
  /** Every so-manieth row is held out and never fitted. */
  private static final int HELD_OUT = 10;

  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;
  private static final double EPSILON = 1e-8;

  private ConnectionFit() {}

  /** What F2 is computed by. */
  public enum Model {
    /** F1·W. */
    LINEAR,
    /** relu(F1·W + b). */
    RELU_LINEAR,
    /** relu(F1·W + b)·W' + b'. */
    HIDDEN_LAYER
  }

  /**
   * How to fit.
   *
   * @param steps updates
   * @param batchRows rows of an update
   * @param learningRate of Adam, falling linearly to 0
   * @param l1 λ of the penalty λ·mean |W| on every weight matrix
   * @param hidden width of the hidden layer
   * @param seed of the first weights and of the order of the rows
   */
  public record Plan(
      int steps, int batchRows, double learningRate, double l1, int hidden, long seed) {
    /** Checks the ranges. */
    public Plan {
      if (steps < 1 || batchRows < 1 || hidden < 1 || !(learningRate > 0) || !(l1 >= 0)) {
        throw new IllegalArgumentException(
            "steps, rows, hidden width and learning rate are positive and l1 is not negative, got "
                + steps
                + ", "
                + batchRows
                + ", "
                + hidden
                + ", "
                + learningRate
                + ", "
                + l1);
      }
    }
  }

  /**
   * A fitted model.
   *
   * @param model which one
   * @param mse mean of (prediction − F2)² over all entries of the fitted rows
   * @param heldOutMse the same over the rows held out
   * @param heldOutVariance the same for the mean of the fitted rows: what a model without inputs
   *     reaches
   * @param weights W, [in, out]
   */
  public record Fit(
      Model model, double mse, double heldOutMse, double heldOutVariance, Tensor weights) {}

  /**
   * Fits a model. Every tenth row is held out.
   *
   * @param from F1, [row, features]
   * @param to F2 of the same tokens, [row, features]
   * @param model which one
   * @param plan how
   * @param backend computes
   * @throws IllegalArgumentException if the rows differ in number or are fewer than 20
   */
  public static Fit fit(Tensor from, Tensor to, Model model, Plan plan, Backend backend) {
    int rows = Math.toIntExact(from.shape().rows());
    if (rows != to.shape().rows() || rows < 2 * HELD_OUT) {
      throw new IllegalArgumentException(
          "a fit needs "
              + 2 * HELD_OUT
              + " or more rows, the same on both sides, got "
              + rows
              + " and "
              + to.shape().rows());
    }
    Split in = Split.of(from);
    Split out = Split.of(to);
    List<Layer> layers = layers(in.width, out.width, model, plan, backend);
    CounterRandom random = new CounterRandom(plan.seed());
    int[] order = {};
    int next = 0;
    int pass = 0;
    for (int step = 1; step <= plan.steps(); step++) {
      int[] chosen = new int[Math.min(plan.batchRows(), in.fitted())];
      for (int i = 0; i < chosen.length; i++) {
        if (next == order.length) {
          order = random.permutation(in.fitted(), 1, pass++);
          next = 0;
        }
        chosen[i] = order[next++];
      }
      double rate = plan.learningRate() * (plan.steps() - step + 1) / plan.steps();
      update(layers, in.fit(chosen), out.fit(chosen), plan, rate, step);
    }
    return new Fit(
        model,
        error(layers, in.kept, out.kept, in.width, out.width),
        error(layers, in.heldOut, out.heldOut, in.width, out.width),
        out.variance(),
        Tensor.of(layers.getFirst().weights.shape(), layers.getFirst().weights.toArray()));
  }

  private static List<Layer> layers(int in, int out, Model model, Plan plan, Backend backend) {
    List<Layer> layers = new ArrayList<>();
    switch (model) {
      case LINEAR -> layers.add(new Layer(backend, in, out, Activation.IDENTITY, plan.seed(), 0));
      case RELU_LINEAR -> layers.add(new Layer(backend, in, out, Activation.RELU, plan.seed(), 0));
      case HIDDEN_LAYER -> {
        layers.add(new Layer(backend, in, plan.hidden(), Activation.RELU, plan.seed(), 0));
        layers.add(new Layer(backend, plan.hidden(), out, Activation.IDENTITY, plan.seed(), 2));
      }
    }
    return layers;
  }

  private static void update(
      List<Layer> layers, float[] in, float[] wanted, Plan plan, double rate, int step) {
    int rows = in.length / layers.getFirst().in;
    Tensor x = Tensor.wrap(Shape.of(Axis.ROW, rows, Axis.IN, layers.getFirst().in), in);
    for (Layer layer : layers) {
      x = layer.forward(x);
    }
    float[] gradient = x.toArray();
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = 2 * (gradient[i] - wanted[i]) / gradient.length;
    }
    Tensor back = Tensor.wrap(x.shape(), gradient);
    for (int l = layers.size() - 1; l >= 0; l--) {
      back = layers.get(l).backward(back, plan.l1(), l > 0 || layers.size() > 1);
    }
    AdamStep adam = new AdamStep(rate, BETA1, BETA2, EPSILON, 0, 1, step);
    layers.forEach(layer -> layer.step(adam, layers.size() > 1));
  }

  private static double error(List<Layer> layers, float[] in, float[] wanted, int width, int out) {
    int rows = in.length / width;
    double sum = 0;
    int step = 4096;
    for (int from = 0; from < rows; from += step) {
      int to = Math.min(rows, from + step);
      Tensor x =
          Tensor.wrap(
              Shape.of(Axis.ROW, to - from, Axis.IN, width),
              java.util.Arrays.copyOfRange(in, from * width, to * width));
      for (Layer layer : layers) {
        x = layer.forward(x);
      }
      float[] y = x.toArray();
      for (int i = 0; i < y.length; i++) {
        double difference = y[i] - wanted[from * out + i];
        sum += difference * difference;
      }
    }
    return sum / wanted.length;
  }

  /** Rows to fit and rows held out, [rows, width] each. */
  private record Split(int width, float[] kept, float[] heldOut) {
    static Split of(Tensor tensor) {
      int width = tensor.shape().last();
      float[] all = tensor.toArray();
      int rows = all.length / width;
      int held = (rows + HELD_OUT - 1) / HELD_OUT;
      float[] kept = new float[(rows - held) * width];
      float[] heldOut = new float[held * width];
      int k = 0;
      int h = 0;
      for (int row = 0; row < rows; row++) {
        boolean out = row % HELD_OUT == 0;
        System.arraycopy(all, row * width, out ? heldOut : kept, (out ? h++ : k++) * width, width);
      }
      return new Split(width, kept, heldOut);
    }

    int fitted() {
      return kept.length / width;
    }

    float[] fit(int... rows) {
      float[] some = new float[rows.length * width];
      for (int i = 0; i < rows.length; i++) {
        System.arraycopy(kept, rows[i] * width, some, i * width, width);
      }
      return some;
    }

    double variance() {
      double[] mean = new double[width];
      for (int i = 0; i < kept.length; i++) {
        mean[i % width] += kept[i] / (double) fitted();
      }
      double sum = 0;
      for (int i = 0; i < heldOut.length; i++) {
        sum += (heldOut[i] - mean[i % width]) * (heldOut[i] - mean[i % width]);
      }
      return sum / heldOut.length;
    }
  }

  /** A product with weights, a bias and an activation function, with what Adam remembers. */
  private static final class Layer {
    private final Backend backend;
    private final int in;
    private final int out;
    private final Activation activation;
    private final boolean biased;
    private final Matrix packed;
    private final Tensor weights;
    private final Tensor bias;
    private final List<Tensor> moments = new ArrayList<>();
    private Tensor gradient;
    private Tensor biasGradient;
    private Tensor x;
    private Tensor pre;

    Layer(Backend backend, int in, int out, Activation activation, long seed, int stream) {
      this.backend = backend;
      this.in = in;
      this.out = out;
      this.activation = activation;
      Shape shape = Shape.of(Axis.IN, in, Axis.OUT, out);
      float[] first = new float[Math.multiplyExact(in, out)];
      new CounterRandom(seed).fillNormal(stream + 2L, 0, first);
      for (int i = 0; i < first.length; i++) {
        first[i] *= (float) (0.1 / Math.sqrt(in));
      }
      weights = backend.allocate(shape);
      backend.copy(Tensor.wrap(shape, first), weights);
      bias = backend.allocate(Shape.of(Axis.OUT, out));
      packed = backend.pack(weights);
      biased = activation != Activation.IDENTITY;
      for (Shape s : new Shape[] {shape, shape, bias.shape(), bias.shape()}) {
        moments.add(backend.allocate(s));
      }
    }

    Tensor forward(Tensor input) {
      int rows = Math.toIntExact(input.shape().rows());
      x = Tensor.on(Shape.of(Axis.ROW, rows, Axis.IN, in), input.storage());
      Shape shape = Shape.of(Axis.ROW, rows, Axis.OUT, out);
      pre = backend.allocate(shape);
      backend.linear(x, packed, bias, Activation.IDENTITY, pre);
      Tensor y = backend.allocate(shape);
      backend.activate(pre, activation, y);
      return y;
    }

    /** Keeps the gradients of the parameters and returns that of the input. */
    Tensor backward(Tensor dOut, double l1, boolean deep) {
      Tensor dPre = backend.allocate(pre.shape());
      backend.activateBackward(dOut, pre, activation, dPre);
      gradient = backend.allocate(weights.shape());
      backend.addOuterProducts(x, dPre, gradient);
      if (l1 > 0) {
        float[] sum = gradient.toArray();
        float[] w = weights.toArray();
        float penalty = (float) (l1 / w.length);
        for (int i = 0; i < w.length; i++) {
          sum[i] += penalty * Math.signum(w[i]);
        }
        gradient = Tensor.wrap(weights.shape(), sum);
      }
      biasGradient = backend.allocate(bias.shape());
      backend.addColumnSums(dPre, biasGradient);
      Tensor dX = backend.allocate(x.shape());
      if (deep) {
        backend.linearBackwardInput(dPre, packed, dX);
      }
      return dX;
    }

    void step(AdamStep adam, boolean deep) {
      backend.adamW(adam, weights, gradient, moments.get(0), moments.get(1));
      backend.repack(weights, packed);
      if (biased || deep) {
        backend.adamW(adam, bias, biasGradient, moments.get(2), moments.get(3));
      }
    }
  }
}

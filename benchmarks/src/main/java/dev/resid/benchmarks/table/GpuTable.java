package dev.resid.benchmarks.table;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.backend.Precision;
import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.benchmarks.work.SaeWork;
import dev.resid.benchmarks.work.SweepWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.model.Gpt2Weights;
import dev.resid.sae.Architecture;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Locale;

/**
 * The table of a GPU: GPT-2 small's shapes in fp32 and TF32, beside what the device reaches in a
 * large product and in a copy. {@code peer_torch.py} prints the same lines for PyTorch. Arguments:
 * the name of the backend, {@code cuda} if left out, and {@code small} for a short run on sizes
 * that say nothing about speed.
 */
public final class GpuTable {
  private static final int RUNS = 7;

  private final Backend backend;
  private final String precision;
  private final PrintStream out;
  private final Tensor two;

  private GpuTable(Backend backend, String precision, PrintStream out) {
    this.backend = backend;
    this.precision = precision;
    this.out = out;
    this.two = backend.allocate(Shape.of(Axis.ROW, 2));
  }

  /**
   * Prints the table as CSV to standard output.
   *
   * @param arguments backend and size
   */
  public static void main(String[] arguments) {
    String name = arguments.length > 0 ? arguments[0] : "cuda";
    boolean small = arguments.length > 1 && arguments[1].equals("small");
    PrintStream out = System.out;
    out.println("work,engine,precision,seconds,per_second,unit,gflops_or_gbytes_per_second");
    for (Precision precision : Precision.values()) {
      BackendOptions options = BackendOptions.defaults().withPrecision(precision);
      try (Backend backend = Backends.named(name, options)) {
        System.err.println(backend.description());
        new GpuTable(backend, precision.name().toLowerCase(Locale.ROOT), out).run(small);
      }
    }
  }

  private void run(boolean small) {
    ceilings(small ? 256 : 8192);
    Gpt2Weights weights =
        GeneratedModel.weights(small ? GeneratedModel.TINY : GeneratedModel.GPT2_SMALL);
    int batch = small ? 2 : 16;
    int pos = small ? 16 : 128;
    int half = small ? 1 : 6;
    try (SweepWork whole = new SweepWork(weights, batch, pos, 0, backend)) {
      measure("forward and KL", whole, whole.baselines().getFirst(), batch * pos, "tokens", 1);
    }
    try (SweepWork sweep = new SweepWork(weights, batch, pos, half, backend)) {
      measure("20 lengths from the middle", sweep, sweep.ours(), 20 * batch * pos, "tokens", 20);
    }
    int rows = small ? 64 : 32_768;
    int features = small ? 512 : 24_576;
    try (SaeWork sae = new SaeWork(Architecture.RELU, rows, small ? 48 : 768, features, backend)) {
      measure("SAE encode and decode", sae, sae.ours(), rows, "rows", 1);
    }
  }

  /** What the device reaches in a product of square matrices, and reading and writing in a copy. */
  private void ceilings(int n) {
    Shape square = Shape.of(Axis.IN, n, Axis.OUT, n);
    Tensor x = GeneratedModel.values(square, 1, 1);
    Matrix w = backend.pack(x);
    Tensor from = backend.allocate(square);
    backend.copy(x, from);
    Tensor to = backend.allocate(square);
    Tensor bias = backend.allocate(Shape.of(Axis.OUT, n));
    double product = median(() -> backend.linear(from, w, bias, Activation.IDENTITY, to));
    line("ceiling: product of " + n, product, n, "rows", 2.0 * n * n * n / product / 1e9);
    double copy = median(() -> backend.copy(from, to));
    line("ceiling: copy", copy, (double) n * n, "floats", 8.0 * n * n / copy / 1e9);
  }

  private void measure(
      String name, Workload work, Engine engine, double units, String unit, int lengths) {
    // The engine gives the seconds of one length; what it leaves running is waited for.
    double[] seconds = new double[RUNS];
    engine.run();
    for (int i = 0; i < RUNS; i++) {
      double own = engine.seconds();
      long before = System.nanoTime();
      await();
      seconds[i] = lengths * own + (System.nanoTime() - before) / 1e9;
    }
    Arrays.sort(seconds);
    double middle = seconds[RUNS / 2];
    line(name, middle, units, unit, lengths * work.amount() / middle / 1e9);
  }

  private double median(Runnable work) {
    double[] seconds = new double[RUNS];
    work.run();
    await();
    for (int i = 0; i < RUNS; i++) {
      long before = System.nanoTime();
      work.run();
      await();
      seconds[i] = (System.nanoTime() - before) / 1e9;
    }
    Arrays.sort(seconds);
    return seconds[RUNS / 2];
  }

  // A number that crosses to the host comes after everything before it.
  private void await() {
    backend.sumOfSquares(two);
  }

  private void line(String work, double seconds, double units, String unit, double giga) {
    out.println(
        String.format(
            Locale.ROOT,
            "%s,resid,%s,%.6f,%.0f,%s,%.1f",
            work,
            precision,
            seconds,
            units / seconds,
            unit,
            giga));
    out.flush();
  }
}

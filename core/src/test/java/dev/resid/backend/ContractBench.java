package dev.resid.backend;

import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Cases;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * What one contract test works with: the backend under test, the reference, inputs, and outputs
 * with guard values behind them. Inputs lie in longer arrays that end in NaN, so that what is read
 * beyond them shows; at the end of the test they must be unchanged and the guards untouched.
 */
public final class ContractBench {
  private static final int GUARDS = 37;
  private static final float GUARD = 12345.678f;

  /** The backend under test. */
  final Backend tested;

  /** The reference. */
  final Backend reference = new ScalarBackend();

  /** Where inputs come from. */
  final Cases cases = Cases.ofThisRun();

  private final IntFunction<Backend> withThreads;
  private final Function<Shape, Tensor> outputs;
  private final List<Watched> watched = new ArrayList<>();

  /** An array and what it has to hold, from an index on, when the test ends. */
  private record Watched(String what, float[] array, int from, float[] expected) {}

  /**
   * Creates the bench of one test.
   *
   * @param tested the backend under test
   * @param withThreads opens one with so many threads
   * @param outputs allocates output tensors; where it returns null, guarded ones are on the host
   */
  ContractBench(Backend tested, IntFunction<Backend> withThreads, Function<Shape, Tensor> outputs) {
    this.tested = tested;
    this.withThreads = withThreads;
    this.outputs = outputs;
  }

  /** Returns a backend under test with another number of threads. */
  Backend open(int threads) {
    return withThreads.apply(threads);
  }

  /** Returns an input of new values. */
  Tensor in(Cases.Values kind, Shape shape) {
    return in(cases.tensor(shape, kind));
  }

  /** Returns an input of ordinary values. */
  Tensor in(Shape shape) {
    return in(Cases.Values.ORDINARY, shape);
  }

  /** Returns an input of values of one sign, at least {@code least}, for scales and the like. */
  Tensor positive(double least, Shape shape) {
    return in(cases.tensor(shape, Cases.Values.ORDINARY).map(x -> (float) (Math.abs(x) + least)));
  }

  /** Returns the same values as a watched input with NaN behind them. */
  Tensor in(Tensor values) {
    int n = Math.toIntExact(values.elements());
    float[] array = Arrays.copyOf(values.toArray(), n + GUARDS);
    Arrays.fill(array, n, array.length, Float.NaN);
    watched.add(new Watched("an input " + values.shape(), array, 0, array.clone()));
    return Tensor.on(values.shape(), new HostStorage(array));
  }

  /** Returns a new output tensor whose values are NaN where that can be set. */
  Tensor out(Shape shape) {
    Tensor out = outputs.apply(shape);
    return out == null ? guarded(shape) : out;
  }

  /** Returns an output tensor for a kernel that adds to it. */
  Tensor accumulator(Tensor initial) {
    Tensor out = out(initial.shape());
    tested.copy(initial, out);
    return out;
  }

  private Tensor guarded(Shape shape) {
    int n = Math.toIntExact(shape.elements());
    float[] array = new float[n + GUARDS];
    Arrays.fill(array, 0, n, Float.NaN);
    Arrays.fill(array, n, array.length, GUARD);
    float[] guards = Arrays.copyOfRange(array, n, array.length);
    watched.add(new Watched("the guards behind an output " + shape, array, n, guards));
    return Tensor.on(shape, new HostStorage(array));
  }

  /** Checks inputs and guards. */
  void verifyOperands() {
    for (Watched w : watched) {
      int to = w.from + w.expected.length;
      if (Arrays.equals(w.array, w.from, to, w.expected, 0, w.expected.length)) {
        continue;
      }
      float[] found = Arrays.copyOfRange(w.array, w.from, to);
      check(w.what)
          .sameBits(
              Tensor.wrap(Shape.of(Axis.ROW, found.length), w.expected),
              Tensor.wrap(Shape.of(Axis.ROW, found.length), found));
    }
  }

  /** Returns a comparison that names the backend, the operation and the seed. */
  TensorAssert check(String operation) {
    return new TensorAssert(tested.name(), operation, cases.seed());
  }

  /** Returns what the tested backend writes into a new output. */
  Tensor tested(Shape shape, BiConsumer<Backend, Tensor> call) {
    Tensor out = out(shape);
    call.accept(tested, out);
    return out;
  }

  /** Returns what the reference writes into a new output. */
  Tensor reference(Shape shape, BiConsumer<Backend, Tensor> call) {
    Tensor out = Tensor.zeros(shape);
    call.accept(reference, out);
    return out;
  }

  /** Compares what both backends write into a new output. */
  void compare(
      String operation, Shape shape, BiConsumer<Backend, Tensor> call, Tolerance tolerance) {
    check(operation).close(reference(shape, call), tested(shape, call), tolerance);
  }

  /** Compares what both backends write into a new output, bit for bit. */
  void compareBits(String operation, Shape shape, BiConsumer<Backend, Tensor> call) {
    check(operation).sameBits(reference(shape, call), tested(shape, call));
  }

  /** Compares what both backends make of an output that has values before the call. */
  void compareAdded(
      String operation, Tensor initial, BiConsumer<Backend, Tensor> call, Tolerance tolerance) {
    Tensor expected = Tensor.of(initial.shape(), initial.toArray());
    call.accept(reference, expected);
    Tensor actual = accumulator(initial);
    call.accept(tested, actual);
    check(operation).close(expected, actual, tolerance);
  }

  /** Compares one number a row. */
  void compareRows(String operation, Function<Backend, double[]> call, Tolerance tolerance) {
    double[] expected = call.apply(reference);
    check(operation)
        .close(Shape.of(Axis.ROW, expected.length), expected, call.apply(tested), tolerance);
  }

  /** Returns the absolute values, an unwatched tensor. */
  static Tensor abs(Tensor tensor) {
    return tensor.map(Math::abs);
  }

  /** Returns a shape of rows. */
  static Shape rows(int rows, int columns) {
    return Shape.of(Axis.ROW, rows, Axis.D_MODEL, columns);
  }

  /** Returns the shape of a weight matrix. */
  static Shape matrix(int in, int out) {
    return Shape.of(Axis.IN, in, Axis.OUT, out);
  }

  /** Returns the shape of a vector of parameters. */
  static Shape vector(int size) {
    return Shape.of(Axis.OUT, size);
  }

  /** Returns the shape of one number a row. */
  static Shape perRow(int rows) {
    return Shape.of(Axis.ROW, rows, Axis.ONE, 1);
  }

  /** Returns some rows as a tensor of their own. */
  static Tensor part(Tensor tensor, int from, int to) {
    return tensor.slice(tensor.shape().dims().getFirst().axis(), from, to);
  }
}

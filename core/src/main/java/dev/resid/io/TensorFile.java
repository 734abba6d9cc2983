package dev.resid.io;

import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An open file of named tensors: safetensors, npy, npz, or what {@code torch.save} writes. Opening
 * checks everything but the values; values are converted when asked for, from the memory-mapped
 * file, whatever its size. Any thread may read.
 *
 * <pre>{@code
 * try (TensorFile file = TensorFile.open(Path.of("model.safetensors"))) {
 *   Tensor wte = file.tensor("wte.weight", Shape.of(Axis.D_VOCAB, 50257, Axis.D_MODEL, 768));
 * }
 * }</pre>
 */
public abstract sealed class TensorFile implements AutoCloseable
    permits Safetensors, Npy, Npz, TorchCheckpoint {
  private final MappedFile mapped;
  private final Map<String, TensorInfo> table;

  /**
   * Takes over an open file.
   *
   * @param mapped closed with this object
   * @param table its tensors, in the order to list them
   */
  TensorFile(MappedFile mapped, Map<String, TensorInfo> table) {
    this.mapped = mapped;
    this.table = table;
  }

  /**
   * Returns a file opened as what its first bytes say it is; its name does not matter.
   *
   * @param file path of the file
   * @throws TensorFileException if it breaks a rule of its format
   * @throws IOException if it cannot be read
   */
  public static TensorFile open(Path file) throws IOException {
    return open(MappedFile.open(file));
  }

  /** Takes over a mapped file, which is closed with the result or if there is none. */
  static TensorFile open(MappedFile mapped) throws TensorFileException {
    FileKind kind;
    try {
      kind = FileKind.of(mapped);
    } catch (InternalError e) {
      mapped.close();
      throw mapped.cutShort(e);
    } catch (TensorFileException | RuntimeException | Error e) {
      mapped.close();
      throw e;
    }
    return switch (kind) {
      case SAFETENSORS -> Safetensors.open(mapped);
      case NPY -> Npy.open(mapped);
      case NPZ -> Npz.open(mapped);
      case TORCH -> TorchCheckpoint.open(mapped);
    };
  }

  /** Returns the format in a word: safetensors, npy, npz or torch. */
  public abstract String format();

  /** Returns the path this file was opened by. */
  public final Path file() {
    return mapped.file();
  }

  /** Returns the names of all tensors, in the order of the file. */
  public final List<String> names() {
    return List.copyOf(table.keySet());
  }

  /** Returns the entries of all tensors, in the order of the file. */
  public final List<TensorInfo> entries() {
    return List.copyOf(table.values());
  }

  /**
   * Returns whether the file has a tensor of this name.
   *
   * @param name key in the file
   */
  public final boolean has(String name) {
    return table.containsKey(name);
  }

  /**
   * Returns dtype, shape and place of a tensor.
   *
   * @param name key in the file
   * @throws TensorFileException if there is no such tensor
   */
  public final TensorInfo entry(String name) throws TensorFileException {
    TensorInfo info = table.get(name);
    if (info == null) {
      throw fail(
          name,
          "there is no such tensor; the file has " + Printable.names(table.keySet()),
          "Check that this is the right file");
    }
    return info;
  }

  /**
   * Returns a tensor copied to the host as float32. F16 and BF16 convert exactly, F64 rounds to
   * nearest.
   *
   * @param name key in the file
   * @param shape its expected shape
   * @throws TensorFileException if it is missing, has other sizes, or is not of a float dtype
   */
  public final Tensor tensor(String name, Shape shape) throws TensorFileException {
    Numbers numbers = floats(checked(name, shape));
    float[] values = new float[hostLength(name, numbers.count())];
    numbers.floats(0, values, 0, values.length);
    return Tensor.wrap(shape, values);
  }

  /**
   * Returns a tensor copied to the host as float32, with axes dim0, dim1 and so on.
   *
   * @param name key in the file
   * @throws TensorFileException if it is missing or not of a float dtype
   */
  public final Tensor tensor(String name) throws TensorFileException {
    return tensor(name, unnamedShape(name));
  }

  /**
   * Returns a tensor whose values stay in the file and are converted when read. Reading it after
   * {@link #close} throws an {@link IllegalStateException}.
   *
   * @param name key in the file
   * @param shape its expected shape
   * @throws TensorFileException if it is missing, has other sizes, or is not of a float dtype
   */
  public final Tensor mapped(String name, Shape shape) throws TensorFileException {
    return Tensor.on(shape, new MappedStorage(floats(checked(name, shape))));
  }

  /**
   * Returns a tensor whose values stay in the file, with axes dim0, dim1 and so on.
   *
   * @param name key in the file
   * @throws TensorFileException if it is missing or not of a float dtype
   */
  public final Tensor mapped(String name) throws TensorFileException {
    return mapped(name, unnamedShape(name));
  }

  /**
   * Returns the values of a tensor of any float dtype as float64, exactly, row-major.
   *
   * @param name key in the file
   * @throws TensorFileException if it is missing or not of a float dtype
   */
  public final double[] doubles(String name) throws TensorFileException {
    Numbers numbers = floats(entry(name));
    double[] values = new double[hostLength(name, numbers.count())];
    numbers.doubles(0, values, 0, values.length);
    return values;
  }

  /**
   * Returns the values of a tensor of any integer dtype, row-major; BOOL gives the byte stored.
   *
   * @param name key in the file
   * @throws TensorFileException if it is missing, not of an integer dtype, or holds U64 values
   *     above 2^63-1
   */
  public final long[] longs(String name) throws TensorFileException {
    TensorInfo info = entry(name);
    if (!info.dtype().isInteger()) {
      throw fail(name, "it is stored as " + info.dtype() + ", expected integers", "Use doubles()");
    }
    Numbers numbers = numbers(info);
    long[] values = new long[hostLength(name, numbers.count())];
    numbers.longs(0, values, 0, values.length);
    if (info.dtype() == DType.U64) {
      for (int i = 0; i < values.length; i++) {
        if (values[i] < 0) {
          throw fail(
              name,
              "element " + i + " is " + Long.toUnsignedString(values[i]) + ", above 2^63-1",
              "Store it as I64");
        }
      }
    }
    return values;
  }

  /**
   * Returns the values of a tensor of any integer dtype, row-major.
   *
   * @param name key in the file
   * @throws TensorFileException if it is missing, not of an integer dtype, or holds a value that
   *     does not fit in 32 bits
   */
  public final int[] ints(String name) throws TensorFileException {
    long[] wide = longs(name);
    int[] values = new int[wide.length];
    for (int i = 0; i < wide.length; i++) {
      values[i] = (int) wide[i];
      if (values[i] != wide[i]) {
        throw fail(
            name, "element " + i + " is " + wide[i] + ", beyond 32 bits", "Read it with longs()");
      }
    }
    return values;
  }

  /** Ends the mapping. Tensors from {@link #mapped} are of no use afterwards. */
  @Override
  public final void close() {
    mapped.close();
  }

  @Override
  public final String toString() {
    return getClass().getSimpleName() + "[" + file() + ", " + table.size() + " tensors]";
  }

  /** Returns the values of one of the tensors, of any dtype but the opaque ones. */
  abstract Numbers values(TensorInfo info) throws TensorFileException;

  /** Returns an exception about this file. */
  TensorFileException failure(String where, String rule, String advice) {
    return new TensorFileException(file(), where, rule, advice);
  }

  final MappedFile mappedFile() {
    return mapped;
  }

  private Numbers numbers(TensorInfo info) throws TensorFileException {
    if (!mapped.bytes().scope().isAlive()) {
      throw new IllegalStateException(
          file() + ": tensor " + Printable.quoted(info.name()) + " was asked for after close()");
    }
    return values(info);
  }

  private TensorInfo checked(String name, Shape shape) throws TensorFileException {
    TensorInfo info = entry(name);
    if (!info.fits(shape)) {
      throw fail(
          name,
          "its shape is " + Printable.numbers(info.shape()) + ", expected " + shape,
          "Check that this file belongs to the configuration it is used with");
    }
    return info;
  }

  private Shape unnamedShape(String name) throws TensorFileException {
    try {
      return entry(name).unnamedShape();
    } catch (ArithmeticException e) {
      throw fail(
          name,
          "shape " + Printable.numbers(entry(name).shape()) + " has a size above 2^31-1",
          "Store it under a shape of smaller sizes");
    }
  }

  private Numbers floats(TensorInfo info) throws TensorFileException {
    if (!info.dtype().isFloat()) {
      throw fail(
          info.name(),
          "it is stored as " + info.dtype() + ", expected F16, BF16, F32 or F64",
          info.dtype().isInteger() ? "Use longs()" : "Convert the file first");
    }
    return numbers(info);
  }

  private int hostLength(String name, long count) throws TensorFileException {
    if (count > Integer.MAX_VALUE - 8) {
      throw fail(name, "it has " + count + " values, more than a Java array holds", "Use mapped()");
    }
    return (int) count;
  }

  private TensorFileException fail(String name, String rule, String advice) {
    return failure("tensor " + Printable.quoted(name), rule, advice);
  }
}

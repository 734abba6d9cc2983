package dev.resid.io;

import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An open safetensors file. {@link #open} checks the whole header and reads no values; values are
 * converted when asked for, from the memory-mapped file, whatever its size.
 *
 * <pre>{@code
 * try (Safetensors file = Safetensors.open(Path.of("model.safetensors"))) {
 *   Tensor wte = file.tensor("wte.weight", Shape.of(Axis.D_VOCAB, 50257, Axis.D_MODEL, 768));
 * }
 * }</pre>
 *
 * <p>Any thread may read. Extra fields of a tensor's entry and white space before the header are
 * accepted, as by the reference implementation; a dtype it does not know is an error.
 */
public final class Safetensors implements AutoCloseable {
  private final MappedFile mapped;
  private final SafetensorsHeader header;

  private Safetensors(MappedFile mapped, SafetensorsHeader header) {
    this.mapped = mapped;
    this.header = header;
  }

  /**
   * Returns the open file.
   *
   * @param file path of the file
   * @throws SafetensorsException if the file breaks a rule of the format
   * @throws IOException if it cannot be read
   */
  public static Safetensors open(Path file) throws IOException {
    return read(file, MappedFile.open(file));
  }

  /**
   * Returns a file whose bytes are in memory, for example a resource of a jar.
   *
   * @param name what error messages call it
   * @param content the whole file; must not be changed while open
   * @throws SafetensorsException if the content breaks a rule of the format
   */
  public static Safetensors of(Path name, byte[] content) throws IOException {
    return read(name, MappedFile.of(name, content));
  }

  private static Safetensors read(Path file, MappedFile mapped) throws IOException {
    try {
      return new Safetensors(mapped, SafetensorsHeader.parse(file, mapped.bytes()));
    } catch (IOException | RuntimeException | Error e) {
      mapped.close();
      throw e;
    }
  }

  /** Returns the path this file was opened by. */
  public Path file() {
    return mapped.file();
  }

  /** Returns the names of all tensors, in the order of their bytes. */
  public List<String> names() {
    return List.copyOf(header.tensors().keySet());
  }

  /** Returns the entries of all tensors, in the order of their bytes. */
  public List<TensorInfo> entries() {
    return List.copyOf(header.tensors().values());
  }

  /**
   * Returns whether the file has a tensor of this name.
   *
   * @param name key in the file
   */
  public boolean has(String name) {
    return header.tensors().containsKey(name);
  }

  /** Returns the strings stored beside the tensors; empty if there are none. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /**
   * Returns dtype, shape and place of a tensor.
   *
   * @param name key in the file
   * @throws SafetensorsException if there is no such tensor
   */
  public TensorInfo entry(String name) throws SafetensorsException {
    TensorInfo info = header.tensors().get(name);
    if (info == null) {
      throw fail(
          name,
          "there is no such tensor; the file has " + Printable.names(header.tensors().keySet()),
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
   * @throws SafetensorsException if it is missing, has other sizes, or is not of a float dtype
   */
  public Tensor tensor(String name, Shape shape) throws SafetensorsException {
    RawNumbers numbers = floats(checked(name, shape));
    float[] values = new float[hostLength(name, numbers.count())];
    numbers.floats(0, values, 0, values.length);
    return Tensor.wrap(shape, values);
  }

  /**
   * Returns a tensor copied to the host as float32, with axes dim0, dim1 and so on.
   *
   * @param name key in the file
   * @throws SafetensorsException if it is missing or not of a float dtype
   */
  public Tensor tensor(String name) throws SafetensorsException {
    return tensor(name, unnamedShape(name));
  }

  /**
   * Returns a tensor whose values stay in the file and are converted when read. Reading it after
   * {@link #close} throws an {@link IllegalStateException}.
   *
   * @param name key in the file
   * @param shape its expected shape
   * @throws SafetensorsException if it is missing, has other sizes, or is not of a float dtype
   */
  public Tensor mapped(String name, Shape shape) throws SafetensorsException {
    return Tensor.on(shape, new MappedStorage(floats(checked(name, shape))));
  }

  /**
   * Returns a tensor whose values stay in the file, with axes dim0, dim1 and so on.
   *
   * @param name key in the file
   * @throws SafetensorsException if it is missing or not of a float dtype
   */
  public Tensor mapped(String name) throws SafetensorsException {
    return mapped(name, unnamedShape(name));
  }

  /**
   * Returns the values of a tensor of any float dtype as float64, exactly, row-major.
   *
   * @param name key in the file
   * @throws SafetensorsException if it is missing or not of a float dtype
   */
  public double[] doubles(String name) throws SafetensorsException {
    RawNumbers numbers = floats(entry(name));
    double[] values = new double[hostLength(name, numbers.count())];
    numbers.doubles(0, values, 0, values.length);
    return values;
  }

  /**
   * Returns the values of a tensor of any integer dtype, row-major; BOOL gives the byte stored.
   *
   * @param name key in the file
   * @throws SafetensorsException if it is missing, not of an integer dtype, or holds U64 values
   *     above 2^63-1
   */
  public long[] longs(String name) throws SafetensorsException {
    TensorInfo info = entry(name);
    if (!info.dtype().isInteger()) {
      throw fail(name, "it is stored as " + info.dtype() + ", expected integers", "Use doubles()");
    }
    RawNumbers numbers = numbers(info);
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
   * @throws SafetensorsException if it is missing, not of an integer dtype, or holds a value that
   *     does not fit in 32 bits
   */
  public int[] ints(String name) throws SafetensorsException {
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
  public void close() {
    mapped.close();
  }

  @Override
  public String toString() {
    return "Safetensors[" + file() + ", " + header.tensors().size() + " tensors]";
  }

  private TensorInfo checked(String name, Shape shape) throws SafetensorsException {
    TensorInfo info = entry(name);
    if (!info.fits(shape)) {
      throw fail(
          name,
          "its shape is " + Printable.numbers(info.shape()) + ", expected " + shape,
          "Check that this file belongs to the configuration it is used with");
    }
    return info;
  }

  private Shape unnamedShape(String name) throws SafetensorsException {
    try {
      return entry(name).unnamedShape();
    } catch (ArithmeticException e) {
      throw fail(
          name,
          "shape " + Printable.numbers(entry(name).shape()) + " has a size above 2^31-1",
          "Store it under a shape of smaller sizes");
    }
  }

  private RawNumbers floats(TensorInfo info) throws SafetensorsException {
    if (!info.dtype().isFloat()) {
      throw fail(
          info.name(),
          "it is stored as " + info.dtype() + ", expected F16, BF16, F32 or F64",
          info.dtype().isInteger() ? "Use longs()" : "Convert the file first");
    }
    return numbers(info);
  }

  private RawNumbers numbers(TensorInfo info) {
    if (!mapped.bytes().scope().isAlive()) {
      throw new IllegalStateException(
          file() + ": tensor " + Printable.quoted(info.name()) + " was asked for after close()");
    }
    return new RawNumbers(
        file(),
        info.name(),
        info.dtype(),
        mapped.bytes().asSlice(info.begin(), info.bytes()),
        ByteOrder.LITTLE_ENDIAN);
  }

  private int hostLength(String name, long count) throws SafetensorsException {
    if (count > Integer.MAX_VALUE - 8) {
      throw fail(
          name, "it has " + count + " values, more than a Java array holds", "Use mapped()");
    }
    return (int) count;
  }

  private SafetensorsException fail(String name, String rule, String advice) {
    return new SafetensorsException(file(), "tensor " + Printable.quoted(name), rule, advice);
  }
}

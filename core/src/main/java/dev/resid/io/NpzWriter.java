package dev.resid.io;

import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Collects arrays and writes them as one npz file that {@code numpy.load} reads: uncompressed,
 * little-endian, row-major, in the order of adding, with zip64 where sizes need it. The same arrays
 * give the same bytes.
 *
 * <p>Values are read when {@link #write} runs, twice: for the checksum and for the file.
 */
public final class NpzWriter {
  /**
   * A constant time, so that equal content is equal bytes. The very first a zip entry can have
   * would make the JDK add a field that depends on the time zone.
   */
  private static final LocalDateTime EPOCH = LocalDateTime.of(1980, 2, 1, 0, 0);

  /** What an entry costs beside its content and twice its name, zip64 fields included. */
  private static final long ENTRY_BYTES = 160;

  private final Map<String, EncodedTensor> tensors = new LinkedHashMap<>();

  /** Starts with no arrays. */
  public NpzWriter() {}

  /**
   * Adds a tensor as float32.
   *
   * @param name its key
   * @param tensor its shape and values
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text
   */
  public NpzWriter add(String name, Tensor tensor) {
    return add(name, tensor, DType.F32);
  }

  /**
   * Adds a tensor as F16, F32 or F64. F16 rounds to nearest, ties to even.
   *
   * @param name its key
   * @param tensor its shape and values
   * @param dtype how to store it; npy has no BF16
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text, or the dtype is not
   *     one of the three; later, from {@link #write}, if a finite value is too large for F16
   */
  public NpzWriter add(String name, Tensor tensor, DType dtype) {
    return put(EncodedTensor.of(name, tensor, dtype));
  }

  /**
   * Adds values as float64.
   *
   * @param name its key
   * @param shape its shape
   * @param values row-major; not copied, so unchanged until {@link #write} has run
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text
   * @throws ShapeMismatchException if the number of values is not that of the shape
   */
  public NpzWriter add(String name, Shape shape, double[] values) {
    return put(EncodedTensor.of(name, shape, values));
  }

  /**
   * Adds values as int64.
   *
   * @param name its key
   * @param shape its shape
   * @param values row-major; not copied, so unchanged until {@link #write} has run
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text
   * @throws ShapeMismatchException if the number of values is not that of the shape
   */
  public NpzWriter add(String name, Shape shape, long[] values) {
    return put(EncodedTensor.of(name, shape, values));
  }

  /**
   * Adds values as int32.
   *
   * @param name its key
   * @param shape its shape
   * @param values row-major; not copied, so unchanged until {@link #write} has run
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text
   * @throws ShapeMismatchException if the number of values is not that of the shape
   */
  public NpzWriter add(String name, Shape shape, int[] values) {
    return put(EncodedTensor.of(name, shape, values));
  }

  /**
   * Writes the file, replacing it atomically.
   *
   * @param file the file to create or replace; its folder must exist
   * @throws IOException if it cannot be written, for example because the disk is full; the file
   *     then stays as it was
   * @throws IllegalArgumentException if a finite value is too large for the dtype asked for
   */
  public void write(Path file) throws IOException {
    long total = 0;
    for (EncodedTensor tensor : tensors.values()) {
      total = Math.addExact(total, tensor.bytes() + ENTRY_BYTES + 2L * tensor.name().length());
    }
    AtomicFiles.write(
        file,
        total,
        out -> {
          ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.UTF_8);
          zip.setMethod(ZipOutputStream.STORED);
          for (EncodedTensor tensor : tensors.values()) {
            byte[] header = NpyWriter.header(tensor);
            ZipEntry entry = new ZipEntry(tensor.name() + ".npy");
            entry.setTimeLocal(EPOCH);
            entry.setSize(header.length + tensor.bytes());
            entry.setCrc(crc(header, tensor));
            zip.putNextEntry(entry);
            zip.write(header);
            tensor.values().writeTo(zip);
            zip.closeEntry();
          }
          zip.finish();
        });
  }

  private NpzWriter put(EncodedTensor tensor) {
    NpyWriter.header(tensor); // refuses what npy cannot hold now rather than later
    if (tensor.name().getBytes(StandardCharsets.UTF_8).length > 0xFFFF - 4) {
      throw new IllegalArgumentException(
          "array " + Printable.quoted(tensor.name()) + ": the name is too long for a zip file");
    }
    if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
      throw new IllegalArgumentException(
          "array " + Printable.quoted(tensor.name()) + " was added before; give it another name");
    }
    return this;
  }

  private static long crc(byte[] header, EncodedTensor tensor) throws IOException {
    CheckedOutputStream out = new CheckedOutputStream(OutputStream.nullOutputStream(), new CRC32());
    try (OutputStream buffered = new BufferedOutputStream(out)) {
      buffered.write(header);
      tensor.values().writeTo(buffered);
    }
    return out.getChecksum().getValue();
  }
}

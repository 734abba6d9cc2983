package dev.resid.io;

import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Collects tensors and writes them as one safetensors file. The bytes depend only on what was
 * added, not on the order of adding, and are those the reference implementation writes: tensors by
 * decreasing alignment of their dtype, then by name; metadata keys sorted; the header padded with
 * blanks to a multiple of 8.
 *
 * <pre>{@code
 * new SafetensorsWriter()
 *     .metadata("format", "pt")
 *     .add("wte.weight", wte)
 *     .write(Path.of("model.safetensors"));
 * }</pre>
 *
 * <p>Values are read when {@link #write} runs, a piece at a time, so that mapped tensors of any
 * size can be written.
 */
public final class SafetensorsWriter {
  private static final String METADATA = "__metadata__";
  private static final Comparator<String> BY_UTF8 =
      (a, b) ->
          Arrays.compareUnsigned(
              a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));

  private final Map<String, EncodedTensor> entries = new HashMap<>();
  private final SortedMap<String, String> metadata = new TreeMap<>(BY_UTF8);
  private final FileChecksum checksum = new FileChecksum();

  /** Starts with no tensors. */
  public SafetensorsWriter() {}

  /**
   * Adds a tensor as F32.
   *
   * @param name its key in the file
   * @param tensor its shape and values
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text
   */
  public SafetensorsWriter add(String name, Tensor tensor) {
    return add(name, tensor, DType.F32);
  }

  /**
   * Adds a tensor as F16, BF16, F32 or F64. F16 and BF16 round to nearest, ties to even.
   *
   * @param name its key in the file
   * @param tensor its shape and values
   * @param dtype how to store it
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text, or the dtype is not
   *     one of the four; later, from {@link #write}, if a finite value is too large for the dtype
   */
  public SafetensorsWriter add(String name, Tensor tensor, DType dtype) {
    return put(EncodedTensor.of(name, tensor, dtype));
  }

  /**
   * Adds values as F64.
   *
   * @param name its key in the file
   * @param shape its shape
   * @param values row-major; not copied, so unchanged until {@link #write} has run
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text
   * @throws ShapeMismatchException if the number of values is not that of the shape
   */
  public SafetensorsWriter add(String name, Shape shape, double[] values) {
    return put(EncodedTensor.of(name, shape, values));
  }

  /**
   * Adds values as I64.
   *
   * @param name its key in the file
   * @param shape its shape
   * @param values row-major; not copied, so unchanged until {@link #write} has run
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text
   * @throws ShapeMismatchException if the number of values is not that of the shape
   */
  public SafetensorsWriter add(String name, Shape shape, long[] values) {
    return put(EncodedTensor.of(name, shape, values));
  }

  /**
   * Adds values as I32.
   *
   * @param name its key in the file
   * @param shape its shape
   * @param values row-major; not copied, so unchanged until {@link #write} has run
   * @return this writer
   * @throws IllegalArgumentException if the name is taken or not Unicode text
   * @throws ShapeMismatchException if the number of values is not that of the shape
   */
  public SafetensorsWriter add(String name, Shape shape, int[] values) {
    return put(EncodedTensor.of(name, shape, values));
  }

  /**
   * Adds a string to the metadata, replacing one of the same key.
   *
   * @param key its key
   * @param value its value
   * @return this writer
   * @throws IllegalArgumentException if either is not Unicode text
   */
  public SafetensorsWriter metadata(String key, String value) {
    metadata.put(text(key), text(value));
    return this;
  }

  /**
   * Adds a last tensor with the checksum of everything else in the file, which {@link
   * Safetensors#requireChecksum} looks at; other programs read the file as ever.
   *
   * @return this writer
   * @throws IllegalArgumentException if it was added before
   */
  public SafetensorsWriter withChecksum() {
    return put(checksum.tensor());
  }

  /**
   * Writes the file: first to a temporary file in the same folder, forced to disk, then renamed.
   *
   * @param file the file to create or replace; its folder must exist
   * @throws IOException if it cannot be written, for example because the disk is full; the file
   *     then stays as it was
   * @throws IllegalArgumentException if a finite value is too large for the dtype asked for
   */
  public void write(Path file) throws IOException {
    List<EncodedTensor> ordered =
        entries.values().stream()
            .sorted(
                Comparator.comparing(EncodedTensor::dtype, Comparator.reverseOrder())
                    .thenComparing(EncodedTensor::name, BY_UTF8))
            .toList();
    byte[] header = header(ordered);
    int padding = (8 - header.length % 8) % 8;
    if (header.length + padding > SafetensorsHeader.MAX_HEADER_BYTES) {
      throw new IllegalArgumentException(
          file
              + ": the header would have "
              + header.length
              + " bytes, above the format's limit of "
              + SafetensorsHeader.MAX_HEADER_BYTES
              + "; shorten the metadata");
    }
    long total = 8L + header.length + padding;
    for (EncodedTensor entry : ordered) {
      total = Math.addExact(total, entry.bytes());
    }
    AtomicFiles.write(
        file,
        total,
        target -> {
          OutputStream out = checksum.over(target);
          out.write(
              ByteBuffer.allocate(8)
                  .order(ByteOrder.LITTLE_ENDIAN)
                  .putLong(header.length + padding)
                  .array());
          out.write(header);
          NumberEncoder.repeat(' ', padding, out);
          for (EncodedTensor entry : ordered) {
            entry.values().writeTo(out);
          }
        });
  }

  private SafetensorsWriter put(EncodedTensor entry) {
    if (entry.name().equals(METADATA)) {
      throw new IllegalArgumentException(
          "no tensor can be named " + METADATA + ": the format keeps that key for strings");
    }
    if (entries.putIfAbsent(entry.name(), entry) != null) {
      throw new IllegalArgumentException(
          "tensor " + Printable.quoted(entry.name()) + " was added before; give it another name");
    }
    return this;
  }

  private static String text(String text) {
    if (!Utf8.isWellFormed(text)) {
      throw new IllegalArgumentException(
          Printable.quoted(text) + " holds half a surrogate pair, which UTF-8 cannot store");
    }
    return text;
  }

  private byte[] header(List<EncodedTensor> ordered) {
    StringBuilder json = new StringBuilder("{");
    if (!metadata.isEmpty()) {
      string(json, METADATA).append(":{");
      String separator = "";
      for (Map.Entry<String, String> entry : metadata.entrySet()) {
        string(json.append(separator), entry.getKey()).append(':');
        string(json, entry.getValue());
        separator = ",";
      }
      json.append('}');
    }
    long offset = 0;
    for (EncodedTensor entry : ordered) {
      string(json.append(json.length() == 1 ? "" : ","), entry.name());
      json.append(":{\"dtype\":\"").append(entry.dtype()).append("\",\"shape\":[");
      String separator = "";
      for (int size : entry.shape().sizes()) {
        json.append(separator).append(size);
        separator = ",";
      }
      json.append("],\"data_offsets\":[").append(offset).append(',');
      offset = Math.addExact(offset, entry.bytes());
      json.append(offset).append("]}");
    }
    return json.append('}').toString().getBytes(StandardCharsets.UTF_8);
  }

  private static StringBuilder string(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> json.append("\\\"");
        case '\\' -> json.append("\\\\");
        case '\b' -> json.append("\\b");
        case '\t' -> json.append("\\t");
        case '\n' -> json.append("\\n");
        case '\f' -> json.append("\\f");
        case '\r' -> json.append("\\r");
        default -> {
          if (c < ' ') {
            json.append(String.format("\\u%04x", (int) c));
          } else {
            json.append(c);
          }
        }
      }
    }
    return json.append('"');
  }
}

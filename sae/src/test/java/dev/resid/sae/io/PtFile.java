package dev.resid.sae.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes what torch.save would: a dictionary of tensors, numbers, strings and dictionaries. */
final class PtFile {
  private final Map<String, byte[]> storages = new LinkedHashMap<>();
  private final ByteArrayOutputStream pickle = new ByteArrayOutputStream();

  private PtFile() {}

  /**
   * Writes the file.
   *
   * @param values by key: {@link Values}, Long, String, Boolean, Double or a map of these
   */
  static Path write(Path file, Map<String, ?> values) throws IOException {
    return Files.write(file, bytes(values));
  }

  static byte[] bytes(Map<String, ?> values) throws IOException {
    PtFile pt = of(values);
    return pt.around(pt.pickle());
  }

  /** Returns a file in two parts: the pickle, and the numbers around it. */
  static PtFile of(Map<String, ?> values) {
    PtFile pt = new PtFile();
    pt.op(0x80, 2);
    pt.value(values);
    pt.op('.');
    return pt;
  }

  /** Returns the pickle, which says what tensors there are. */
  byte[] pickle() {
    return pickle.toByteArray();
  }

  /** Returns the archive of a pickle that was assembled elsewhere. */
  static byte[] ofPickle(byte[] content) throws IOException {
    return new PtFile().around(content);
  }

  /** A tensor of floats, or of whole numbers. */
  record Values(String type, int[] shape, byte[] bytes) {
    static Values floats(int[] shape, float... values) {
      ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
      for (float value : values) {
        bytes.putFloat(value);
      }
      return new Values("FloatStorage", shape, bytes.array());
    }

    static Values integer(long value) {
      byte[] bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
      return new Values("LongStorage", new int[0], bytes);
    }

    private int size() {
      return type.equals("LongStorage") ? 8 : 4;
    }
  }

  private void op(int... bytes) {
    for (int each : bytes) {
      pickle.write(each);
    }
  }

  private void value(Object value) {
    switch (value) {
      case Map<?, ?> map -> {
        op('}', '(');
        map.forEach(
            (key, item) -> {
              value(key);
              value(item);
            });
        op('u');
      }
      case Values tensor -> tensor(tensor);
      case String text -> {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        op('X', bytes.length, bytes.length >> 8, 0, 0);
        pickle.writeBytes(bytes);
      }
      case Long number -> number(number);
      case Boolean flag -> op(flag ? 0x88 : 0x89);
      default -> throw new IllegalArgumentException(value.toString());
    }
  }

  private void number(long value) {
    op(0x8a, 8);
    pickle.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }

  private void global(String module, String name) {
    pickle.writeBytes(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  private void tensor(Values tensor) {
    String key = Integer.toString(storages.size());
    storages.put(key, tensor.bytes());
    global("torch._utils", "_rebuild_tensor_v2");
    op('(', '(');
    value("storage");
    global("torch", tensor.type());
    value(key);
    value("cpu");
    number(tensor.bytes().length / tensor.size());
    op('t', 'Q');
    number(0);
    op('(');
    for (int size : tensor.shape()) {
      number(size);
    }
    op('t', '(');
    for (int i = 0; i < tensor.shape().length; i++) {
      long stride = 1;
      for (int j = i + 1; j < tensor.shape().length; j++) {
        stride *= tensor.shape()[j];
      }
      number(stride);
    }
    op('t', 0x89);
    global("collections", "OrderedDict");
    op(')', 'R', 't', 'R');
  }

  /** Returns the archive of the numbers and of a pickle, which may be damaged. */
  byte[] around(byte[] content) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("archive/data.pkl", content);
    storages.forEach((key, data) -> entries.put("archive/data/" + key, data));
    entries.put("archive/version", new byte[] {'3', '\n'});
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.setMethod(ZipOutputStream.STORED);
      for (Map.Entry<String, byte[]> item : entries.entrySet()) {
        ZipEntry entry = new ZipEntry(item.getKey());
        CRC32 crc = new CRC32();
        crc.update(item.getValue());
        entry.setCrc(crc.getValue());
        entry.setSize(item.getValue().length);
        zip.putNextEntry(entry);
        zip.write(item.getValue());
      }
    }
    return bytes.toByteArray();
  }
}

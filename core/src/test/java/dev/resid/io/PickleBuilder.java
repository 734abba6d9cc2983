package dev.resid.io;

import dev.resid.tensor.Tensor;
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

/** Assembles pickles opcode by opcode, and the archives torch.save puts them in. */
public final class PickleBuilder {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Map<String, byte[]> storages = new LinkedHashMap<>();

  PickleBuilder() {
    op(0x80, 2);
  }

  PickleBuilder op(int... bytes) {
    for (int b : bytes) {
      out.write(b);
    }
    return this;
  }

  PickleBuilder ascii(String text) {
    out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  PickleBuilder string(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    op('X', bytes.length, bytes.length >> 8, 0, 0);
    out.writeBytes(bytes);
    return this;
  }

  PickleBuilder integer(long value) {
    op(0x8a, 8);
    out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    return this;
  }

  PickleBuilder global(String module, String name) {
    return ascii("c" + module + "\n" + name + "\n");
  }

  PickleBuilder tuple(long... values) {
    op('(');
    for (long value : values) {
      integer(value);
    }
    return op('t');
  }

  /** The persistent id of a storage that claims so many values, and its data. */
  PickleBuilder storage(String type, String key, long count, byte[] data) {
    storages.put(key, data);
    op('(').string("storage").global("torch", type).string(key).string("cpu").integer(count);
    return op('t', 'Q');
  }

  /** A float tensor; {@code data} is its storage. */
  PickleBuilder tensor(String key, long offset, long[] sizes, long[] strides, float... data) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * data.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : data) {
      bytes.putFloat(value);
    }
    global("torch._utils", "_rebuild_tensor_v2").op('(');
    storage("FloatStorage", key, data.length, bytes.array());
    integer(offset).tuple(sizes).tuple(strides).op(0x89);
    return global("collections", "OrderedDict").op(')', 'R', 't', 'R');
  }

  /** Writes what torch.save writes for a state dictionary of float tensors. */
  public static Path stateDict(Path file, Map<String, Tensor> tensors) throws IOException {
    PickleBuilder pickle = new PickleBuilder();
    pickle.global("collections", "OrderedDict").op(')', 'R', '(');
    int key = 0;
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      int rank = entry.getValue().shape().rank();
      long[] sizes = new long[rank];
      long[] strides = new long[rank];
      long stride = 1;
      for (int axis = rank - 1; axis >= 0; axis--) {
        sizes[axis] = entry.getValue().shape().sizes()[axis];
        strides[axis] = stride;
        stride *= sizes[axis];
      }
      pickle.string(entry.getKey());
      pickle.tensor(String.valueOf(key++), 0, sizes, strides, entry.getValue().toArray());
    }
    return pickle.op('u').write(file);
  }

  byte[] pickle() {
    return out.toByteArray();
  }

  /** Ends the pickle and writes the archive. */
  Path write(Path path) throws IOException {
    op('.');
    return write(path, Map.of());
  }

  Path write(Path path, Map<String, byte[]> extra) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("archive/data.pkl", pickle());
    storages.forEach((key, data) -> entries.put("archive/data/" + key, data));
    entries.put("archive/version", new byte[] {'3', '\n'});
    entries.putAll(extra);
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
    return Files.write(path, bytes.toByteArray());
  }
}

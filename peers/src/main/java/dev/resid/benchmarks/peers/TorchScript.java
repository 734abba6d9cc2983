package dev.resid.benchmarks.peers;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import dev.resid.tensor.Tensor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

// PyTorch runs a program in TorchScript, which this class puts into the file format that it loads:
// a
// zip of the text of a class, the pickle of an object of that class, and a version. So the
// operators
// are those that PyTorch's users call, without a Python interpreter and without a file.
//
// The pickle (protocol 2): the class __torch__.Model, an empty tuple, NEWOBJ, a dictionary with the
// attribute "training" = False, BUILD, STOP.
final class TorchScript implements AutoCloseable {
  private static final String HEADER =
      """
      class Model(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
      """;

  private static final byte[] CONSTANTS = {(byte) 0x80, 2, ')', '.'};

  private final PtNDManager manager;
  private final PtSymbolBlock module;

  /**
   * Loads a program.
   *
   * @param manager owns what it makes
   * @param method the text of {@code def forward(self: __torch__.Model, ...)}, indented by two
   */
  TorchScript(PtNDManager manager, String method) {
    this.manager = manager;
    try {
      module =
          JniUtils.loadModule(manager, new ByteArrayInputStream(archive(method)), false, false);
    } catch (IOException e) {
      throw new UncheckedIOException("a program in memory cannot be read", e);
    }
  }

  /** Returns what owns arrays, with so many threads for PyTorch. */
  static PtNDManager manager(int threads) {
    PtNDManager manager =
        (PtNDManager)
            Engine.getEngine("PyTorch").newBaseManager(Device.cpu()).newSubManager(Device.cpu());
    JniUtils.setNumThreads(threads);
    JniUtils.setGradMode(false);
    return manager;
  }

  /** Returns a copy of a tensor. */
  static PtNDArray array(PtNDManager manager, Tensor tensor) {
    int[] sizes = tensor.shape().sizes();
    long[] dims = new long[sizes.length];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = sizes[i];
    }
    return (PtNDArray) manager.create(tensor.toArray(), new Shape(dims));
  }

  /** Returns the tensor that the program returns; the caller closes it. */
  PtNDArray run(IValue... arguments) {
    try (IValue result = IValueUtils.runMethod(module, "forward", arguments)) {
      return result.toTensor(manager);
    }
  }

  /**
   * Returns the tensor that the program returns, recorded for gradients; the caller closes it.
   *
   * @param ids the first argument
   * @param list the second, a list
   */
  PtNDArray record(PtNDArray ids, PtNDArray... list) {
    NDList arguments = new NDList(ids);
    for (PtNDArray element : list) {
      element.setName("w[]"); // how DJL is told that arrays are one list
      arguments.add(element);
    }
    return (PtNDArray) IValueUtils.forward(module, arguments, true).singletonOrThrow();
  }

  private static byte[] archive(String method) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      entry(zip, "model/data.pkl", pickle());
      entry(zip, "model/code/__torch__.py", (HEADER + method).getBytes(StandardCharsets.UTF_8));
      entry(zip, "model/constants.pkl", CONSTANTS);
      entry(zip, "model/version", "10\n".getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  private static byte[] pickle() {
    byte[] name = "training".getBytes(StandardCharsets.UTF_8);
    byte[] type = "c__torch__\nModel\n".getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(64)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(new byte[] {(byte) 0x80, 2})
        .put(type)
        .put(new byte[] {')', (byte) 0x81, '}', '(', 'X'})
        .putInt(name.length)
        .put(name)
        .put(new byte[] {(byte) 0x89, 'u', 'b', '.'})
        .array();
  }

  private static void entry(ZipOutputStream zip, String name, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }

  @Override
  public void close() {
    module.close();
  }
}

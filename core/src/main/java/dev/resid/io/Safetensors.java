package dev.resid.io;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;

/**
 * An open safetensors file. {@link #open} checks the whole header and reads no values. Tensors come
 * in the order of their bytes. Extra fields of a tensor's entry and white space before the header
 * are accepted, as by the reference implementation; a dtype it does not know is an error.
 */
public final class Safetensors extends TensorFile {
  private final Map<String, String> metadata;

  private Safetensors(MappedFile mapped, SafetensorsHeader header) {
    super(mapped, header.tensors());
    this.metadata = header.metadata();
  }

  /**
   * Returns the open file.
   *
   * @param file path of the file
   * @throws SafetensorsException if the file breaks a rule of the format
   * @throws IOException if it cannot be read
   */
  public static Safetensors open(Path file) throws IOException {
    return open(MappedFile.open(file));
  }

  /**
   * Returns a file whose bytes are in memory, for example a resource of a jar.
   *
   * @param name what error messages call it
   * @param content the whole file; copied
   * @throws SafetensorsException if the content breaks a rule of the format
   */
  public static Safetensors of(Path name, byte[] content) throws SafetensorsException {
    return open(MappedFile.of(name, content));
  }

  /** Takes over a mapped file, which is closed with the result or if there is none. */
  static Safetensors open(MappedFile mapped) throws SafetensorsException {
    try {
      return new Safetensors(mapped, SafetensorsHeader.parse(mapped.file(), mapped.bytes()));
    } catch (InternalError e) {
      mapped.close();
      throw new SafetensorsException(
          mapped.file(), "header", MappedFile.CUT_SHORT, MappedFile.OPEN_AGAIN);
    } catch (SafetensorsException | RuntimeException | Error e) {
      mapped.close();
      throw e;
    }
  }

  @Override
  public String format() {
    return "safetensors";
  }

  /** Returns the strings stored beside the tensors; empty if there are none. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Requires that the file ends in a checksum, as {@link SafetensorsWriter#withChecksum} puts it
   * there, and that it is that of all bytes before. Reads the whole file.
   *
   * @throws SafetensorsException if there is none, or any byte is another one
   * @throws TensorFileException if the file became shorter meanwhile
   */
  public void requireChecksum() throws TensorFileException {
    FileChecksum.require(this);
  }

  @Override
  Numbers values(TensorInfo info) {
    return new RawNumbers(
        file(),
        info.name(),
        info.dtype(),
        mappedFile().bytes().asSlice(info.begin(), info.bytes()),
        ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  SafetensorsException failure(String where, String rule, String advice) {
    return new SafetensorsException(file(), where, rule, advice);
  }
}

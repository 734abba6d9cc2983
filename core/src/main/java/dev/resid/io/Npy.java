package dev.resid.io;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;

/**
 * An open npy file, as {@code numpy.save} writes it: one array of floats, integers or booleans, of
 * any byte order, row- or column-major. Arrays of objects, which are pickles, are refused.
 */
public final class Npy extends TensorFile {
  private final NpyHeader header;
  private final String name;

  private Npy(MappedFile mapped, NpyHeader header, TensorInfo info) {
    super(mapped, Map.of(info.name(), info));
    this.header = header;
    this.name = info.name();
  }

  /**
   * Returns the open file.
   *
   * @param file path of the file
   * @throws TensorFileException if the file breaks a rule of the format
   * @throws IOException if it cannot be read
   */
  public static Npy open(Path file) throws IOException {
    return open(MappedFile.open(file));
  }

  /** Takes over a mapped file, which is closed with the result or if there is none. */
  static Npy open(MappedFile mapped) throws TensorFileException {
    Path file = mapped.file();
    try {
      NpyHeader header = NpyHeader.parse(file, "", mapped.bytes());
      long size = mapped.bytes().byteSize();
      if (header.dataBytes() != size - header.bytes()) {
        throw new TensorFileException(
            file,
            "byte " + header.bytes(),
            "shape "
                + Printable.numbers(header.shape())
                + " of "
                + header.dtype()
                + " needs "
                + header.dataBytes()
                + " bytes, found "
                + (size - header.bytes()),
            SafetensorsException.DAMAGED);
      }
      TensorInfo info =
          new TensorInfo(stem(file), header.dtype(), header.shape(), header.bytes(), size);
      return new Npy(mapped, header, info);
    } catch (InternalError e) {
      mapped.close();
      throw mapped.cutShort(e);
    } catch (TensorFileException | RuntimeException | Error e) {
      mapped.close();
      throw e;
    }
  }

  @Override
  public String format() {
    return "npy";
  }

  /** Returns the name of the one array: that of the file without folder and {@code .npy}. */
  public String name() {
    return name;
  }

  @Override
  Numbers values(TensorInfo info) {
    MemorySegment data = mappedFile().bytes().asSlice(info.begin(), info.bytes());
    return header.numbers(file(), info.name(), data);
  }

  private static String stem(Path file) {
    String last = file.getFileName().toString();
    return last.endsWith(".npy") ? last.substring(0, last.length() - 4) : last;
  }
}

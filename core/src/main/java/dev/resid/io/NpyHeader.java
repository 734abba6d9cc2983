package dev.resid.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The header of one npy array.
 *
 * @param dtype how its numbers are stored
 * @param order their byte order
 * @param layout whether the last or the first axis is contiguous
 * @param shape sizes, outermost first
 * @param bytes length of the header, magic number included
 */
// The format: magic, two version bytes, the length of the text (2 bytes in version 1, 4 in 2 and
// 3),
// a Python dictionary literal with exactly the keys descr, fortran_order and shape
// (numpy/lib/format.py, NEP 1).
record NpyHeader(DType dtype, ByteOrder order, Layout layout, List<Long> shape, int bytes) {
  /** What an npy file begins with. */
  static final String MAGIC = "\u0093NUMPY";

  /** More than any header without structured types, which are refused, can need. */
  static final int MAX_TEXT = 1 << 16;

  /** More than the longest header this reader accepts, with magic number and length. */
  static final int MAX_BYTES = MAX_TEXT + 12;

  private static final int MAX_RANK = 255;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Which axis is contiguous in memory. */
  enum Layout {
    ROW_MAJOR,
    COLUMN_MAJOR
  }

  /**
   * Returns the header at the start of some bytes.
   *
   * @param file for messages
   * @param where prefix of places in messages; empty or an entry of an archive
   * @param bytes at least the first {@link #MAX_BYTES} of the array, or all of it
   * @throws TensorFileException if the header is damaged or says what this reader does not support
   */
  static NpyHeader parse(Path file, String where, MemorySegment bytes) throws TensorFileException {
    return new Parser(file, where, bytes).parse();
  }

  /**
   * Returns the bytes of all values.
   *
   * @throws ArithmeticException if they exceed 63 bits
   */
  long dataBytes() {
    long product = dtype.bytes();
    for (long size : shape) {
      product = Math.multiplyExact(product, size);
    }
    return product;
  }

  /** Returns the values, given their bytes. */
  Numbers numbers(Path file, String name, MemorySegment data) {
    RawNumbers raw = new RawNumbers(file, name, dtype, data, order);
    if (layout == Layout.ROW_MAJOR || shape.size() < 2) {
      return raw;
    }
    long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
    long[] strides = new long[sizes.length];
    long stride = 1;
    for (int axis = 0; axis < sizes.length; axis++) {
      strides[axis] = stride;
      stride *= sizes[axis];
    }
    return new StridedNumbers(raw, 0, sizes, strides);
  }

  /** Walks over the characters of one header. */
  private static final class Parser {
    private final Path file;
    private final String where;
    private final MemorySegment bytes;
    private String text = "";
    private int textStart;
    private int at;
    private ByteOrder order = ByteOrder.LITTLE_ENDIAN;

    Parser(Path file, String where, MemorySegment bytes) {
      this.file = file;
      this.where = where;
      this.bytes = bytes;
    }

    NpyHeader parse() throws TensorFileException {
      readText();
      DType dtype = null;
      Layout layout = null;
      List<Long> shape = null;
      skipBlanks();
      expect('{');
      while (peek() != '}') {
        String key = string();
        expect(':');
        int keyAt = at;
        switch (key) {
          case "descr" -> dtype = once(dtype, dtype(), key, keyAt);
          case "fortran_order" -> layout = once(layout, layout(), key, keyAt);
          case "shape" -> shape = once(shape, shape(), key, keyAt);
          default -> throw fail("unknown key " + Printable.quoted(key));
        }
        if (peek() != '}') {
          expect(',');
        }
      }
      expect('}');
      if (at != text.length()) {
        throw fail("something follows the dictionary of the npy header");
      }
      String missing =
          dtype == null ? "descr" : layout == null ? "fortran_order" : shape == null ? "shape" : "";
      if (!missing.isEmpty()) {
        throw fail("the npy header has no " + missing);
      }
      NpyHeader header = new NpyHeader(dtype, order, layout, shape, textStart + text.length());
      try {
        header.dataBytes();
      } catch (ArithmeticException e) {
        throw fail("shape " + Printable.numbers(shape) + " of " + dtype + " exceeds 64 bits");
      }
      return header;
    }

    private void readText() throws TensorFileException {
      long size = bytes.byteSize();
      if (size < 10 || !FileKind.startsWith(bytes, MAGIC)) {
        throw fail("an npy array must begin with the bytes 93 4E 55 4D 50 59 and its version");
      }
      int major = bytes.get(ValueLayout.JAVA_BYTE, 6);
      int minor = bytes.get(ValueLayout.JAVA_BYTE, 7);
      if (major < 1 || major > 3 || minor != 0) {
        throw fail("npy version " + major + "." + minor + ", expected 1.0, 2.0 or 3.0");
      }
      if (major > 1 && size < 12) {
        throw fail("the npy header is cut short");
      }
      textStart = major == 1 ? 10 : 12;
      long length = major == 1 ? bytes.get(SHORT, 8) & 0xFFFF : bytes.get(INT, 8) & 0xFFFFFFFFL;
      if (length > MAX_TEXT) {
        throw fail("the npy header has " + length + " bytes, above this reader's " + MAX_TEXT);
      }
      if (length > size - textStart) {
        throw fail("the npy header has " + length + " bytes, but the file ends before them");
      }
      MemorySegment chars = bytes.asSlice(textStart, length);
      Charset charset = major == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
      if (major == 3 && Utf8.firstInvalid(chars) >= 0) {
        throw fail("the npy header is not UTF-8");
      }
      text = new String(chars.toArray(ValueLayout.JAVA_BYTE), charset);
      if (text.length() != length) {
        // Keys, dtypes and numbers are ASCII; offsets below rely on it.
        throw fail("the npy header holds characters that belong to no supported dtype");
      }
    }

    private <T> T once(T before, T now, String key, int keyAt) throws TensorFileException {
      if (before != null) {
        at = keyAt;
        throw fail("the key " + key + " occurs twice");
      }
      return now;
    }

    private DType dtype() throws TensorFileException {
      if (peek() == '[') {
        throw fail("structured arrays are not supported: expected one numeric dtype");
      }
      int start = at;
      String descr = string();
      at = start;
      if (descr.endsWith("O") || descr.equals("object")) {
        throw fail("dtype object holds pickled Python objects, which are never read");
      }
      char mark = descr.isEmpty() ? ' ' : descr.charAt(0);
      DType found =
          switch (descr.isEmpty() ? "" : descr.substring(1)) {
            case "b1" -> DType.BOOL;
            case "i1" -> DType.I8;
            case "u1" -> DType.U8;
            case "i2" -> DType.I16;
            case "u2" -> DType.U16;
            case "i4" -> DType.I32;
            case "u4" -> DType.U32;
            case "i8" -> DType.I64;
            case "u8" -> DType.U64;
            case "f2" -> DType.F16;
            case "f4" -> DType.F32;
            case "f8" -> DType.F64;
            case "c8" -> DType.C64;
            default -> null;
          };
      if (found == null || (found.bytes() > 1 ? "<>" : "|<>").indexOf(mark) < 0) {
        throw fail(
            "unsupported dtype "
                + Printable.quoted(descr)
                + ", expected '<' or '>' with f2, f4, f8, or an integer or boolean dtype");
      }
      string();
      order = mark == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
      return found;
    }

    private Layout layout() throws TensorFileException {
      skipBlanks();
      if (text.startsWith("True", at)) {
        at += 4;
        return Layout.COLUMN_MAJOR;
      }
      if (text.startsWith("False", at)) {
        at += 5;
        return Layout.ROW_MAJOR;
      }
      throw fail("fortran_order must be True or False");
    }

    private List<Long> shape() throws TensorFileException {
      expect('(');
      List<Long> sizes = new ArrayList<>(4);
      boolean comma = true;
      while (peek() != ')') {
        if (!comma) {
          throw fail("expected a comma between the sizes of the shape");
        }
        if (sizes.size() == MAX_RANK) {
          throw fail("the shape has more than " + MAX_RANK + " sizes");
        }
        sizes.add(integer());
        comma = peek() == ',';
        if (comma) {
          at++;
        }
      }
      if (sizes.size() == 1 && !comma) {
        throw fail("a shape of one size is written with a comma");
      }
      expect(')');
      return sizes;
    }

    private long integer() throws TensorFileException {
      skipBlanks();
      int start = at;
      while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
        at++;
      }
      String digits = text.substring(start, at);
      if (digits.isEmpty() || digits.length() > 1 && digits.charAt(0) == '0') {
        at = start;
        throw fail("a size must be an integer of at least 0");
      }
      if (at < text.length() && text.charAt(at) == 'L') {
        at++; // written by Python 2
      }
      try {
        return Long.parseLong(digits);
      } catch (NumberFormatException e) {
        at = start;
        throw fail("a size is above 2^63-1");
      }
    }

    private String string() throws TensorFileException {
      char quote = peek();
      if (quote != '\'' && quote != '"') {
        throw fail("expected a string");
      }
      int end = text.indexOf(quote, at + 1);
      if (end < 0 || text.substring(at, end).indexOf('\\') >= 0) {
        throw fail("a string of the npy header does not end, or has escapes");
      }
      String value = text.substring(at + 1, end);
      at = end + 1;
      return value;
    }

    private char peek() throws TensorFileException {
      skipBlanks();
      if (at >= text.length()) {
        throw fail("the npy header ends too early");
      }
      return text.charAt(at);
    }

    private void expect(char wanted) throws TensorFileException {
      if (peek() != wanted) {
        throw fail("expected '" + wanted + "' in the npy header");
      }
      at++;
      skipBlanks();
    }

    private void skipBlanks() {
      while (at < text.length() && " \t\n\r\f".indexOf(text.charAt(at)) >= 0) {
        at++;
      }
    }

    private TensorFileException fail(String rule) {
      return new TensorFileException(
          file,
          where + "byte " + (textStart + at),
          rule,
          "Save it again with numpy.save or numpy.savez, as plain numbers");
    }
  }
}

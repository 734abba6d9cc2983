package dev.resid.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * The header of a safetensors file, checked as a whole.
 *
 * @param tensors by name, in the order of their bytes
 * @param metadata the {@code __metadata__} object; empty if there is none
 */
// The file is: 8 bytes little-endian N, N bytes of JSON, the values. What is checked follows the
// reference implementation (huggingface/safetensors, tensor.rs); JSON is read token by token from
// the mapped bytes, so nothing is allocated whose size the file merely claims.
record SafetensorsHeader(Map<String, TensorInfo> tensors, Map<String, String> metadata) {
  /** The limit of the reference implementation. */
  static final long MAX_HEADER_BYTES = 100_000_000;

  // Limits of this reader alone: they keep what a header costs in objects near its size in bytes.
  // PyTorch and NumPy stop at 64 axes; no published checkpoint has 20,000 tensors.
  private static final int MAX_RANK = 255;
  private static final int MAX_ENTRIES = 1_000_000;

  private static final int LENGTH_BYTES = 8;
  private static final String METADATA = "__metadata__";

  // Names and strings are bounded by the header itself. Depth 2 is what the format uses; the rest
  // is room for extra fields, which the reference ignores.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(32)
                  .maxNameLength((int) MAX_HEADER_BYTES)
                  .maxStringLength((int) MAX_HEADER_BYTES)
                  .build())
          .build();

  /**
   * Returns the header of a file.
   *
   * @param file for messages
   * @param bytes the whole file
   * @throws SafetensorsException if any rule of the format is broken
   */
  static SafetensorsHeader parse(Path file, MemorySegment bytes) throws SafetensorsException {
    long size = bytes.byteSize();
    if (size < LENGTH_BYTES) {
      throw error(
          file, "byte 0", "expected an 8-byte header length, found a file of " + size + " bytes");
    }
    long length = bytes.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    if (length < 0 || length > MAX_HEADER_BYTES) {
      throw error(
          file,
          "byte 0",
          "the header length is "
              + Long.toUnsignedString(length)
              + ", above the limit of "
              + MAX_HEADER_BYTES);
    }
    if (length > size - LENGTH_BYTES) {
      throw error(
          file,
          "byte 0",
          "the header length is "
              + length
              + ", but only "
              + (size - LENGTH_BYTES)
              + " bytes follow");
    }
    MemorySegment json = bytes.asSlice(LENGTH_BYTES, length);
    checkText(file, json);
    Reader reader = new Reader(file, LENGTH_BYTES + length);
    reader.read(json);
    return new SafetensorsHeader(
        inOrder(file, reader.tensors, LENGTH_BYTES + length, size),
        Collections.unmodifiableMap(reader.metadata));
  }

  private static void checkText(Path file, MemorySegment json) throws SafetensorsException {
    long bad = Utf8.firstInvalid(json);
    if (bad >= 0) {
      throw error(file, "byte " + (LENGTH_BYTES + bad), "the header is not UTF-8");
    }
    boolean started = false;
    for (long i = 0; i < json.byteSize(); i++) {
      byte b = json.get(ValueLayout.JAVA_BYTE, i);
      boolean space = b == ' ' || b == '\t' || b == '\n' || b == '\r';
      if (b >= 0 && b < ' ' && !space) {
        throw error(
            file,
            "byte " + (LENGTH_BYTES + i),
            "the header holds the control character " + b + "; JSON allows none");
      }
      if (!space && !started) {
        if (b != '{') {
          throw error(
              file, "byte " + (LENGTH_BYTES + i), "the header must be a JSON object: expected '{'");
        }
        started = true;
      }
    }
    if (!started) {
      throw error(file, "byte " + LENGTH_BYTES, "the header is empty: expected a JSON object");
    }
  }

  /** Sorts by offset and checks that the tensors cover the values without hole or overlap. */
  private static Map<String, TensorInfo> inOrder(
      Path file, List<TensorInfo> tensors, long dataStart, long size) throws SafetensorsException {
    tensors.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
    Map<String, TensorInfo> ordered = new LinkedHashMap<>();
    long expected = dataStart;
    for (TensorInfo tensor : tensors) {
      if (tensor.begin() != expected) {
        throw error(
            file,
            "tensor " + Printable.quoted(tensor.name()),
            "its values begin at offset "
                + (tensor.begin() - dataStart)
                + (tensor.begin() > expected ? ", leaving a hole: " : ", overlapping another: ")
                + "expected "
                + (expected - dataStart));
      }
      if (tensor.end() > size) {
        throw error(
            file,
            "tensor " + Printable.quoted(tensor.name()),
            "its values end at offset "
                + (tensor.end() - dataStart)
                + ", but the file holds "
                + (size - dataStart)
                + " bytes of values");
      }
      expected = tensor.end();
      ordered.put(tensor.name(), tensor);
    }
    if (expected != size) {
      throw error(
          file,
          "byte " + expected,
          "the tensors end here, but the file goes on for " + (size - expected) + " bytes");
    }
    return Collections.unmodifiableMap(ordered);
  }

  private static SafetensorsException error(Path file, String where, String rule) {
    return new SafetensorsException(file, where, rule, SafetensorsException.DAMAGED);
  }

  /** Walks over the tokens of one header. */
  private static final class Reader {
    private final Path file;
    private final long dataStart;
    private final List<TensorInfo> tensors = new ArrayList<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private String key = "";

    Reader(Path file, long dataStart) {
      this.file = file;
      this.dataStart = dataStart;
    }

    void read(MemorySegment json) throws SafetensorsException {
      try (JsonParser parser =
          JSON.createParser(ObjectReadContext.empty(), new SegmentInputStream(json))) {
        expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "the header");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          key = wellFormed(parser, parser.currentName());
          if (tensors.size() == MAX_ENTRIES) {
            throw fail(parser, "more than " + MAX_ENTRIES + " tensors");
          }
          if (key.equals(METADATA)) {
            readMetadata(parser);
          } else {
            tensors.add(readTensor(parser));
          }
          key = "";
        }
        if (parser.nextToken() != null) {
          throw fail(parser, "something follows the header's object");
        }
      } catch (JacksonException e) {
        long offset = e.getLocation() == null ? -1 : e.getLocation().getByteOffset();
        throw fail(offset, "the header is not JSON as the format demands: " + JsonComplaint.of(e));
      }
    }

    private void readMetadata(JsonParser parser) throws SafetensorsException {
      expect(parser, parser.nextToken(), JsonToken.START_OBJECT, METADATA);
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = wellFormed(parser, parser.currentName());
        expect(
            parser,
            parser.nextToken(),
            JsonToken.VALUE_STRING,
            "the value of " + Printable.quoted(name));
        if (metadata.size() == MAX_ENTRIES) {
          throw fail(parser, "more than " + MAX_ENTRIES + " strings");
        }
        metadata.put(name, wellFormed(parser, parser.getString()));
      }
    }

    private TensorInfo readTensor(JsonParser parser) throws SafetensorsException {
      expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "the entry of a tensor");
      DType dtype = null;
      List<Long> shape = null;
      List<Long> offsets = null;
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String field = parser.currentName();
        JsonToken value = parser.nextToken();
        switch (field) {
          case "dtype" -> dtype = readDtype(parser, value);
          case "shape" -> shape = readNumbers(parser, value, field, MAX_RANK);
          case "data_offsets" -> offsets = readNumbers(parser, value, field, 2);
          default -> parser.skipChildren();
        }
      }
      String missing =
          dtype == null ? "dtype" : shape == null ? "shape" : offsets == null ? "data_offsets" : "";
      if (!missing.isEmpty()) {
        throw fail(parser, "the entry has no " + missing);
      }
      return checked(parser, dtype, shape, offsets);
    }

    private TensorInfo checked(JsonParser parser, DType dtype, List<Long> shape, List<Long> offsets)
        throws SafetensorsException {
      if (offsets.size() != 2) {
        throw fail(parser, "data_offsets holds " + offsets.size() + " numbers, expected 2");
      }
      long begin = offsets.get(0);
      long end = offsets.get(1);
      if (end < begin) {
        throw fail(parser, "data_offsets [" + begin + ", " + end + "] end before they begin");
      }
      long bits;
      long fileEnd;
      try {
        long elements = 1;
        for (long size : shape) {
          elements = Math.multiplyExact(elements, size);
        }
        bits = Math.multiplyExact(elements, (long) dtype.bits());
        fileEnd = Math.addExact(dataStart, end);
      } catch (ArithmeticException e) {
        throw fail(
            parser,
            "shape "
                + Printable.numbers(shape)
                + " of "
                + dtype
                + " or its offsets exceed 64 bits");
      }
      if (bits % 8 != 0) {
        throw fail(
            parser,
            "shape "
                + Printable.numbers(shape)
                + " of "
                + dtype
                + " is not a whole number of bytes");
      }
      if (bits / 8 != end - begin) {
        throw fail(
            parser,
            "shape "
                + Printable.numbers(shape)
                + " of "
                + dtype
                + " needs "
                + bits / 8
                + " bytes, data_offsets ["
                + begin
                + ", "
                + end
                + "] give "
                + (end - begin));
      }
      return new TensorInfo(key, dtype, shape, dataStart + begin, fileEnd);
    }

    private DType readDtype(JsonParser parser, JsonToken value) throws SafetensorsException {
      expect(parser, value, JsonToken.VALUE_STRING, "dtype");
      String name = parser.getString();
      DType dtype = DType.named(name).orElse(null);
      if (dtype == null) {
        throw fail(parser, "unknown dtype " + Printable.quoted(name));
      }
      return dtype;
    }

    private List<Long> readNumbers(JsonParser parser, JsonToken value, String field, int most)
        throws SafetensorsException {
      expect(parser, value, JsonToken.START_ARRAY, field);
      List<Long> numbers = new ArrayList<>(4);
      for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
        expect(parser, t, JsonToken.VALUE_NUMBER_INT, "a number of " + field);
        String digits = parser.getString();
        if (digits.startsWith("-")) {
          throw fail(parser, field + " holds the negative number " + Printable.quoted(digits));
        }
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
          throw fail(parser, field + " holds a number above 2^63-1: " + Printable.quoted(digits));
        }
        if (numbers.size() == most) {
          throw fail(parser, field + " holds more than " + most + " numbers");
        }
        numbers.add(parser.getLongValue());
      }
      return numbers;
    }

    private void expect(JsonParser parser, JsonToken found, JsonToken wanted, String what)
        throws SafetensorsException {
      if (found != wanted) {
        throw fail(parser, what + " must be " + describe(wanted) + ", found " + describe(found));
      }
    }

    private String wellFormed(JsonParser parser, String text) throws SafetensorsException {
      if (!Utf8.isWellFormed(text)) {
        throw fail(
            parser, "the escapes in " + Printable.quoted(text) + " make half a surrogate pair");
      }
      return text;
    }

    private SafetensorsException fail(JsonParser parser, String rule) {
      return fail(parser.currentTokenLocation().getByteOffset(), rule);
    }

    private SafetensorsException fail(long jsonOffset, String rule) {
      String where = jsonOffset < 0 ? "header" : "byte " + (LENGTH_BYTES + jsonOffset);
      return error(
          file, key.isEmpty() ? where : "key " + Printable.quoted(key) + ", " + where, rule);
    }

    private static String describe(JsonToken token) {
      return switch (token) {
        case null -> "the end";
        case START_OBJECT -> "an object";
        case START_ARRAY -> "an array";
        case VALUE_STRING -> "a string";
        case VALUE_NUMBER_INT -> "an integer";
        case VALUE_NUMBER_FLOAT -> "a number with a fraction or exponent";
        case VALUE_NULL -> "null";
        case VALUE_TRUE, VALUE_FALSE -> "a boolean";
        default -> token.toString();
      };
    }
  }
}

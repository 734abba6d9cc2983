package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
  @TempDir Path dir;

  /** A file of a header as written, and so many bytes of values 0, 1, 2 and so on. */
  private Path file(String header, int dataBytes) throws IOException {
    return file(header.getBytes(StandardCharsets.UTF_8), dataBytes);
  }

  private Path file(byte[] json, int dataBytes) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json);
    for (int i = 0; i < dataBytes; i++) {
      bytes.put((byte) i);
    }
    return Files.write(dir.resolve("made.safetensors"), bytes.array());
  }

  private static String entry(String dtype, String shape, String offsets) {
    return "{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  }

  private static String one(String dtype, String shape, String offsets) {
    return "{\"t\":" + entry("\"" + dtype + "\"", shape, offsets) + "}";
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "F32  | [2]     | [0,8.0]              | must be an integer",
        "F32  | [2]     | [0,8e0]              | must be an integer",
        "F32  | [2]     | [-0,8]               | negative",
        "F32  | [2]     | [0,\"8\"]            | must be an integer",
        "F32  | [2]     | [0,null]             | must be an integer",
        "F32  | [2]     | [0,8,8]              | holds more than 2 numbers",
        "F32  | [2]     | [8,0]                | end before they begin",
        "F32  | [2]     | [0,9223372036854775808] | above 2^63-1",
        "F32  | [2]     | [9223372036854775800,9223372036854775807] | exceed 64 bits",
        "F32  | [2.0]   | [0,8]                | must be an integer",
        "F32  | [1e0]   | [0,8]                | must be an integer",
        "F32  | [02]    | [0,8]                | not JSON",
        "F32  | [+2]    | [0,8]                | not JSON",
        "F32  | [0x2]   | [0,8]                | not JSON",
        "F32  | 2       | [0,8]                | shape must be an array",
        "F32  | [[2]]   | [0,8]                | must be an integer",
        "F32  | [2]     | {}                   | data_offsets must be an array",
        "F32  | [-2]    | [0,8]                | negative",
        "F32  | [NaN]   | [0,8]                | not JSON",
        "F32  | [9223372036854775807,9223372036854775807,0] | [0,8] | exceed 64 bits",
        "F4   | [3]     | [0,1]                | not a whole number of bytes",
        "f32  | [2]     | [0,8]                | unknown dtype",
        "F320 | [2]     | [0,8]                | unknown dtype",
      })
  void brokenEntriesAreRefused(String dtype, String shape, String offsets, String rule)
      throws IOException {
    Path path = file(one(dtype, shape, offsets), 8);
    SafetensorsException e = assertThrows(SafetensorsException.class, () -> Safetensors.open(path));
    assertTrue(e.getMessage().startsWith(path + ": key \"t\", byte "), e.getMessage());
    assertTrue(e.getMessage().contains(rule), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[]                                        | expected '{'",
        "{}{}                                      | something follows",
        "{} x                                      | not JSON",
        "{\"t\":{\"a\":[1,],\"dtype\":\"F32\"}}    | not JSON",
        "{'t':1}                                   | not JSON",
        "{\"t\":1,\"t\":1}                         | must be an object",
        "{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}} | Duplicate",
        "{\"__metadata__\":{\"a\":null}}           | must be a string",
        "{\"__metadata__\":{\"a\":\"1\",\"\\u0061\":\"2\"}} | Duplicate",
        "{\"__metadata__\":null}                   | must be an object",
        "{\"\\ud800\":{}}                          | surrogate pair",
        "{\"__metadata__\":{\"a\":\"\\udc00x\"}}   | half a surrogate",
        "{\"a\\x\":{}}                             | not JSON",
        "{\"a\"                                    | not JSON",
        "{\"a                                      | not JSON",
        "{\"t\":{\"shape\":[0],\"data_offsets\":[0,0]}} | no dtype",
        "{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}} | no shape",
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[0]}} | no data_offsets",
      })
  void brokenHeadersAreRefused(String header, String rule) throws IOException {
    Path path = file(header, 0);
    SafetensorsException e = assertThrows(SafetensorsException.class, () -> Safetensors.open(path));
    assertTrue(e.getMessage().startsWith(path + ": "), e.getMessage());
    assertTrue(e.getMessage().contains(rule), e.getMessage());
    assertFalse(e.getMessage().contains("REDACTED"), e.getMessage());
  }

  @Test
  void otherEncodingsOfJsonAreRefused() throws IOException {
    String header = one("U8", "[1]", "[0,1]");
    for (var charset :
        List.of(
            StandardCharsets.UTF_16LE,
            StandardCharsets.UTF_16BE,
            StandardCharsets.UTF_32LE,
            StandardCharsets.UTF_32BE)) {
      Path path = file(header.getBytes(charset), 1);
      assertThrows(SafetensorsException.class, () -> Safetensors.open(path), charset.name());
    }
    Path marked = file("\uFEFF" + header, 1);
    assertThrows(SafetensorsException.class, () -> Safetensors.open(marked));
  }

  @Test
  void bytesThatAreNotUtf8AreRefused() throws IOException {
    int[][] bad = {
      {0x80},
      {0xC0, 0x80},
      {0xC1, 0xBF},
      {0xE0, 0x9F, 0x80},
      {0xED, 0xA0, 0x80},
      {0xF0, 0x8F, 0x80, 0x80},
      {0xF4, 0x90, 0x80, 0x80},
      {0xF5, 0x80, 0x80, 0x80},
      {0xFF},
      {0xE2, 0x82},
      {0xF0, 0x9F, 0x98},
    };
    for (int[] sequence : bad) {
      ByteArrayOutputStream json = new ByteArrayOutputStream();
      json.writeBytes("{\"__metadata__\":{\"a\":\"".getBytes(StandardCharsets.UTF_8));
      for (int b : sequence) {
        json.write(b);
      }
      json.writeBytes("\"}}".getBytes(StandardCharsets.UTF_8));
      Path path = file(json.toByteArray(), 0);
      SafetensorsException e =
          assertThrows(SafetensorsException.class, () -> Safetensors.open(path));
      assertTrue(e.getMessage().contains("byte 30: the header is not UTF-8"), e.getMessage());
    }
  }

  @Test
  void theDecoderOfUtf8AgreesWithTheJdkOnEveryCodePoint() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int c = 0x20; c <= Character.MAX_CODE_POINT; c++) {
      if (c != '"' && c != '\\' && (c < 0xD800 || c > 0xDFFF)) {
        text.appendCodePoint(c);
      }
    }
    Path path = file("{\"__metadata__\":{\"a\":\"" + text + "\"}}", 0);
    try (Safetensors file = Safetensors.open(path)) {
      assertTrue(file.metadata().get("a").contentEquals(text));
    }
  }

  @Test
  void deepNestingIsRefusedWithoutExhaustingTheStack() throws IOException {
    String deep = "[".repeat(2_000_000) + "]".repeat(2_000_000);
    Path path = file("{\"t\":{\"extra\":" + deep + "}}", 0);
    assertThrows(SafetensorsException.class, () -> Safetensors.open(path));
  }

  @Test
  void unknownFieldsAndLeadingBlanksAreAccepted() throws IOException {
    Path path =
        file(
            " \n{\"t\":{\"note\":{\"by\":[\"x\",1.5]},\"shape\":[2],\"dtype\":\"U8\","
                + "\"data_offsets\":[0,2]}} \t\r\n",
            2);
    try (Safetensors file = Safetensors.open(path)) {
      assertArrayEquals(new long[] {0, 1}, file.longs("t"));
    }
  }

  @Test
  void tensorsComeInTheOrderOfTheirBytes() throws IOException {
    Path path =
        file(
            "{\"b\":"
                + entry("\"U8\"", "[1]", "[1,2]")
                + ",\"a\":"
                + entry("\"U8\"", "[]", "[2,3]")
                + ",\"c\":"
                + entry("\"I8\"", "[1,1]", "[0,1]")
                + "}",
            3);
    try (Safetensors file = Safetensors.open(path)) {
      assertEquals(List.of("c", "b", "a"), file.names());
      assertArrayEquals(new int[] {2}, file.ints("a"));
      assertEquals(List.of(), file.entry("a").shape());
      assertEquals(Map.of(), file.metadata());
    }
  }

  @Test
  void holesAndOverlapsNameTheTensor() throws IOException {
    Path hole =
        file(
            "{\"a\":"
                + entry("\"U8\"", "[1]", "[0,1]")
                + ",\"b\":"
                + entry("\"U8\"", "[1]", "[2,3]")
                + "}",
            3);
    SafetensorsException e = assertThrows(SafetensorsException.class, () -> Safetensors.open(hole));
    assertTrue(e.getMessage().contains("tensor \"b\""), e.getMessage());
    Path overlap =
        file(
            "{\"a\":"
                + entry("\"U8\"", "[2]", "[0,2]")
                + ",\"b\":"
                + entry("\"U8\"", "[2]", "[1,3]")
                + "}",
            3);
    e = assertThrows(SafetensorsException.class, () -> Safetensors.open(overlap));
    assertTrue(e.getMessage().contains("overlapping"), e.getMessage());
  }

  @Test
  void aTensorThatEndsBehindTheFileIsNamed() throws IOException {
    Path path = file(one("F32", "[2]", "[0,8]"), 7);
    SafetensorsException e = assertThrows(SafetensorsException.class, () -> Safetensors.open(path));
    assertTrue(
        e.getMessage().contains("tensor \"t\": its values end at offset 8, but the file holds 7"),
        e.getMessage());
  }

  @Test
  void everyPrefixAndEveryFlippedBitGivesAResultOrTheException() throws IOException {
    Path good = dir.resolve("good.safetensors");
    new SafetensorsWriter()
        .metadata("format", "pt")
        .add("w", Tensor.of(TensorInfo.unnamed(2, 3), 1, 2, 3, 4, 5, 6), DType.F16)
        .add("ids", TensorInfo.unnamed(3), new long[] {1, 2, 3})
        .add("x", TensorInfo.unnamed(), new double[] {0.5})
        .write(good);
    byte[] bytes = Files.readAllBytes(good);
    int headerEnd = 8 + (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    Mutations mutations = new Mutations(Safetensors::open);
    mutations.everyPrefix(bytes);
    assertEquals(bytes.length, mutations.refused(), "no prefix of a file is a file");
    mutations.everyBit(bytes, 0, headerEnd);
    mutations.random(bytes, 3000, 20261120);
    assertTrue(mutations.read() > 100, "some damage, as in a name, must go unnoticed");
  }

  @Test
  void floatDtypesConvertExactlyAtUnalignedPlaces() throws IOException {
    double[] values = {0, -0.0, 1.5, -2.75, 65504, Double.POSITIVE_INFINITY, Double.NaN};
    for (DType dtype : List.of(DType.F16, DType.BF16, DType.F32, DType.F64)) {
      String header =
          "{\"pad\":"
              + entry("\"U8\"", "[1]", "[0,1]")
              + ",\"t\":"
              + entry("\"" + dtype + "\"", "[7]", "[1," + (1 + 7 * dtype.bytes()) + "]")
              + "}";
      Path path = file(header, 1 + 7 * dtype.bytes());
      byte[] bytes = Files.readAllBytes(path);
      ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      data.position(bytes.length - 7 * dtype.bytes());
      for (double value : values) {
        float f = (float) value;
        switch (dtype) {
          case F16 -> data.putShort(Float.floatToFloat16(f));
          case BF16 -> data.putShort((short) (Float.floatToRawIntBits(f) >>> 16));
          case F32 -> data.putFloat(f);
          default -> data.putDouble(value);
        }
      }
      Files.write(path, bytes);
      try (Safetensors file = Safetensors.open(path)) {
        double[] expected = values.clone();
        if (dtype == DType.BF16) {
          expected[4] = Float.intBitsToFloat(Float.floatToRawIntBits(65504f) & 0xFFFF0000);
        }
        assertArrayEquals(expected, file.doubles("t"));
        float[] floats = file.tensor("t", Shape.of(Axis.D_MODEL, 7)).toArray();
        float[] mapped = file.mapped("t").toArray();
        for (int i = 0; i < 7; i++) {
          assertEquals((float) expected[i], floats[i], dtype.name());
          assertEquals(floats[i], mapped[i], dtype.name());
        }
      }
    }
  }

  @Test
  void everyIntegerDtypeIsReadWithItsSign() throws IOException {
    Map<DType, Long> allOnes =
        Map.of(
            DType.BOOL,
            255L,
            DType.U8,
            255L,
            DType.I8,
            -1L,
            DType.U16,
            65535L,
            DType.I16,
            -1L,
            DType.U32,
            4294967295L,
            DType.I32,
            -1L,
            DType.I64,
            -1L);
    for (Map.Entry<DType, Long> e : allOnes.entrySet()) {
      int bytes = e.getKey().bytes();
      Path path = file(one(e.getKey().name(), "[1]", "[0," + bytes + "]"), bytes);
      byte[] content = Files.readAllBytes(path);
      java.util.Arrays.fill(content, content.length - bytes, content.length, (byte) 0xFF);
      Files.write(path, content);
      try (Safetensors file = Safetensors.open(path)) {
        assertArrayEquals(new long[] {e.getValue()}, file.longs("t"), e.getKey().name());
        if (e.getKey() == DType.U32) {
          SafetensorsException wide =
              assertThrows(SafetensorsException.class, () -> file.ints("t"));
          assertTrue(wide.getMessage().contains("4294967295"), wide.getMessage());
        }
      }
    }
    Path path = file(one("U64", "[1]", "[0,8]"), 8);
    byte[] content = Files.readAllBytes(path);
    content[content.length - 1] = (byte) 0x80;
    Files.write(path, content);
    try (Safetensors file = Safetensors.open(path)) {
      SafetensorsException e = assertThrows(SafetensorsException.class, () -> file.longs("t"));
      assertTrue(e.getMessage().contains("above 2^63-1"), e.getMessage());
    }
  }

  @Test
  void wrongExpectationsNameBothSides() throws IOException {
    Path path = file(one("F32", "[2,1]", "[0,8]"), 8);
    try (Safetensors file = Safetensors.open(path)) {
      SafetensorsException e =
          assertThrows(SafetensorsException.class, () -> file.tensor("u", TensorInfo.unnamed(2)));
      assertTrue(e.getMessage().contains("tensor \"u\"") && e.getMessage().contains("\"t\""));
      e =
          assertThrows(
              SafetensorsException.class,
              () -> file.tensor("t", Shape.of(Axis.IN, 1, Axis.OUT, 2)));
      assertTrue(e.getMessage().contains("[2, 1], expected [in=1, out=2]"), e.getMessage());
      e = assertThrows(SafetensorsException.class, () -> file.longs("t"));
      assertTrue(e.getMessage().contains("stored as F32"), e.getMessage());
    }
    Path opaque = file(one("F8_E4M3", "[2]", "[0,2]"), 2);
    try (Safetensors file = Safetensors.open(opaque)) {
      assertThrows(SafetensorsException.class, () -> file.tensor("t"));
    }
  }

  @Test
  void aMappedTensorReadAfterCloseSaysSo() throws IOException {
    Path path = file(one("F32", "[2]", "[0,8]"), 8);
    Safetensors file = Safetensors.open(path);
    Tensor mapped = file.mapped("t");
    file.close();
    file.close();
    IllegalStateException e = assertThrows(IllegalStateException.class, mapped::toArray);
    assertTrue(e.getMessage().contains("closed") && e.getMessage().contains("\"t\""));
    assertThrows(IllegalStateException.class, () -> file.tensor("t"));
  }

  @Test
  void missingFilesAndFoldersAreNamed() {
    Path missing = dir.resolve("none.safetensors");
    NoSuchFileException e =
        assertThrows(NoSuchFileException.class, () -> Safetensors.open(missing));
    assertTrue(e.getMessage().contains("none.safetensors"));
    IOException folder = assertThrows(IOException.class, () -> Safetensors.open(dir));
    assertTrue(folder.getMessage().contains("folder"), folder.getMessage());
  }

  @Test
  void filesBeyondTwoGibibytesAreReadAtTheirEnd() throws IOException {
    // Sparse: only the header and the last page take space on disk.
    long count = 700_000_000L;
    byte[] header =
        one("F32", "[" + count + "]", "[0," + 4 * count + "]").getBytes(StandardCharsets.UTF_8);
    Path path = dir.resolve("large.safetensors");
    try (RandomAccessFile out = new RandomAccessFile(path.toFile(), "rw")) {
      out.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
      out.write(header);
      out.setLength(8 + header.length + 4 * count);
      out.seek(8 + header.length + 4 * (count - 1));
      out.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(-7.5f).array());
    }
    try (Safetensors file = Safetensors.open(path)) {
      float[] last = {1, 1};
      file.mapped("t").storage().read(count - 2, last, 0, 2);
      assertArrayEquals(new float[] {0, -7.5f}, last);
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> file.mapped("t").storage().read(count - 1, last, 0, 2));
    }
  }

  @Test
  void aHeaderOfManyTensorsIsReadInLinearTime() throws IOException {
    StringBuilder header = new StringBuilder("{");
    int count = 100_000;
    for (int i = 0; i < count; i++) {
      header.append(i == 0 ? "" : ",").append("\"blocks.").append(i).append(".w\":");
      header.append(entry("\"U8\"", "[1]", "[" + i + "," + (i + 1) + "]"));
    }
    Path path = file(header.append('}').toString(), count);
    try (Safetensors file = Safetensors.open(path)) {
      assertEquals(count, file.names().size());
      assertArrayEquals(new long[] {(byte) 99_999 & 0xFF}, file.longs("blocks.99999.w"));
    }
  }
}

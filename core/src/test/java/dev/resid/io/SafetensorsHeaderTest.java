package dev.resid.io;

import static dev.resid.io.SafetensorsText.entry;
import static dev.resid.io.SafetensorsText.file;
import static dev.resid.io.SafetensorsText.one;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a header may say. */
class SafetensorsHeaderTest {
  @TempDir Path dir;

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
    Path path = file(dir, one(dtype, shape, offsets), 8);
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
    Path path = file(dir, header, 0);
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
      Path path = file(dir, header.getBytes(charset), 1);
      assertThrows(SafetensorsException.class, () -> Safetensors.open(path), charset.name());
    }
    Path marked = file(dir, "\uFEFF" + header, 1);
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
      Path path = file(dir, json.toByteArray(), 0);
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
    Path path = file(dir, "{\"__metadata__\":{\"a\":\"" + text + "\"}}", 0);
    try (Safetensors file = Safetensors.open(path)) {
      assertTrue(file.metadata().get("a").contentEquals(text));
    }
  }

  @Test
  void deepNestingIsRefusedWithoutExhaustingTheStack() throws IOException {
    String deep = "[".repeat(2_000_000) + "]".repeat(2_000_000);
    Path path = file(dir, "{\"t\":{\"extra\":" + deep + "}}", 0);
    assertThrows(SafetensorsException.class, () -> Safetensors.open(path));
  }

  @Test
  void unknownFieldsAndLeadingBlanksAreAccepted() throws IOException {
    Path path =
        file(
            dir,
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
            dir,
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
            dir,
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
            dir,
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
    Path path = file(dir, one("F32", "[2]", "[0,8]"), 7);
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
  void aHeaderOfManyTensorsIsReadInLinearTime() throws IOException {
    StringBuilder header = new StringBuilder("{");
    int count = 100_000;
    for (int i = 0; i < count; i++) {
      header.append(i == 0 ? "" : ",").append("\"blocks.").append(i).append(".w\":");
      header.append(entry("\"U8\"", "[1]", "[" + i + "," + (i + 1) + "]"));
    }
    Path path = file(dir, header.append('}').toString(), count);
    try (Safetensors file = Safetensors.open(path)) {
      assertEquals(count, file.names().size());
      assertArrayEquals(new long[] {(byte) 99_999 & 0xFF}, file.longs("blocks.99999.w"));
    }
  }
}

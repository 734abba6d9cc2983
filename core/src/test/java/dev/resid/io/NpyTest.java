package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyTest {
  @TempDir Path dir;

  /** An npy array of a header text as written. */
  static byte[] array(int version, String text, byte[] data) {
    byte[] chars = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer head = ByteBuffer.allocate(version == 1 ? 10 : 12).order(ByteOrder.LITTLE_ENDIAN);
    head.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    head.put((byte) version).put((byte) 0);
    if (version == 1) {
      head.putShort((short) chars.length);
    } else {
      head.putInt(chars.length);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(head.array());
    out.writeBytes(chars);
    out.writeBytes(data);
    return out.toByteArray();
  }

  private static String header(String descr, String fortran, String shape) {
    return "{'descr': " + descr + ", 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
  }

  private Path file(byte[] bytes) throws IOException {
    return Files.write(dir.resolve("a.npy"), bytes);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void everyVersionOfTheHeaderIsRead(int version) throws IOException {
    Path path =
        file(array(version, header("'|u1'", "False", "(2, 3)"), new byte[] {1, 2, 3, 4, 5, -1}));
    try (Npy file = Npy.open(path)) {
      assertEquals("a", file.name());
      assertEquals(List.of("a"), file.names());
      assertEquals(List.of(2L, 3L), file.entry("a").shape());
      assertArrayEquals(new long[] {1, 2, 3, 4, 5, 255}, file.longs("a"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'descr':'<f4','fortran_order':False,'shape':(2,)}",
        "{\"shape\": (2L,), \"descr\": \"<f4\", \"fortran_order\": True}   \n",
        "  { 'fortran_order' : False , 'shape' : ( 2 , ) , 'descr' : '<f4' , } \n",
      })
  void otherWaysToWriteTheDictionaryAreRead(String text) throws IOException {
    byte[] data =
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(1).putFloat(-2).array();
    try (Npy file = Npy.open(file(array(1, text, data)))) {
      assertArrayEquals(new float[] {1, -2}, file.tensor("a").toArray());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "'|O'            ; False ; (1,)  ; object",
        "'O'             ; False ; (1,)  ; object",
        "'<U4'           ; False ; (1,)  ; unsupported dtype",
        "'<c16'          ; False ; (1,)  ; unsupported dtype",
        "'=f4'           ; False ; (1,)  ; unsupported dtype",
        "'|f4'           ; False ; (1,)  ; unsupported dtype",
        "'f4'            ; False ; (1,)  ; unsupported dtype",
        "''              ; False ; (1,)  ; unsupported dtype",
        "[('a', '<f4')]  ; False ; (1,)  ; structured",
        "3               ; False ; (1,)  ; expected a string",
        "'<f4'           ; 0     ; (1,)  ; fortran_order must be True or False",
        "'<f4'           ; 'x'   ; (1,)  ; fortran_order must be True or False",
        "'<f4'           ; False ; (1)   ; written with a comma",
        "'<f4'           ; False ; [1]   ; expected '('",
        "'<f4'           ; False ; 1     ; expected '('",
        "'<f4'           ; False ; (-1,) ; integer of at least 0",
        "'<f4'           ; False ; (1.0,)  ; comma between",
        "'<f4'           ; False ; (01,) ; integer of at least 0",
        "'<f4'           ; False ; (1 1) ; comma between",
        "'<f4'           ; False ; (,)   ; integer of at least 0",
        "'<f4'           ; False ; (9223372036854775808,) ; above 2^63-1",
        "'<f4'           ; False ; (4611686018427387904, 4) ; exceeds 64 bits",
        "'<f4'           ; False ; (2,)  ; needs 8 bytes, found 4",
        "'<f4'           ; False ; ()}   ; something follows",
        "'<f4', 'a': 1   ; False ; (1,)  ; unknown key",
        "'<f4', 'descr': '<f4' ; False ; (1,) ; occurs twice",
        "'<f4\\x00'      ; False ; (1,)  ; has escapes",
      })
  void brokenHeadersAreRefused(String descr, String fortran, String shape, String rule)
      throws IOException {
    Path path = file(array(1, header(descr, fortran, shape), new byte[4]));
    TensorFileException e = assertThrows(TensorFileException.class, () -> Npy.open(path));
    assertTrue(e.getMessage().startsWith(path + ": byte "), e.getMessage());
    assertTrue(e.getMessage().contains(rule), e.getMessage());
  }

  @Test
  void otherDefectsAreRefused() throws IOException {
    String good = header("'<f4'", "False", "(1,)");
    byte[] version4 = array(3, good, new byte[4]);
    version4[6] = 4;
    byte[] minor = array(1, good, new byte[4]);
    minor[7] = 1;
    byte[] endless = array(2, good, new byte[4]);
    ByteBuffer.wrap(endless).order(ByteOrder.LITTLE_ENDIAN).putInt(8, -1);
    byte[] past = array(2, good, new byte[4]);
    ByteBuffer.wrap(past).order(ByteOrder.LITTLE_ENDIAN).putInt(8, 60_000);
    List<byte[]> bad =
        List.of(
            version4,
            minor,
            endless,
            past,
            array(1, "{'descr': '<f4', 'shape': (1,)}", new byte[4]),
            array(1, "{}", new byte[4]),
            array(1, "", new byte[4]),
            array(1, "{".repeat(1000), new byte[4]),
            array(1, good, new byte[5]),
            array(1, good, new byte[3]),
            array(3, good.replace("<", "é"), new byte[4]));
    for (byte[] bytes : bad) {
      Path path = file(bytes);
      TensorFileException e = assertThrows(TensorFileException.class, () -> Npy.open(path));
      assertTrue(e.getMessage().startsWith(path + ": byte "), e.getMessage());
    }
  }

  @Test
  void bigEndianNumbersAreSwapped() throws IOException {
    byte[] data = ByteBuffer.allocate(8).putFloat(1.5f).putFloat(-3).array();
    try (Npy file = Npy.open(file(array(1, header("'>f4'", "False", "(2,)"), data)))) {
      assertArrayEquals(new float[] {1.5f, -3}, file.tensor("a").toArray());
      assertArrayEquals(new double[] {1.5, -3}, file.doubles("a"));
    }
    data = ByteBuffer.allocate(8).putDouble(0.1).array();
    try (Npy file = Npy.open(file(array(1, header("'>f8'", "False", "(1,)"), data)))) {
      assertArrayEquals(new double[] {0.1}, file.doubles("a"));
      assertArrayEquals(new float[] {0.1f}, file.tensor("a").toArray());
    }
    data = ByteBuffer.allocate(2).putShort(Float.floatToFloat16(0.25f)).array();
    try (Npy file = Npy.open(file(array(1, header("'>f2'", "False", "()"), data)))) {
      assertArrayEquals(new float[] {0.25f}, file.tensor("a").toArray());
      assertArrayEquals(new double[] {0.25}, file.doubles("a"));
    }
    for (String kind : List.of("i2", "u2", "i4", "u4", "i8", "u8")) {
      int bytes = kind.charAt(1) - '0';
      data = new byte[bytes];
      data[bytes - 1] = 7;
      data[bytes - 2] = 1;
      try (Npy file = Npy.open(file(array(1, header("'>" + kind + "'", "False", "(1,)"), data)))) {
        assertArrayEquals(new long[] {263}, file.longs("a"), kind);
      }
    }
  }

  @Test
  void columnMajorArraysReadAsTheArraysTheyAre() throws IOException {
    // Element (i, j, k) of [2, 3, 4] is 100 i + 10 j + k, stored with i running fastest.
    ByteBuffer data = ByteBuffer.allocate(24 * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int k = 0; k < 4; k++) {
      for (int j = 0; j < 3; j++) {
        for (int i = 0; i < 2; i++) {
          data.putFloat(100 * i + 10 * j + k);
        }
      }
    }
    float[] expected = new float[24];
    for (int n = 0; n < 24; n++) {
      expected[n] = 100 * (n / 12) + 10 * (n / 4 % 3) + n % 4;
    }
    Path path = file(array(1, header("'<f4'", "True", "(2, 3, 4)"), data.array()));
    try (Npy file = Npy.open(path)) {
      assertArrayEquals(expected, file.tensor("a").toArray());
      Tensor mapped = file.mapped("a");
      for (int from = 0; from < 24; from++) {
        for (int length = 0; length <= 24 - from; length++) {
          float[] part = new float[length + 2];
          mapped.storage().read(from, part, 1, length);
          assertArrayEquals(
              Arrays.copyOfRange(expected, from, from + length),
              Arrays.copyOfRange(part, 1, 1 + length));
          assertEquals(0, part[0] + part[length + 1], "written outside the range");
        }
      }
      assertThrows(
          IndexOutOfBoundsException.class, () -> mapped.storage().read(20, new float[9], 0, 5));
    }
  }

  @Test
  void whatIsWrittenIsWhatNumpySaves() throws IOException {
    Path path = dir.resolve("w.npy");
    NpyWriter.write(path, Tensor.of(Shape.of(Axis.POS, 2, Axis.D_MODEL, 1), 1, -2));
    // The layout of numpy 2.4.6: text padded with blanks and a line end to a multiple of 64.
    String text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
    byte[] data =
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(1).putFloat(-2).array();
    assertArrayEquals(
        array(1, text + " ".repeat(117 - text.length()) + "\n", data), Files.readAllBytes(path));
  }

  @Test
  void whatIsWrittenComesBack() throws IOException {
    Path path = dir.resolve("a.npy");
    NpyWriter.write(path, TensorInfo.unnamed(3), new double[] {0.1, Double.NaN, -0.0});
    try (Npy file = Npy.open(path)) {
      assertArrayEquals(new double[] {0.1, Double.NaN, -0.0}, file.doubles("a"));
    }
    NpyWriter.write(path, TensorInfo.unnamed(2), new long[] {Long.MIN_VALUE, 5});
    try (Npy file = Npy.open(path)) {
      assertArrayEquals(new long[] {Long.MIN_VALUE, 5}, file.longs("a"));
    }
    NpyWriter.write(path, TensorInfo.unnamed(), new int[] {-9});
    try (Npy file = Npy.open(path)) {
      assertEquals(List.of(), file.entry("a").shape());
      assertArrayEquals(new int[] {-9}, file.ints("a"));
    }
    NpyWriter.write(path, Tensor.of(TensorInfo.unnamed(0, 3)));
    try (Npy file = Npy.open(path)) {
      assertEquals(List.of(0L, 3L), file.entry("a").shape());
      assertEquals(0, file.tensor("a").elements());
    }
    assertThrows(
        ShapeMismatchException.class,
        () -> NpyWriter.write(path, TensorInfo.unnamed(2), new double[1]));
  }

  @Test
  void everyPrefixAndEveryFlippedBitGivesAResultOrTheException() throws IOException {
    Path good = dir.resolve("good.npy");
    NpyWriter.write(good, Tensor.of(TensorInfo.unnamed(2, 3), 1, 2, 3, 4, 5, 6));
    byte[] bytes = Files.readAllBytes(good);
    Mutations mutations = new Mutations(TensorFile::open);
    mutations.everyPrefix(bytes);
    assertEquals(bytes.length, mutations.refused(), "no prefix of a file is a file");
    mutations.everyBit(bytes, 0, bytes.length).random(bytes, 3000, 20261121);
    assertTrue(mutations.read() > 100, "damage of the values must go unnoticed");
  }
}

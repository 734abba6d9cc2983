package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Shared;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  @TempDir Path dir;

  private static String header(byte[] file) {
    int length = file[0] & 0xFF | (file[1] & 0xFF) << 8;
    return new String(file, 8, length, StandardCharsets.UTF_8);
  }

  @Test
  void theBytesAreThoseOfTheFormat() throws IOException {
    Path path = dir.resolve("a.safetensors");
    new SafetensorsWriter().write(path);
    byte[] empty = Files.readAllBytes(path);
    assertEquals(16, empty.length);
    assertEquals("{}      ", header(empty));

    new SafetensorsWriter().add("attn.0", Tensor.of(TensorInfo.unnamed(1, 2), 1, -2)).write(path);
    byte[] one = Files.readAllBytes(path);
    assertEquals(
        "{\"attn.0\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}",
        header(one).trim());
    assertEquals(0, header(one).length() % 8);
    assertArrayEquals(
        new byte[] {0, 0, (byte) 0x80, 0x3F, 0, 0, 0, (byte) 0xC0},
        Arrays.copyOfRange(one, one.length - 8, one.length));
  }

  @Test
  void tensorsAreOrderedByAlignmentThenByNameInUtf8() throws IOException {
    Tensor x = Tensor.of(TensorInfo.unnamed(1), 1);
    List<String> names = List.of("z", "a", "\uFF5E", "\uD83D\uDE00", "A");
    SafetensorsWriter forward = new SafetensorsWriter();
    SafetensorsWriter backward = new SafetensorsWriter();
    for (String name : names) {
      forward.add(name, x, DType.F16);
    }
    for (String name : names.reversed()) {
      backward.add(name, x, DType.F16);
    }
    for (SafetensorsWriter writer : List.of(forward, backward)) {
      writer
          .add("d", TensorInfo.unnamed(1), new double[1])
          .add("b", x, DType.BF16)
          .add("f", x)
          .add("i", TensorInfo.unnamed(1), new int[1])
          .add("l", TensorInfo.unnamed(1), new long[1]);
    }
    forward.metadata("b", "2").metadata("a", "1").write(dir.resolve("1"));
    backward.metadata("a", "1").metadata("b", "2").write(dir.resolve("2"));
    assertArrayEquals(Files.readAllBytes(dir.resolve("1")), Files.readAllBytes(dir.resolve("2")));
    try (Safetensors file = Safetensors.open(dir.resolve("1"))) {
      // U+FF5E sorts before the emoji in UTF-8, after it in UTF-16.
      assertEquals(
          List.of("l", "d", "f", "i", "b", "A", "a", "z", "\uFF5E", "\uD83D\uDE00"), file.names());
    }
  }

  @Test
  void everyNameAndStringComesBack() throws IOException {
    String odd = "\u0000\u001f\b\t\n\f\r\"\\/\u007f\u0080\u2028\uFEFF\uFFFF\uD83D\uDE00 é中";
    Path path = dir.resolve("odd");
    new SafetensorsWriter()
        .metadata(odd, odd)
        .metadata("", "")
        .add(odd, TensorInfo.unnamed(1), new int[] {5})
        .add("", TensorInfo.unnamed(0), new int[0])
        .write(path);
    try (Safetensors file = Safetensors.open(path)) {
      assertEquals(odd, file.metadata().get(odd));
      assertEquals("", file.metadata().get(""));
      assertArrayEquals(new int[] {5}, file.ints(odd));
      assertArrayEquals(new int[0], file.ints(""));
    }
  }

  @Test
  void aChecksumCoversEveryBitOfAFile() throws IOException {
    Path path = dir.resolve("checked");
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .metadata("step", "5")
            .withChecksum()
            .add("b", Tensor.of(TensorInfo.unnamed(2), 1, -2), DType.BF16)
            .add("i", TensorInfo.unnamed(1), new int[] {7});
    writer.write(path);
    byte[] sound = Files.readAllBytes(path);
    writer.write(path);
    assertArrayEquals(sound, Files.readAllBytes(path));
    try (Safetensors file = Safetensors.open(path)) {
      file.requireChecksum();
      assertEquals("checksum.crc32c", file.names().getLast());
      CRC32C crc = new CRC32C();
      crc.update(sound, 0, sound.length - 4);
      int stated = 0;
      for (long b : file.longs("checksum.crc32c")) {
        stated = stated >>> 8 | (int) b << 24;
      }
      assertEquals((int) crc.getValue(), stated);
    }
    for (int bit = 0; bit < 8 * sound.length; bit++) {
      byte[] damaged = sound.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      assertThrows(
          SafetensorsException.class,
          () -> Safetensors.of(path, damaged).requireChecksum(),
          "bit " + bit);
    }
    new SafetensorsWriter().metadata("step", "5").write(path);
    try (Safetensors file = Safetensors.open(path)) {
      SafetensorsException e = assertThrows(SafetensorsException.class, file::requireChecksum);
      assertTrue(e.getMessage().contains("does not end in a checksum"), e.getMessage());
    }
  }

  @Test
  void valuesOfEveryDtypeComeBack() throws IOException {
    SplittableRandom random = new SplittableRandom(7);
    int n = 20_001; // more than two pieces of the encoder, and odd
    float[] floats = new float[n];
    double[] doubles = new double[n];
    long[] longs = new long[n];
    int[] ints = new int[n];
    for (int i = 0; i < n; i++) {
      floats[i] = (float) random.nextGaussian();
      doubles[i] = random.nextGaussian();
      longs[i] = random.nextLong();
      ints[i] = random.nextInt();
    }
    floats[0] = Float.NaN;
    floats[1] = Float.NEGATIVE_INFINITY;
    floats[2] = -0f;
    Shape shape = Shape.of(Axis.D_MODEL, n);
    Tensor tensor = Tensor.of(shape, floats);
    Path path = dir.resolve("all");
    new SafetensorsWriter()
        .add("f32", tensor)
        .add("f64", tensor, DType.F64)
        .add("f16", tensor, DType.F16)
        .add("bf16", tensor, DType.BF16)
        .add("doubles", shape, doubles)
        .add("longs", shape, longs)
        .add("ints", shape, ints)
        .write(path);
    try (Safetensors file = Safetensors.open(path)) {
      assertTrue(file.tensor("f32", shape).sameBits(tensor));
      assertTrue(file.mapped("f32", shape).sameBits(tensor));
      assertTrue(file.tensor("f64", shape).sameBits(tensor));
      assertArrayEquals(doubles, file.doubles("doubles"));
      assertArrayEquals(longs, file.longs("longs"));
      assertArrayEquals(ints, file.ints("ints"));
      // Rounding once more must change nothing.
      Path again = dir.resolve("again");
      new SafetensorsWriter()
          .add("f16", file.mapped("f16", shape), DType.F16)
          .add("bf16", file.mapped("bf16", shape), DType.BF16)
          .write(again);
      try (Safetensors second = Safetensors.open(again)) {
        assertTrue(second.tensor("f16", shape).sameBits(file.tensor("f16", shape)));
        assertTrue(second.tensor("bf16", shape).sameBits(file.tensor("bf16", shape)));
      }
    }
  }

  @Test
  void bf16IsTheNearestWithTiesToEven() {
    for (int upper = 0; upper <= 0xFFFF; upper++) {
      float exact = Float.intBitsToFloat(upper << 16);
      short kept = NumberEncoder.toBf16(exact);
      if (Float.isNaN(exact)) {
        assertTrue(Float.isNaN(Float.intBitsToFloat(kept << 16)));
      } else {
        assertEquals((short) upper, kept);
      }
    }
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < 200_000; i++) {
      float x = Float.intBitsToFloat(random.nextInt());
      if (Math.abs(x) > 3.3e38f || !Float.isFinite(x)) {
        continue;
      }
      // Two neighbours on the BF16 grid; the nearer, or the even one, is right.
      int bits = Float.floatToRawIntBits(x);
      BigDecimal value = new BigDecimal(x);
      BigDecimal down = new BigDecimal(Float.intBitsToFloat(bits & 0xFFFF0000));
      BigDecimal up = new BigDecimal(Float.intBitsToFloat((bits & 0xFFFF0000) + 0x10000));
      int order = value.subtract(down).abs().compareTo(up.subtract(value).abs());
      int lower = bits >>> 16;
      int expected = order < 0 || order == 0 && lower % 2 == 0 ? lower : lower + 1;
      assertEquals((short) expected, NumberEncoder.toBf16(x), () -> "bits " + bits);
    }
    assertEquals((short) 0x3F80, NumberEncoder.toBf16(Float.intBitsToFloat(0x3F808000)));
    assertEquals((short) 0x3F82, NumberEncoder.toBf16(Float.intBitsToFloat(0x3F818000)));
    for (int nan : new int[] {0x7F800001, 0x7FFFFFFF, 0xFF800001, 0xFFFFFFFF}) {
      assertTrue(
          Float.isNaN(Float.intBitsToFloat(NumberEncoder.toBf16(Float.intBitsToFloat(nan)) << 16)));
    }
  }

  @Test
  void valuesTooLargeForTheDtypeAreRefusedAndNothingIsWritten() throws IOException {
    Path path = dir.resolve("large");
    for (DType dtype : List.of(DType.F16, DType.BF16)) {
      float limit = dtype == DType.F16 ? 65504f : Float.intBitsToFloat(0x7F7F0000);
      float above = dtype == DType.F16 ? 65520f : Float.MAX_VALUE;
      new SafetensorsWriter()
          .add("w", Tensor.of(TensorInfo.unnamed(2), limit, Float.POSITIVE_INFINITY), dtype)
          .write(path);
      Files.delete(path);
      SafetensorsWriter writer =
          new SafetensorsWriter().add("w", Tensor.of(TensorInfo.unnamed(2), 0, above), dtype);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> writer.write(path));
      assertTrue(e.getMessage().contains("element 1"), e.getMessage());
      try (Stream<Path> files = Files.list(dir)) {
        assertEquals(List.of(), files.toList());
      }
    }
  }

  @Test
  void aDiskWithoutRoomIsNoticedBeforeAnythingIsWritten() throws IOException {
    // Four pebibytes of zeros that exist nowhere.
    Storage zeros =
        new Storage() {
          @Override
          public long size() {
            return 1L << 50;
          }

          @Override
          public void read(long offset, float[] target, int targetOffset, int length) {
            throw new AssertionError("nothing should be read");
          }
        };
    Tensor huge = Tensor.on(TensorInfo.unnamed(1 << 25, 1 << 25), zeros);
    Path path = Files.writeString(dir.resolve("huge"), "before");
    IOException e =
        assertThrows(IOException.class, () -> new SafetensorsWriter().add("w", huge).write(path));
    assertTrue(e.getMessage().startsWith(path + ": needs 45035996"), e.getMessage());
    assertEquals("before", Files.readString(path));
    try (Stream<Path> files = Files.list(dir)) {
      assertEquals(List.of(path), files.toList());
    }
  }

  @Test
  void misuseIsRefusedWhenAdding() {
    SafetensorsWriter writer = new SafetensorsWriter();
    Tensor x = Tensor.of(TensorInfo.unnamed(1), 1);
    writer.add("x", x);
    assertThrows(IllegalArgumentException.class, () -> writer.add("x", x));
    assertThrows(IllegalArgumentException.class, () -> writer.add("__metadata__", x));
    assertThrows(IllegalArgumentException.class, () -> writer.add("\uD800", x));
    assertThrows(IllegalArgumentException.class, () -> writer.metadata("a", "\uDC00"));
    assertThrows(IllegalArgumentException.class, () -> writer.add("y", x, DType.I32));
    assertThrows(
        ShapeMismatchException.class, () -> writer.add("y", TensorInfo.unnamed(2), new long[] {1}));
    assertFalse(Files.exists(dir.resolve("x")));
  }

  @Test
  void filesOfTheReferenceImplementationAreWrittenAgainByteForByte() throws IOException {
    Path root = Shared.require("goldens");
    int compared = 0;
    try (Stream<Path> walk = Files.walk(root)) {
      for (Path path : walk.filter(p -> p.toString().endsWith(".safetensors")).toList()) {
        if (rewritten(path)) {
          compared++;
        }
      }
    }
    assertTrue(compared > 100, "only " + compared + " files had nothing but writable dtypes");
  }

  private boolean rewritten(Path path) throws IOException {
    Path copy = dir.resolve("copy.safetensors");
    try (Safetensors file = Safetensors.open(path)) {
      SafetensorsWriter writer = new SafetensorsWriter();
      if (file.metadata().size() > 1) {
        return false; // the reference writes them in the order of a hash table
      }
      file.metadata().forEach(writer::metadata);
      for (TensorInfo info : file.entries()) {
        String name = info.name();
        switch (info.dtype()) {
          case F16, BF16, F32 -> writer.add(name, file.mapped(name), info.dtype());
          case F64 -> writer.add(name, info.unnamedShape(), file.doubles(name));
          case I64 -> writer.add(name, info.unnamedShape(), file.longs(name));
          case I32 -> writer.add(name, info.unnamedShape(), file.ints(name));
          default -> {
            return false;
          }
        }
      }
      writer.write(copy);
    }
    assertEquals(-1, Files.mismatch(path, copy), path.toString());
    return true;
  }
}

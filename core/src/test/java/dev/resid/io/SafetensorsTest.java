package dev.resid.io;

import static dev.resid.io.SafetensorsText.entry;
import static dev.resid.io.SafetensorsText.file;
import static dev.resid.io.SafetensorsText.one;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
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

class SafetensorsTest {
  @TempDir Path dir;

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
      Path path = file(dir, header, 1 + 7 * dtype.bytes());
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
      Path path = file(dir, one(e.getKey().name(), "[1]", "[0," + bytes + "]"), bytes);
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
    Path path = file(dir, one("U64", "[1]", "[0,8]"), 8);
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
    Path path = file(dir, one("F32", "[2,1]", "[0,8]"), 8);
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
    Path opaque = file(dir, one("F8_E4M3", "[2]", "[0,2]"), 2);
    try (Safetensors file = Safetensors.open(opaque)) {
      assertThrows(SafetensorsException.class, () -> file.tensor("t"));
    }
  }

  @Test
  void aMappedTensorReadAfterCloseSaysSo() throws IOException {
    Path path = file(dir, one("F32", "[2]", "[0,8]"), 8);
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
}

package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.resid.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

@Isolated("sets the time zone of the JVM")
class NpzTest {
  @TempDir Path dir;

  private static byte[] floats(float... values) {
    ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      data.putFloat(value);
    }
    return NpyTest.array(
        1,
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + values.length + ",), }\n",
        data.array());
  }

  /** A deflated archive, as numpy.savez_compressed makes. */
  private static byte[] deflated(Map<String, byte[]> entries) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.UTF_8)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
      }
    }
    return out.toByteArray();
  }

  private byte[] stored() throws IOException {
    Path path = dir.resolve("stored.npz");
    new NpzWriter()
        .add("w", Tensor.of(TensorInfo.unnamed(2, 2), 1, 2, 3, 4))
        .add("n", TensorInfo.unnamed(2), new long[] {5, 6})
        .write(path);
    return Files.readAllBytes(path);
  }

  @Test
  void everyKindOfArrayComesBack() throws IOException {
    Path path = dir.resolve("a.npz");
    Tensor tensor = Tensor.of(TensorInfo.unnamed(2, 3), 1, 2, 3, -0f, Float.NaN, 1e-30f);
    new NpzWriter()
        .add("folder/é \uD83D\uDE00", tensor)
        .add("half", Tensor.of(TensorInfo.unnamed(2), 1.5f, -2), DType.F16)
        .add("double", tensor, DType.F64)
        .add("d", TensorInfo.unnamed(1, 2), new double[] {0.1, -0.2})
        .add("l", TensorInfo.unnamed(1), new long[] {1L << 40})
        .add("i", TensorInfo.unnamed(), new int[] {-3})
        .add("none", TensorInfo.unnamed(0), new int[0])
        .write(path);
    try (Npz file = Npz.open(path)) {
      assertEquals(
          List.of("folder/é \uD83D\uDE00", "half", "double", "d", "l", "i", "none"), file.names());
      assertTrue(file.tensor("folder/é \uD83D\uDE00").sameBits(tensor));
      assertTrue(file.mapped("folder/é \uD83D\uDE00").sameBits(tensor));
      assertTrue(file.tensor("double").sameBits(tensor));
      assertEquals(DType.F16, file.entry("half").dtype());
      assertArrayEquals(new float[] {1.5f, -2}, file.tensor("half").toArray());
      assertArrayEquals(new double[] {0.1, -0.2}, file.doubles("d"));
      assertArrayEquals(new long[] {1L << 40}, file.longs("l"));
      assertArrayEquals(new int[] {-3}, file.ints("i"));
      assertArrayEquals(new int[0], file.ints("none"));
    }
  }

  @Test
  void equalArraysGiveEqualBytesInEveryTimeZone() throws IOException {
    TimeZone before = TimeZone.getDefault();
    try {
      TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
      byte[] first = stored();
      TimeZone.setDefault(TimeZone.getTimeZone("Pacific/Kiritimati"));
      assertArrayEquals(first, stored());
    } finally {
      TimeZone.setDefault(before);
    }
  }

  @Test
  void compressedArraysAreInflatedWhenAskedFor() throws IOException {
    float[] values = new float[100_003];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 17;
    }
    Path path = dir.resolve("c.npz");
    Files.write(path, deflated(Map.of("v.npy", floats(values), "notes.txt", new byte[3])));
    assertTrue(Files.size(path) < 50_000);
    try (Npz file = Npz.open(path)) {
      assertEquals(List.of("v"), file.names());
      assertArrayEquals(values, file.tensor("v").toArray());
      float[] last = new float[3];
      file.mapped("v").storage().read(100_000, last, 0, 3);
      assertArrayEquals(new float[] {100_000 % 17, 100_001 % 17, 100_002 % 17}, last);
    }
  }

  @Test
  void aWrongChecksumIsNoticed() throws IOException {
    byte[] bytes = stored();
    try (Npz file = Npz.open(Files.write(dir.resolve("a.npz"), bytes))) {
      bytes[(int) file.entry("w").end() - 1] ^= 1;
    }
    Path path = Files.write(dir.resolve("b.npz"), bytes);
    try (Npz file = Npz.open(path)) {
      assertArrayEquals(new long[] {5, 6}, file.longs("n"));
      TensorFileException e = assertThrows(TensorFileException.class, () -> file.tensor("w"));
      assertTrue(e.getMessage().contains("checksum of zip entry \"w.npy\""), e.getMessage());
    }
  }

  @Test
  void moreThan65535ArraysAreFound() throws IOException {
    // Beyond that the end record alone cannot count them: this is zip64.
    int count = 66_000;
    NpzWriter writer = new NpzWriter();
    for (int i = 0; i < count; i++) {
      writer.add("a" + i, TensorInfo.unnamed(), new int[] {i});
    }
    Path path = dir.resolve("many.npz");
    writer.write(path);
    try (Npz file = Npz.open(path)) {
      assertEquals(count, file.names().size());
      assertArrayEquals(new int[] {65_999}, file.ints("a65999"));
    }
  }

  @Test
  void sizesInZip64FieldsAreRead() throws IOException {
    byte[] array = floats(7, 8);
    byte[] name = "z.npy".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer zip = ByteBuffer.allocate(2000).order(ByteOrder.LITTLE_ENDIAN);
    java.util.zip.CRC32 crc = new java.util.zip.CRC32();
    crc.update(array);
    zip.putInt(0x04034b50).putShort((short) 45).putShort((short) 0).putShort((short) 0);
    zip.putInt(0).putInt((int) crc.getValue()).putInt(-1).putInt(-1);
    zip.putShort((short) name.length).putShort((short) 20).put(name);
    zip.putShort((short) 1).putShort((short) 16).putLong(array.length).putLong(array.length);
    zip.put(array);
    int directory = zip.position();
    zip.putInt(0x02014b50).putShort((short) 45).putShort((short) 45).putShort((short) 0);
    zip.putShort((short) 0).putInt(0).putInt((int) crc.getValue()).putInt(-1).putInt(-1);
    zip.putShort((short) name.length).putShort((short) (5 + 28)).putShort((short) 0);
    zip.putShort((short) 0).putShort((short) 0).putInt(0).putInt(-1).put(name);
    zip.putShort((short) 0x7075).putShort((short) 1).put((byte) 9); // a field of another kind
    zip.putShort((short) 1).putShort((short) 24);
    zip.putLong(array.length).putLong(array.length).putLong(0);
    int end64 = zip.position();
    zip.putInt(0x06064b50)
        .putLong(44)
        .putShort((short) 45)
        .putShort((short) 45)
        .putInt(0)
        .putInt(0);
    zip.putLong(1).putLong(1).putLong(end64 - directory).putLong(directory);
    zip.putInt(0x07064b50).putInt(0).putLong(end64).putInt(1);
    zip.putInt(0x06054b50).putShort((short) 0).putShort((short) 0).putShort((short) -1);
    zip.putShort((short) -1).putInt(-1).putInt(-1).putShort((short) 2).putShort((short) 0x2121);
    byte[] bytes = new byte[zip.position()];
    zip.flip().get(bytes);
    Path path = Files.write(dir.resolve("z.npz"), bytes);
    try (Npz file = Npz.open(path)) {
      assertArrayEquals(new float[] {7, 8}, file.tensor("z").toArray());
    }
    new Mutations(TensorFile::open).everyPrefix(bytes).everyBit(bytes, directory, bytes.length);
  }

  @Test
  void hostileArchivesAreRefusedWithoutLargeAllocations() throws IOException {
    List<byte[]> bad = new ArrayList<>();
    byte[] good = stored();
    int directory = find(good, 0x02014b50);
    ByteBuffer edit;
    for (int field : new int[] {20, 24, 42}) { // packed size, size, place
      edit = ByteBuffer.wrap(good.clone()).order(ByteOrder.LITTLE_ENDIAN);
      edit.putInt(directory + field, 0x7FFFFFF0);
      bad.add(edit.array());
    }
    edit = ByteBuffer.wrap(good.clone()).order(ByteOrder.LITTLE_ENDIAN);
    edit.putShort(directory + 8, (short) 1); // encrypted
    bad.add(edit.array());
    edit = ByteBuffer.wrap(good.clone()).order(ByteOrder.LITTLE_ENDIAN);
    edit.putShort(directory + 10, (short) 12); // bzip2
    bad.add(edit.array());
    edit = ByteBuffer.wrap(good.clone()).order(ByteOrder.LITTLE_ENDIAN);
    edit.putInt(good.length - 22 + 12, 0x7FFFFFFF); // directory size
    bad.add(edit.array());
    // A bomb: an array of four terabytes in a kilobyte.
    bad.add(
        deflated(
            Map.of(
                "b.npy",
                NpyTest.array(
                    1,
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (1048576, 1048576), }\n",
                    new byte[100_000]))));
    bad.add(deflated(Map.of("a.txt", new byte[1])));
    bad.add(deflated(Map.of("o.npy", NpyTest.array(1, "{'descr': '|O', ", new byte[8]))));
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int i = 0; i < bad.size(); i++) {
      Path path = Files.write(dir.resolve("bad" + i), bad.get(i));
      long before = threads.getCurrentThreadAllocatedBytes();
      TensorFileException e =
          assertThrows(TensorFileException.class, () -> Npz.open(path), "bad " + i);
      long allocated = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(e.getMessage().startsWith(path + ": "), e.getMessage());
      // 64 KiB of header and the buffers of one inflater.
      assertTrue(allocated < 1_000_000, () -> "allocated " + allocated);
    }
  }

  @Test
  void namesOccurOnce() throws IOException {
    byte[] bytes = stored();
    // "n.npy" becomes "w.npy" in its local header and in the directory.
    for (int i = 0; i + 5 <= bytes.length; i++) {
      if (new String(bytes, i, 5, StandardCharsets.ISO_8859_1).equals("n.npy")) {
        bytes[i] = 'w';
      }
    }
    Path path = Files.write(dir.resolve("twice.npz"), bytes);
    TensorFileException e = assertThrows(TensorFileException.class, () -> Npz.open(path));
    assertTrue(e.getMessage().contains("\"w.npy\" occurs twice"), e.getMessage());
    Tensor x = Tensor.of(TensorInfo.unnamed(1), 1);
    assertThrows(IllegalArgumentException.class, () -> new NpzWriter().add("x", x).add("x", x));
    assertThrows(IllegalArgumentException.class, () -> new NpzWriter().add("x", x, DType.BF16));
  }

  @Test
  void everyPrefixAndEveryFlippedBitGivesAResultOrTheException() throws IOException {
    byte[] stored = stored();
    byte[] deflated = deflated(Map.of("a.npy", floats(1, 2, 3, 4, 5, 6, 7, 8), "b.npy", floats(9)));
    for (byte[] good : List.of(stored, deflated)) {
      Mutations mutations = new Mutations(TensorFile::open);
      mutations.everyPrefix(good);
      assertEquals(good.length, mutations.refused(), "no prefix of a file is a file");
      mutations.everyBit(good, 0, good.length).random(good, 3000, 20261122);
      assertTrue(mutations.read() > 10, "damage of unused fields must go unnoticed");
    }
  }

  private static int find(byte[] bytes, int signature) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i + 4 <= bytes.length; i++) {
      if (buffer.getInt(i) == signature) {
        return i;
      }
    }
    throw new AssertionError("no such signature");
  }
}

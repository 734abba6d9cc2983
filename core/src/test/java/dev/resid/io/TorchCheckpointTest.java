package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchCheckpointTest {
  private static final long[] NONE = {};

  @TempDir Path dir;

  private Path file(Consumer<PickleBuilder> content) throws IOException {
    PickleBuilder pickle = new PickleBuilder();
    content.accept(pickle);
    return pickle.write(dir.resolve("a.pt"));
  }

  private Path stateDict() throws IOException {
    return file(
        p -> {
          p.global("collections", "OrderedDict").op(')', 'R', 'q', 0, '(');
          p.string("w").tensor("0", 0, new long[] {2, 3}, new long[] {3, 1}, 1, 2, 3, 4, 5, 6);
          p.string("b").tensor("1", 1, new long[] {2}, new long[] {1}, 7, 8, 9);
          p.op('u', '}').string("_metadata").op('}', 's', 'b');
        });
  }

  @Test
  void aStateDictionaryIsRead() throws IOException {
    try (TorchCheckpoint file = TorchCheckpoint.open(stateDict())) {
      assertEquals(List.of("w", "b"), file.names());
      assertEquals(List.of(2L, 3L), file.entry("w").shape());
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, file.tensor("w").toArray());
      assertArrayEquals(new float[] {8, 9}, file.mapped("b").toArray());
      assertEquals(8, file.entry("b").bytes());
      assertEquals(Map.of(), file.scalars());
    }
  }

  @Test
  void viewsReadAsTheTensorsTheyAre() throws IOException {
    Path path =
        file(
            p -> {
              p.op('}', '(');
              p.string("transposed")
                  .tensor("0", 0, new long[] {3, 2}, new long[] {1, 3}, 1, 2, 3, 4, 5, 6);
              p.string("column").tensor("1", 1, new long[] {2}, new long[] {3}, 1, 2, 3, 4, 5, 6);
              p.string("expanded").tensor("2", 1, new long[] {2, 3}, new long[] {1, 0}, 1, 2, 3);
              p.string("scalar").tensor("3", 2, NONE, NONE, 1, 2, 3);
              p.string("empty").tensor("4", 0, new long[] {0, 3}, new long[] {3, 1});
              p.string("one").tensor("5", 1, new long[] {1, 2}, new long[] {99, 1}, 1, 2, 3);
              p.op('u');
            });
    try (TorchCheckpoint file = TorchCheckpoint.open(path)) {
      assertArrayEquals(new float[] {1, 4, 2, 5, 3, 6}, file.tensor("transposed").toArray());
      assertArrayEquals(new double[] {1, 4, 2, 5, 3, 6}, file.doubles("transposed"));
      assertArrayEquals(new float[] {2, 5}, file.tensor("column").toArray());
      assertArrayEquals(new float[] {2, 2, 2, 3, 3, 3}, file.tensor("expanded").toArray());
      assertArrayEquals(new float[] {3}, file.tensor("scalar").toArray());
      assertArrayEquals(new float[0], file.tensor("empty").toArray());
      assertArrayEquals(new float[] {2, 3}, file.tensor("one").toArray());
    }
  }

  @Test
  void everyStorageClassHasItsDtype() throws IOException {
    Map<String, DType> types =
        Map.of(
            "DoubleStorage",
            DType.F64,
            "FloatStorage",
            DType.F32,
            "HalfStorage",
            DType.F16,
            "BFloat16Storage",
            DType.BF16,
            "LongStorage",
            DType.I64,
            "IntStorage",
            DType.I32,
            "ShortStorage",
            DType.I16,
            "CharStorage",
            DType.I8,
            "ByteStorage",
            DType.U8,
            "BoolStorage",
            DType.BOOL);
    for (Map.Entry<String, DType> type : types.entrySet()) {
      byte[] data = new byte[2 * type.getValue().bytes()];
      data[type.getValue().bytes()] = 1;
      Path path =
          file(
              p -> {
                p.global("torch._utils", "_rebuild_tensor_v2").op('(');
                p.storage(type.getKey(), "0", 2, data);
                p.integer(1).tuple(1).tuple(1).op(0x89);
                p.global("collections", "OrderedDict").op(')', 'R', 't', 'R');
              });
      try (TorchCheckpoint file = TorchCheckpoint.open(path)) {
        assertEquals(type.getValue(), file.entry("").dtype());
        if (type.getValue().isInteger()) {
          assertArrayEquals(new long[] {1}, file.longs(""), type.getKey());
        } else {
          assertTrue(file.doubles("")[0] > 0, type.getKey());
        }
      }
    }
  }

  @Test
  void bigEndianFilesAreSwapped() throws IOException {
    PickleBuilder pickle = new PickleBuilder();
    pickle.global("torch._utils", "_rebuild_tensor_v2").op('(');
    pickle.storage("FloatStorage", "0", 1, new byte[] {0x3F, (byte) 0x80, 0, 0});
    pickle.integer(0).tuple(1).tuple(1).op(0x89);
    pickle.global("collections", "OrderedDict").op(')', 'R', 't', 'R', '.');
    Path path = dir.resolve("be.pt");
    pickle.write(path, Map.of("archive/byteorder", "big".getBytes(StandardCharsets.US_ASCII)));
    try (TorchCheckpoint file = TorchCheckpoint.open(path)) {
      assertArrayEquals(new float[] {1}, file.tensor("").toArray());
    }
    pickle.write(path, Map.of("archive/byteorder", "middle".getBytes(StandardCharsets.US_ASCII)));
    assertThrows(TensorFileException.class, () -> TorchCheckpoint.open(path));
  }

  @Test
  void nestedKeysAreJoinedByDotsAndScalarsKept() throws IOException {
    Path path =
        file(
            p -> {
              p.op('}', '(').string("step").op('K', 7).string("cfg").op('}', '(');
              p.string("lr").op('G', 0x3F, 0xE0, 0, 0, 0, 0, 0, 0).string("on").op(0x88);
              p.string("list").op(']', '(', 'N', 'M', 1, 2, 'J', 0xFF, 0xFF, 0xFF, 0xFF, 'e');
              p.op('K', 3).op(0x8c, 2, 'h', 'i').string("dtype").global("torch", "float32");
              p.string("device").global("torch", "device").string("cuda").op('K', 0, 0x86, 'R');
              p.string("size").global("torch", "Size").tuple(4, 5).op(0x85, 'R');
              p.string("long").op(0x8a, 0).string("neg").op(0x8a, 1, 0x80);
              p.op('u').string("t").op(')').op('u');
            });
    try (TorchCheckpoint file = TorchCheckpoint.open(path)) {
      assertEquals(
          Map.ofEntries(
              Map.entry("step", 7L),
              Map.entry("cfg.lr", 0.5),
              Map.entry("cfg.on", true),
              Map.entry("cfg.list.1", 513L),
              Map.entry("cfg.list.2", -1L),
              Map.entry("cfg.3", "hi"),
              Map.entry("cfg.dtype", "torch.float32"),
              Map.entry("cfg.device", "cuda:0"),
              Map.entry("cfg.size.0", 4L),
              Map.entry("cfg.size.1", 5L),
              Map.entry("cfg.long", 0L),
              Map.entry("cfg.neg", -128L)),
          file.scalars());
      assertEquals(List.of(), file.names());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 20261123})
  void damageGivesAResultOrTheException(long seed) throws IOException {
    byte[] good = Files.readAllBytes(stateDict());
    Mutations mutations = new Mutations(TensorFile::open);
    if (seed == 1) {
      mutations.everyPrefix(good);
      assertEquals(good.length, mutations.refused(), "no prefix of a file is a file");
      mutations.everyBit(good, 0, good.length);
    } else {
      mutations.random(good, 6000, seed);
    }
    assertTrue(mutations.read() > 10, "damage of the values must go unnoticed");
  }
}

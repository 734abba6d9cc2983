package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Torch checkpoints that break a rule, or hold what is not read. */
class TorchRefusalsTest {
  @TempDir Path dir;

  private String refusal(Consumer<PickleBuilder> content) throws IOException {
    PickleBuilder pickle = new PickleBuilder();
    content.accept(pickle);
    Path path = pickle.write(dir.resolve("a.pt"));
    TensorFileException e =
        assertThrows(TensorFileException.class, () -> TorchCheckpoint.open(path));
    String message = e.getMessage();
    assertTrue(message.startsWith(path + ": zip entry \"archive/data.pkl\", "), message);
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  @ParameterizedTest
  @CsvSource({
    "os, system",
    "posix, system",
    "builtins, eval",
    "builtins, getattr",
    "__builtin__, exec",
    "subprocess, Popen",
    "torch, load",
    "torch._utils, _rebuild_tensor_v2x",
    "torch.nn.modules.linear, Linear",
    "collections, OrderedDict.update",
    "numpy.core.multiarray, _reconstruct",
    "_codecs, encode",
    "transformer_lens.HookedTransformerConfig, HookedTransformerConfig",
  })
  void otherNamesAreRefusedByName(String module, String name) throws IOException {
    assertTrue(
        refusal(p -> p.global(module, name).string("id").op(0x85, 'R'))
            .contains("byte 2: it refers to \"" + module + "." + name + "\""));
    // The same with STACK_GLOBAL of protocol 4.
    assertTrue(
        refusal(p -> p.string(module).string(name).op(0x93).string("id").op(0x85, 'R'))
            .contains("it refers to \"" + module + "." + name + "\""));
  }

  @Test
  void everyOpcodeOutsideTheListIsRefused() throws IOException {
    String allowed = ".NKMJGX(])}tldaesuqrhjcRQb";
    int[] more = {0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x8d, 0x93, 0x94, 0x95};
    for (int opcode = 0; opcode < 256; opcode++) {
      int code = opcode;
      if (allowed.indexOf(code) >= 0 || Arrays.stream(more).anyMatch(o -> o == code)) {
        continue;
      }
      String message =
          refusal(p -> p.global("collections", "OrderedDict").op(')', code).ascii("\n\n\n\n"));
      assertTrue(message.contains(String.format("byte 28: opcode 0x%02x ", code)), message);
    }
    assertTrue(refusal(p -> p.op(')', 0x81)).contains("creates an object"));
  }

  @Test
  void callsOfKnownNamesMustBeTheOnesTorchMakes() throws IOException {
    String rebuild = "_rebuild_tensor_v2";
    assertTrue(
        refusal(p -> p.global("torch._utils", rebuild).op(')', 'R')).contains("must be called"));
    assertTrue(
        refusal(p -> p.global("collections", "OrderedDict").op('K', 1, 0x85, 'R'))
            .contains("expected none"));
    assertTrue(
        refusal(p -> p.global("torch", "FloatStorage").op(')', 'R')).contains("it calls torch"));
    assertTrue(refusal(p -> p.string("x").op(')', 'R')).contains("not a known function"));
    assertTrue(
        refusal(p -> p.global("torch._utils", "_rebuild_parameter").op('}', 0x88, '}', 0x87, 'R'))
            .contains("with a tensor"));
    assertTrue(refusal(p -> p.global("torch", "device").op(')', 'R')).contains("torch.device"));
    assertTrue(refusal(p -> p.global("torch", "Size").op(')', 'R')).contains("one tuple"));
    assertTrue(refusal(p -> p.string("0").op('Q')).contains("persistent id"));
    assertTrue(refusal(p -> p.op(')', '}', 'b')).contains("no OrderedDict"));
    assertTrue(refusal(p -> p.op('}', 'K', 1, 'b')).contains("no OrderedDict"));
    assertTrue(refusal(p -> p.global("torch", "Size")).contains("class torch.Size"));
    assertTrue(
        refusal(p -> p.storage("FloatStorage", "0", 1, new byte[4])).contains("is a storage"));
  }

  @Test
  void viewsThatLeaveTheirStorageAreRefused() throws IOException {
    long[][][] bad = {
      {{0}, {7}, {1}},
      {{3}, {4}, {1}},
      {{7}, {0, 1}, {1, 1}},
      {{0}, {2, 3}, {4, 1}},
      {{-1}, {2}, {1}},
      {{0}, {-2}, {1}},
      {{0}, {2}, {-1}},
      {{0}, {2}, {1, 1}},
      {{0}, {Long.MAX_VALUE, 2}, {1, 1}},
      {{0}, {3, 3}, {Long.MAX_VALUE, 1}},
      {{Long.MAX_VALUE}, {2}, {1}},
      {{0}, {1L << 40, 2}, {0, 1}},
    };
    for (long[][] view : bad) {
      String message = refusal(p -> p.tensor("0", view[0][0], view[1], view[2], 1, 2, 3, 4, 5, 6));
      assertTrue(message.contains("a tensor"), message);
    }
    assertTrue(
        refusal(p -> p.storage("FloatStorage", "0", 2, new byte[7])).contains("claims 2 values"));
    assertTrue(refusal(p -> p.storage("FloatStorage", "0", -1, new byte[8])).contains("claims -1"));
    assertTrue(
        refusal(p -> p.storage("FloatStorage", "0", Long.MAX_VALUE, new byte[8]))
            .contains("claims 9223372036854775807"));
    assertTrue(
        refusal(
                p -> {
                  p.op('(').string("storage").global("torch", "FloatStorage").string("../x");
                  p.string("cpu").integer(1).op('t', 'Q');
                })
            .contains("no data for storage"));
  }

  @Test
  void malformedStacksAreRefused() throws IOException {
    List<int[]> bad =
        List.of(
            new int[] {},
            new int[] {'N', 'N'},
            new int[] {'('},
            new int[] {'N', '('},
            new int[] {'t'},
            new int[] {'u'},
            new int[] {'R'},
            new int[] {'Q'},
            new int[] {'b'},
            new int[] {0x93},
            new int[] {'q', 0},
            new int[] {0x94},
            new int[] {'h', 0},
            new int[] {'j', 0, 0, 0, 0},
            new int[] {'}', '(', 'N', 'N', 'u'},
            new int[] {'}', '(', 'K', 1, 'u'},
            new int[] {'}', 'N', 'N', 's'},
            new int[] {']', 'K', 1, 'K', 2, 's'},
            new int[] {'}', 'K', 1, 'a'},
            new int[] {'}', '(', 'a'},
            new int[] {'N', '(', 0x85, 't'},
            new int[] {0x8a, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9},
            new int[] {0x80, 6, 'N'},
            new int[] {0x95, 0, 0, 0, 0, 0, 0, 0, 1, 'N'},
            new int[] {'X', 0xFF, 0xFF, 0xFF, 0xFF},
            new int[] {0x8d, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
            new int[] {'X', 1, 0, 0, 0, 0x80},
            new int[] {'N', '.', 'N'});
    for (int[] opcodes : bad) {
      refusal(p -> p.op(opcodes));
    }
    PickleBuilder cut = new PickleBuilder();
    Path path = cut.op('N').write(dir.resolve("cut.pt"), Map.of());
    assertThrows(TensorFileException.class, () -> TorchCheckpoint.open(path));
  }

  @Test
  void endlessAndExplodingDataIsRefused() throws IOException {
    // A list that contains itself.
    assertTrue(refusal(p -> p.op(']', 'q', 0, 'h', 0, 'a')).contains("nested deeper"));
    // Forty tuples, each holding the one before twice: 2^40 values.
    String message =
        refusal(
            p -> {
              p.op('N', 'q', 0);
              for (int i = 0; i < 40; i++) {
                p.op('h', i, 0x86, 'q', i + 1);
              }
            });
    assertTrue(message.contains("more than 2000000 values"), message);
    String deep = refusal(p -> p.op("]".repeat(100_000).chars().toArray()));
    assertTrue(deep.contains("stops with 100000 values"), deep);
  }

  @Test
  void twoValuesOfOneNameAreRefused() throws IOException {
    String message =
        refusal(
            p ->
                p.op('}', '(')
                    .string("a.b")
                    .op('K', 1)
                    .string("a")
                    .op('}')
                    .string("b")
                    .op('K', 2, 's', 'u'));
    assertTrue(message.contains("key \"a.b\": two values"), message);
  }

  @Test
  void otherFormatsAreNamed() throws IOException {
    Path legacy =
        Files.write(
            dir.resolve("legacy.pt"),
            new byte[] {
              (byte) 0x80,
              2,
              (byte) 0x8a,
              10,
              0x6c,
              (byte) 0xfc,
              (byte) 0x9c,
              0x46,
              (byte) 0xf9,
              0x20,
              0x6a,
              (byte) 0xa8,
              0x50,
              0x19,
              '.'
            });
    for (Path path : List.of(legacy)) {
      TensorFileException e =
          assertThrows(TensorFileException.class, () -> TorchCheckpoint.open(path));
      assertTrue(e.getMessage().contains("before PyTorch 1.6"), e.getMessage());
      assertThrows(TensorFileException.class, () -> TensorFile.open(path));
    }
    Path pickle = Files.write(dir.resolve("p"), new byte[] {(byte) 0x80, 4, 'N', '.', 1, 1, 1, 1});
    TensorFileException e = assertThrows(TensorFileException.class, () -> TensorFile.open(pickle));
    assertTrue(e.getMessage().contains("bare pickle"), e.getMessage());
    Path npz = dir.resolve("n.npz");
    new NpzWriter().add("x", TensorInfo.unnamed(1), new int[1]).write(npz);
    e = assertThrows(TensorFileException.class, () -> TorchCheckpoint.open(npz));
    assertTrue(e.getMessage().contains("data.pkl"), e.getMessage());
  }

  @Test
  void claimsCostNothing() throws IOException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    refusal(p -> p.op('X', 0xF0, 0xFF, 0xFF, 0x7F));
    refusal(p -> p.tensor("0", 0, new long[] {1L << 30}, new long[] {0}, 1));
    refusal(p -> p.storage("FloatStorage", "0", 1L << 40, new byte[4]));
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(allocated < 3_000_000, () -> "allocated " + allocated);
  }
}

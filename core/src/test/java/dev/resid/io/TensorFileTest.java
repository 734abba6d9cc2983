package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class TensorFileTest {
  @TempDir Path dir;

  @Test
  void theContentDecidesNotTheName() throws IOException {
    Tensor x = Tensor.of(TensorInfo.unnamed(1, 2), 1, 2);
    Path path = dir.resolve("x.bin");
    new SafetensorsWriter().add("x", x).write(path);
    check(path, "safetensors", "x");
    NpyWriter.write(path, x);
    check(path, "npy", "x.bin");
    new NpzWriter().add("x", x).write(path);
    check(path, "npz", "x");
    new PickleBuilder()
        .op('}')
        .string("x")
        .tensor("0", 0, new long[] {1, 2}, new long[] {2, 1}, 1, 2)
        .op('s')
        .write(path);
    check(path, "torch", "x");
  }

  private static void check(Path path, String format, String name) throws IOException {
    try (TensorFile file = TensorFile.open(path)) {
      assertEquals(format, file.format());
      assertEquals(List.of(name), file.names());
      TensorInfo info = file.entries().getFirst();
      assertEquals(DType.F32, info.dtype());
      assertEquals(List.of(1L, 2L), info.shape());
      assertEquals("[dim0=1, dim1=2]", file.tensor(name).shape().toString());
      assertEquals(file.tensor(name).get(0, 1), 2);
      assertTrue(file.toString().contains(path.toString()));
    }
  }

  @Test
  void anEmptyNpzIsEmpty() throws IOException {
    Path path = dir.resolve("none");
    new NpzWriter().write(path);
    try (TensorFile file = TensorFile.open(path)) {
      assertEquals("npz", file.format());
      assertEquals(List.of(), file.names());
    }
  }

  @Test
  void anythingElseIsRefused() throws IOException {
    for (String text :
        List.of("", "x", "hello, this is a text and no tensor", "{\"a\": 1}      ")) {
      Path path = Files.write(dir.resolve("t"), text.getBytes(StandardCharsets.UTF_8));
      TensorFileException e = assertThrows(TensorFileException.class, () -> TensorFile.open(path));
      assertTrue(e.getMessage().startsWith(path + ": "), e.getMessage());
    }
    assertThrows(IOException.class, () -> TensorFile.open(dir));
    assertThrows(IOException.class, () -> TensorFile.open(dir.resolve("missing")));
  }

  /** The JVM reports a page that is no longer there; without care it ends the process. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aFileThatIsCutOffWhileItIsOpenIsNamed() throws IOException {
    Path path = dir.resolve("cut");
    Tensor x = Tensor.wrap(TensorInfo.unnamed(100_000), new float[100_000]);
    new SafetensorsWriter().withChecksum().add("x", x).write(path);
    try (Safetensors file = Safetensors.open(path)) {
      cut(path);
      TensorFileException e = assertThrows(TensorFileException.class, file::requireChecksum);
      assertTrue(e.getMessage().startsWith(path + ": at or after byte "), e.getMessage());
      Tensor mapped = file.mapped("x");
      IOException cause = assertThrows(UncheckedIOException.class, mapped::toArray).getCause();
      assertTrue(cause.getMessage().startsWith(path + ": tensor \"x\": the file was cut short"));
    }
    new NpzWriter().add("x", x).write(path);
    try (TensorFile file = TensorFile.open(path)) {
      cut(path);
      IOException cause = assertThrows(IOException.class, () -> read(file.mapped("x")));
      assertTrue(cause.getMessage().contains("cut short"), cause.getMessage());
    }
  }

  private static void read(Tensor tensor) throws IOException {
    try {
      tensor.toArray();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void cut(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.truncate(10);
    }
  }

  @Test
  void threadsReadTogetherAndClosingStopsThem() throws Exception {
    Path path = dir.resolve("big");
    int n = 200_000;
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = i;
    }
    new SafetensorsWriter().add("x", Tensor.wrap(TensorInfo.unnamed(n), values)).write(path);
    TensorFile file = TensorFile.open(path);
    Tensor mapped = file.mapped("x");
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<String>> ends =
          java.util.stream.IntStream.range(0, 4)
              .mapToObj(
                  t ->
                      threads.submit(
                          () -> {
                            float[] part = new float[1000];
                            for (int i = t; ; i++) {
                              int from = i * 997 % (n - 1000);
                              try {
                                mapped.storage().read(from, part, 0, 1000);
                              } catch (IllegalStateException e) {
                                return e.getMessage();
                              }
                              if (part[999] != from + 999) {
                                return "wrong value " + part[999];
                              }
                            }
                          }))
              .toList();
      Thread.sleep(30);
      file.close();
      for (Future<String> end : ends) {
        String message = end.get(20, TimeUnit.SECONDS);
        assertTrue(message.contains("after its file was closed"), message);
      }
    }
  }
}

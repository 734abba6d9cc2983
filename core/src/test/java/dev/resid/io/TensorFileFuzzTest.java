package dev.resid.io;

import dev.resid.tensor.Tensor;
import dev.resid.testing.Fuzz;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of tensors, damaged at random and on purpose. */
class TensorFileFuzzTest {
  private static final List<String> ZIP =
      List.of("PK\3\4", "PK\1\2", "PK\5\6", "PK\6\6", "PK\6\7", "\1\0\20\0", ".npy", "/", "\10\0");

  @TempDir private Path dir;

  /** Opens a file that lies in memory. */
  @FunctionalInterface
  private interface Opening {
    TensorFile open(MappedFile file) throws IOException;
  }

  private static void fuzz(String name, Opening opening, List<String> words, byte[]... sound) {
    new Fuzz(
            name,
            List.of(sound),
            words,
            Fuzz.MOST_BYTES_OF_TEXT,
            TensorFileException.class,
            input -> {
              try (MappedFile mapped = MappedFile.of(Path.of(Fuzz.NAME), input)) {
                Mutations.readAll(opening.open(mapped));
              }
            })
        .run()
        .requireSearched(5);
  }

  @Test
  void safetensors() throws IOException {
    Path all = dir.resolve("all");
    new SafetensorsWriter()
        .metadata("format", "pt")
        .add("w", Tensor.of(TensorInfo.unnamed(2, 3), 1, 2, 3, 4, 5, 6), DType.F16)
        .add("ids", TensorInfo.unnamed(3), new long[] {1, 2, 3})
        .add("x", TensorInfo.unnamed(), new double[] {0.5})
        .write(all);
    Path one = dir.resolve("one");
    new SafetensorsWriter().add("t", Tensor.of(TensorInfo.unnamed(2), 1, 2), DType.BF16).write(one);
    List<String> words =
        Fuzz.json(
            "\"__metadata__\":",
            "\"dtype\":",
            "\"shape\":",
            "\"data_offsets\":",
            "\"F32\"",
            "\"BOOL\"",
            "\"F8_E4M3\"",
            "[0,0]",
            "1e9",
            " ");
    fuzz("safetensors", Safetensors::open, words, Files.readAllBytes(all), Files.readAllBytes(one));
  }

  @Test
  void npy() throws IOException {
    Path floats = dir.resolve("floats");
    NpyWriter.write(floats, Tensor.of(TensorInfo.unnamed(2, 3), 1, 2, 3, 4, 5, 6));
    byte[] fortran =
        NpyTest.array(
            2, "{'descr': '>i8', 'fortran_order': True, 'shape': (2, 1,), }\n", new byte[16]);
    List<String> words =
        List.of(
            "'descr':",
            "'fortran_order':",
            "'shape':",
            "'<f2'",
            "'|b1'",
            "'|O'",
            "'>c16'",
            "True",
            "()",
            "(0,)",
            ",",
            "L",
            "\u0093NUMPY\3\0",
            "\\",
            "\"",
            "{'a': ",
            "\n",
            " ");
    fuzz("npy", Npy::open, words, Files.readAllBytes(floats), fortran);
  }

  @Test
  void npz() throws IOException {
    Path stored = dir.resolve("stored");
    new NpzWriter()
        .add("w", Tensor.of(TensorInfo.unnamed(2, 2), 1, 2, 3, 4))
        .add("n", TensorInfo.unnamed(1), new int[] {7})
        .write(stored);
    ByteArrayOutputStream deflated = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(deflated)) {
      zip.putNextEntry(new ZipEntry("d.npy"));
      Path array = dir.resolve("array");
      NpyWriter.write(array, Tensor.of(TensorInfo.unnamed(3), 1, 2, 3));
      zip.write(Files.readAllBytes(array));
    }
    fuzz("npz", Npz::open, ZIP, Files.readAllBytes(stored), deflated.toByteArray());
  }

  @Test
  void torchCheckpoints() throws IOException {
    Path state =
        PickleBuilder.stateDict(
            dir.resolve("state"), Map.of("w", Tensor.of(TensorInfo.unnamed(2, 2), 1, 2, 3, 4)));
    Path other =
        new PickleBuilder()
            .op('}', '(')
            .string("x")
            .integer(5)
            .string("list")
            .op(']', '(', 'K', 1, 'N', 0x88, 'e')
            .op('u')
            .write(dir.resolve("other"));
    List<String> words =
        new ArrayList<>(
            List.of(
                "r\0\0\0\u007f",
                "X\u00ff\u00ff\u00ff\u007f",
                "ctorch\nFloatStorage\n",
                "cos\nsystem\n",
                "b",
                "\u0085",
                "\u0086",
                "\u0087",
                "\u008a\u00ff",
                "\u0080\4",
                "\u0094",
                "byteorder"));
    words.addAll(ZIP);
    fuzz(
        "torch checkpoint",
        TorchCheckpoint::open,
        Fuzz.pickle(words),
        Files.readAllBytes(state),
        Files.readAllBytes(other));
  }
}

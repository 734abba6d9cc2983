package dev.resid.sae.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import dev.resid.hook.HookPoint;
import dev.resid.io.SafetensorsWriter;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.io.PtFile.Values;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged and hostile files: each gives an SAE or one sentence that names the file, quickly and
 * without a large allocation.
 */
class DamagedSaeFilesTest {
  private static final int D_IN = 2;
  private static final int D_SAE = 3;

  /** Far more than reading one of these files needs (measured: at most 1.6 MB). */
  private static final long MOST_BYTES = 16L << 20;

  private static final String CONFIG =
      """
      {"architecture":"topk","d_in":2,"d_sae":3,"dtype":"float32","k":2,
      "normalize_activations":"none","apply_b_dec_to_input":true,
      "metadata":{"hook_name":"blocks.1.hook_resid_pre","context_size":8,"prepend_bos":true,
      "model_from_pretrained_kwargs":{"center_writing_weights":true}}}
      """;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir Path temp;
  private int refused;
  private int read;

  @Test
  void everyPrefixOfAConfiguration() throws IOException {
    saeLens();
    everyPrefix(temp.resolve("cfg.json"), temp);
    assertEquals(CONFIG.length() - 1, refused, "only that without the last line end is whole");
  }

  @Test
  void bitsOfAConfiguration() throws IOException {
    saeLens();
    bits(temp.resolve("cfg.json"), 0, CONFIG.length(), temp);
    assertTrue(refused > read, refused + " refused, " + read + " read");
  }

  @Test
  void everyPrefixOfSafetensors() throws IOException {
    saeLens();
    everyPrefix(temp.resolve("sae_weights.safetensors"), temp);
    assertEquals(0, read);
  }

  @Test
  void bitsOfASafetensorsHeader() throws IOException {
    saeLens();
    Path file = temp.resolve("sae_weights.safetensors");
    bits(file, 0, Math.toIntExact(Files.size(file)) - 4 * (2 * D_IN * D_SAE), temp);
    assertTrue(refused > read, refused + " refused, " + read + " read");
  }

  @Test
  void everyPrefixOfAPyTorchFile() throws IOException {
    Path file = temp.resolve("6.pt");
    Files.write(file, openAi());
    everyPrefix(file, file);
    assertEquals(0, read);
  }

  @Test
  void mutationsOfAPyTorchFile() throws IOException {
    Path file = temp.resolve("6.pt");
    byte[] good = openAi();
    SplittableRandom random = new SplittableRandom(7);
    Files.write(file, good);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int i = 0; i < 400; i++) {
        int[] places = random.ints(1 + i % 3, 0, good.length).toArray();
        for (int place : places) {
          put(channel, place, random.nextInt(256));
        }
        attempt(file, "mutation " + i);
        for (int place : places) {
          put(channel, place, good[place]);
        }
      }
    }
    assertTrue(refused > 50 && read > 50, refused + " refused, " + read + " read");
  }

  @Test
  void mutationsOfADictionaryLearningConfiguration() throws IOException {
    PtFile.write(temp.resolve("ae.pt"), autoEncoder());
    byte[] good =
        """
        {"trainer":{"dict_class":"AutoEncoder","activation_dim":2,"dict_size":3,"layer":6,
        "submodule_name":"resid_post_layer_6"},"buffer":{"ctx_len":128}}
        """
            .getBytes(StandardCharsets.UTF_8);
    Path file = temp.resolve("config.json");
    Files.write(file, good);
    attempt(temp, "undamaged");
    assertEquals(1, read);
    everyPrefix(file, temp);
    bits(file, 0, good.length, temp);
    assertTrue(refused > read, refused + " refused, " + read + " read");
  }

  @TestFactory
  Stream<DynamicTest> hostileConfigurationsAreOneSentence() {
    String deep = "{\"metadata\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
    return Stream.of(
            deep,
            "{\"a\":".repeat(5000) + "1" + "}".repeat(5000),
            CONFIG.replace("\"d_sae\":3", "\"d_sae\":2147483647"),
            CONFIG.replace("\"d_sae\":3", "\"d_sae\":1e400"),
            CONFIG.replace("\"d_sae\":3", "\"d_sae\":" + "9".repeat(2000)),
            CONFIG.replace("\"d_sae\":3", "\"d_sae\":-3"),
            CONFIG.replace("\"d_sae\":3", "\"d_sae\":3.5"),
            CONFIG.replace("\"k\":2", "\"k\":0"),
            CONFIG.replace("\"k\":2", "\"k\":4"),
            CONFIG.replace("\"k\":2", "\"k\":2147483647"),
            CONFIG.replace("\"k\":2,", ""),
            CONFIG.replace("\"k\":2", "\"k\":\"2\""),
            CONFIG.replace("\"k\":2", "\"" + "k".repeat(3_000_000) + "\":2"),
            CONFIG.replace("\"k\":2", "\"k\":2,\"k\":2"),
            CONFIG.replace("topk", "\\u001b[2J\\n"),
            CONFIG.replace("blocks.1.", "blocks.99999999999999999999."),
            CONFIG.replace("{\"hook_name\"", "[{\"hook_name\"").replace("}}}", "}}]}"),
            "[]",
            "null",
            "\"text\"",
            "",
            " ",
            "\u0000".repeat(100),
            CONFIG + CONFIG,
            "x".repeat(5 << 20))
        .map(
            content ->
                DynamicTest.dynamicTest(
                    "length "
                        + content.length()
                        + ": "
                        + content
                            .lines()
                            .findFirst()
                            .orElse("")
                            .chars()
                            .limit(60)
                            .collect(
                                StringBuilder::new,
                                StringBuilder::appendCodePoint,
                                StringBuilder::append),
                    () -> {
                      saeLens();
                      Files.writeString(temp.resolve("cfg.json"), content);
                      refused = 0;
                      attempt(temp, "this configuration");
                      assertEquals(1, refused, "refused");
                    }));
  }

  @TestFactory
  Stream<DynamicTest> hostilePicklesAreOneSentence() {
    Map<String, byte[]> pickles = new LinkedHashMap<>();
    pickles.put("calls a function", ascii("\u0080\u0002cos\nsystem\n(X\u0002\0\0\0lstR."));
    pickles.put("builds an object", ascii("\u0080\u0002cbuiltins\nobject\n)\u0081}b."));
    pickles.put("instance of a class", ascii("(ibuiltins\neval\n."));
    pickles.put("extension registry", ascii("\u0080\u0002\u0082\u0001."));
    pickles.put("huge string", ascii("\u0080\u0002X\u00ff\u00ff\u00ff\u007fabc."));
    pickles.put("huge memo index", ascii("\u0080\u0002}r\u00ff\u00ff\u00ff\u007f."));
    pickles.put("empty stack", ascii("\u0080\u0002u."));
    pickles.put("no end", ascii("\u0080\u0002}"));
    pickles.put(
        "deep nesting", ascii("\u0080\u0002" + "]".repeat(50_000) + "a".repeat(49_999) + "."));
    pickles.put("a list in itself", ascii("\u0080\u0002]q\u0000h\u0000a."));
    pickles.put(
        "a list doubled forty times",
        ascii("\u0080\u0002](K\u0001K\u0001e" + "q\u0000](h\u0000h\u0000e".repeat(40) + "."));
    return pickles.entrySet().stream()
        .map(
            pickle ->
                DynamicTest.dynamicTest(
                    pickle.getKey(),
                    () -> {
                      Path file = temp.resolve("6.pt");
                      Files.write(file, PtFile.ofPickle(pickle.getValue()));
                      refused = 0;
                      attempt(file, pickle.getKey());
                      assertEquals(1, refused, "refused");
                    }));
  }

  @Test
  void tensorsOfOtherShapesAndKindsAreOneSentence() throws IOException {
    int[][] shapes = {{}, {0}, {D_SAE}, {D_SAE, 0}, {0, D_IN}, {D_IN, D_SAE}, {1, D_SAE, D_IN}};
    for (int[] shape : shapes) {
      Map<String, Object> values = autoEncoder();
      values.put("pre_bias", values.remove("bias"));
      values.put("latent_bias", values.remove("encoder.bias"));
      values.put("activation", "ReLU");
      int count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
      values.put("encoder.weight", Values.floats(shape, new float[count]));
      Path file = PtFile.write(temp.resolve("6.pt"), values);
      attempt(file, Arrays.toString(shape));
    }
    assertEquals(shapes.length, refused);
    Map<String, Object> values = autoEncoder();
    values.put("k", Values.integer(-1));
    PtFile.write(temp.resolve("ae.pt"), values);
    Files.writeString(
        temp.resolve("config.json"), "{\"trainer\":{\"dict_class\":\"AutoEncoder\",\"layer\":1}}");
    refused = 0;
    attempt(temp.resolve("ae.pt"), "a tensor too many");
    assertEquals(1, refused);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private void saeLens() throws IOException {
    Files.writeString(temp.resolve("cfg.json"), CONFIG);
    SafetensorsWriter writer = new SafetensorsWriter();
    for (SaeWeight weight :
        List.of(SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.W_dec, SaeWeight.b_dec)) {
      writer.add(weight.name(), Tensor.zeros(weight.shape(D_IN, D_SAE, D_IN)));
    }
    writer.write(temp.resolve("sae_weights.safetensors"));
    refused = 0;
    read = 0;
    attempt(temp, "undamaged");
    assertEquals(1, read);
    read = 0;
  }

  private static Map<String, Object> autoEncoder() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("encoder.weight", Values.floats(new int[] {D_SAE, D_IN}, new float[6]));
    values.put("encoder.bias", Values.floats(new int[] {D_SAE}, new float[3]));
    values.put("decoder.weight", Values.floats(new int[] {D_IN, D_SAE}, new float[6]));
    values.put("bias", Values.floats(new int[] {D_IN}, new float[2]));
    return values;
  }

  private static byte[] openAi() throws IOException {
    Map<String, Object> values = autoEncoder();
    values.put("pre_bias", values.remove("bias"));
    values.put("latent_bias", values.remove("encoder.bias"));
    values.put("activation", "TopK");
    values.put("activation_state_dict", Map.of("k", 2L, "postact_fn", "ReLU"));
    return PtFile.bytes(values);
  }

  /** Shortens the file byte by byte; that is much faster than writing it anew each time. */
  private void everyPrefix(Path file, Path sae) throws IOException {
    byte[] good = Files.readAllBytes(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int length = good.length - 1; length >= 0; length--) {
        channel.truncate(length);
        attempt(sae, "the first " + length + " bytes");
      }
      channel.write(ByteBuffer.wrap(good), 0);
    }
  }

  /** Flips every bit, one at a time. */
  private void bits(Path file, int from, int to, Path sae) throws IOException {
    byte[] good = Files.readAllBytes(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int i = from; i < to; i++) {
        for (int bit = 0; bit < Byte.SIZE; bit++) {
          put(channel, i, good[i] ^ 1 << bit);
          attempt(sae, "bit " + bit + " of byte " + i + " flipped");
        }
        put(channel, i, good[i]);
      }
    }
  }

  private static void put(FileChannel channel, int at, int value) throws IOException {
    channel.write(ByteBuffer.wrap(new byte[] {(byte) value}), at);
  }

  /** Reads a file; once more if that took much memory, for what is made at the first use of all. */
  private void attempt(Path sae, String what) {
    int refusedBefore = refused;
    int readBefore = read;
    if (allocatedBy(sae, what) > MOST_BYTES) {
      refused = refusedBefore;
      read = readBefore;
      long allocated = allocatedBy(sae, what);
      assertTrue(allocated <= MOST_BYTES, what + ": " + allocated + " bytes were allocated");
    }
  }

  private long allocatedBy(Path sae, String what) {
    Stated stated =
        sae.toString().endsWith(".pt")
            ? Stated.nothing().at(HookPoint.residPost(6))
            : Stated.nothing();
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try (SaeCheckpoint checkpoint = SaeCheckpoint.open(sae, stated)) {
      checkpoint.weights();
      checkpoint.logFrequencies();
      read++;
    } catch (IOException e) {
      String message = e.getMessage();
      if (!message.startsWith(temp.toString()) || message.lines().count() != 1) {
        fail(what + ": not one line that begins with the file: " + message);
      }
      if (message.length() > 1500) {
        fail(what + ": " + message.length() + " characters are no sentence: " + message);
      }
      refused++;
    } catch (RuntimeException | Error e) {
      fail(what + ": expected an SAE or an IOException, got " + e, e);
    }
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }
}

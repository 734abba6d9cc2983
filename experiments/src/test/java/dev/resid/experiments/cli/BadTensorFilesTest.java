package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.testing.Shared;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Safetensors files that break a rule of the format, as a user meets them: every command that reads
 * such a file says in one sentence which file, where in it and which rule, and leaves nothing.
 */
class BadTensorFilesTest {
  private static final String TENSOR =
      "\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";

  @TempDir private Path folder;
  private Path sound;
  private Path model;
  private Path tokens;

  @BeforeEach
  void save() throws IOException {
    sound = TinyModel.save(folder.resolve("sound"), 2);
    model = TinyModel.save(folder.resolve("model"), 1);
    tokens = Files.writeString(folder.resolve("tokens.json"), "[[1, 2, 3]]");
  }

  @TestFactory
  Stream<DynamicTest> everyBrokenRuleIsNamed() {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("expected an 8-byte header length", new byte[7]);
    files.put("the header length is 9, but only 2", bytes(9, "{}", 0));
    files.put("above the limit of 100000000", bytes(100_000_001, "{}", 0));
    files.put("the header is not", bytes(2, "{x", 0));
    files.put(
        "t\\u0000",
        file("{\"t\\u0000\":{\"dtype\":\"F32\",\"shape\":[]," + "\"data_offsets\":[0,8]}}", 8));
    files.put("Duplicate Object property \"t\"", file("{" + TENSOR + "," + TENSOR + "}", 8));
    files.put("Q7", file("{" + TENSOR.replace("F32", "Q7") + "}", 8));
    files.put(
        "shape [3] of F32 needs 12 bytes, data_offsets [0, 8] give 8",
        file("{" + TENSOR.replace("[2]", "[3]") + "}", 8));
    files.put("-2", file("{" + TENSOR.replace("[2]", "[-2]") + "}", 8));
    files.put("[0,", file("{" + TENSOR.replace("[0,8]", "[0,9]") + "}", 8));
    files.put("4 bytes", file("{" + TENSOR + "}", 12));
    files.put("data_offsets", file("{\"t\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8));
    return files.entrySet().stream()
        .map(
            each ->
                DynamicTest.dynamicTest(
                    each.getKey(),
                    () -> {
                      Path file = Files.write(folder.resolve("x.safetensors"), each.getValue());
                      assertRefused(file, each.getKey());
                    }));
  }

  @TestFactory
  Stream<DynamicTest> badFilesOfOtherProgramsAreRefused() throws IOException {
    List<Path> files = tensorFiles("bad");
    assertEquals(38, files.size());
    return files.stream()
        .map(
            file ->
                DynamicTest.dynamicTest(
                    file.getFileName().toString(), () -> assertRefused(file, "")));
  }

  @TestFactory
  Stream<DynamicTest> goodFilesOfOtherProgramsAreRead() throws IOException {
    List<Path> files = tensorFiles("ok");
    assertEquals(7, files.size());
    return files.stream()
        .map(
            file ->
                DynamicTest.dynamicTest(file.getFileName().toString(), () -> assertIsRead(file)));
  }

  private static List<Path> tensorFiles(String kind) throws IOException {
    try (Stream<Path> all = Files.list(Shared.require("data/safetensors-" + kind))) {
      return all.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList();
    }
  }

  private void assertRefused(Path file, String rule) throws IOException {
    assertSentence(CliRun.line("tensors", file), file, rule);
    assertSentence(CliRun.line("tensors --json", file), file, rule);
    Path weights = model.resolve("model.safetensors");
    Files.copy(file, weights, StandardCopyOption.REPLACE_EXISTING);
    Path out = folder.resolve("out.safetensors");
    Map<String, String> before = FolderListing.of(folder);
    assertSentence(CliRun.line("info --model", model), weights, rule);
    assertSentence(
        CliRun.line("run --model", model, "--tokens", tokens, "--out", out), weights, rule);
    assertSentence(
        CliRun.line(
            "perturb --site blocks.0.hook_resid_pre --lengths 1 --model",
            sound,
            "--tokens",
            tokens,
            "--direction",
            file,
            "--out",
            out),
        file,
        rule);
    assertEquals(before, FolderListing.of(folder));
  }

  private static void assertSentence(CliRun run, Path file, String rule) {
    run.refused(rule);
    String start = "resid: " + file + ": ";
    assertTrue(run.err().startsWith(start), run.err());
    String where = run.err().strip().substring(start.length());
    assertTrue(where.matches("(key|tensor) \".*|byte \\d+: .*"), where);
  }

  private static void assertIsRead(Path file) throws IOException {
    JsonMapper mapper = new JsonMapper();
    JsonNode found =
        mapper.readTree(CliRun.line("tensors --json", file).ok().out()).path("tensors");
    JsonNode expected;
    try (Stream<String> lines = Files.lines(file.resolveSibling("manifest.jsonl"))) {
      expected =
          lines
              .map(mapper::readTree)
              .filter(each -> file.endsWith(each.path("file").asString()))
              .findFirst()
              .orElseThrow()
              .path("tensors");
    }
    assertEquals(expected.size(), found.size());
    for (Map.Entry<String, JsonNode> tensor : expected.properties()) {
      JsonNode here = found.path(tensor.getKey());
      assertEquals(tensor.getValue().path("dtype"), here.path("dtype"), tensor.getKey());
      assertEquals(tensor.getValue().path("shape"), here.path("shape"), tensor.getKey());
    }
    CliRun.line("tensors", file).ok();
  }

  private static byte[] file(String header, int data) {
    return bytes(header.length(), header, data);
  }

  private static byte[] bytes(long length, String header, int data) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    return Arrays.copyOf(file.put(text).array(), 8 + text.length + data);
  }
}

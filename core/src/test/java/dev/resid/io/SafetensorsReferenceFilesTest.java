package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.resid.testing.Shared;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The files of ../shared that a reader must refuse and those that it must accept. */
class SafetensorsReferenceFilesTest {
  // An 84-byte file costs a parser and its buffers, about 100 KB measured; a reader that believes
  // a header would allocate gigabytes.
  private static final long ALLOWED_BYTES = 2_000_000;

  @TestFactory
  Stream<DynamicTest> badFilesAreRefusedByNameAndPlace() throws IOException {
    Path dir = Shared.require("data/safetensors-bad");
    List<JsonNode> cases = manifest(dir);
    assertEquals(38, cases.size());
    return cases.stream()
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.get("file").asString(), () -> isRefused(dir, c.get("file").asString())));
  }

  private static void isRefused(Path dir, String name) throws IOException {
    Path file = dir.resolve(name);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    SafetensorsException e =
        assertThrows(SafetensorsException.class, () -> Safetensors.open(file).close());
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    String message = e.getMessage();
    assertTrue(message.startsWith(file + ": "), message);
    String rest = message.substring(file.toString().length());
    assertTrue(rest.matches("(?s): (key|tensor) \".*|: byte \\d+: .*"), message);
    assertEquals(1, message.lines().count(), message);
    assertEquals(file, e.file());
    assertTrue(
        allocated < Files.size(file) + ALLOWED_BYTES, () -> "allocated " + allocated + " bytes");
  }

  @TestFactory
  Stream<DynamicTest> goodFilesHoldWhatTheManifestSays() throws IOException {
    Path dir = Shared.require("data/safetensors-ok");
    List<JsonNode> cases = manifest(dir);
    assertEquals(7, cases.size());
    return cases.stream()
        .map(c -> DynamicTest.dynamicTest(c.get("file").asString(), () -> isRead(dir, c)));
  }

  private static void isRead(Path dir, JsonNode expected) throws IOException {
    try (Safetensors file = Safetensors.open(dir.resolve(expected.get("file").asString()))) {
      JsonNode tensors = expected.get("tensors");
      assertEquals(new TreeSet<>(tensors.propertyNames()), new TreeSet<>(file.names()));
      for (String name : tensors.propertyNames()) {
        JsonNode tensor = tensors.get(name);
        TensorInfo info = file.entry(name);
        assertEquals(tensor.get("dtype").asString(), info.dtype().name());
        assertEquals(longs(tensor.get("shape")), info.shape());
        double[] values =
            StreamSupport.stream(tensor.get("values").spliterator(), false)
                .mapToDouble(JsonNode::asDouble)
                .toArray();
        if (info.dtype().isFloat()) {
          double[] found = file.doubles(name);
          assertEquals(values.length, found.length);
          for (int i = 0; i < values.length; i++) {
            assertEquals(
                Double.doubleToRawLongBits(values[i]), Double.doubleToRawLongBits(found[i]));
          }
        } else {
          long[] found = file.longs(name);
          assertEquals(values.length, found.length);
          for (int i = 0; i < values.length; i++) {
            assertEquals((long) values[i], found[i]);
          }
        }
      }
    }
  }

  private static List<Long> longs(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asLong).toList();
  }

  private static List<JsonNode> manifest(Path dir) throws IOException {
    JsonMapper json = JsonMapper.builder().build();
    try (Stream<String> lines = Files.lines(dir.resolve("manifest.jsonl"))) {
      return lines.map(json::readTree).toList();
    }
  }
}

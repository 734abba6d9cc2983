package dev.resid.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Safetensors files whose header is written as text. */
final class SafetensorsText {
  private SafetensorsText() {}

  /** A file of a header as written, and so many bytes of values 0, 1, 2 and so on. */
  static Path file(Path dir, String header, int dataBytes) throws IOException {
    return file(dir, header.getBytes(StandardCharsets.UTF_8), dataBytes);
  }

  static Path file(Path dir, byte[] json, int dataBytes) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json);
    for (int i = 0; i < dataBytes; i++) {
      bytes.put((byte) i);
    }
    return Files.write(dir.resolve("made.safetensors"), bytes.array());
  }

  static String entry(String dtype, String shape, String offsets) {
    return "{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
  }

  static String one(String dtype, String shape, String offsets) {
    return "{\"t\":" + entry("\"" + dtype + "\"", shape, offsets) + "}";
  }
}

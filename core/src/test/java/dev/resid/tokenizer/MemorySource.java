package dev.resid.tokenizer;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** Tokenizer files that a test makes up. */
final class MemorySource implements TokenizerSource {
  private final Map<String, byte[]> files = new HashMap<>();

  MemorySource with(String name, String text) {
    return with(name, text.getBytes(StandardCharsets.UTF_8));
  }

  MemorySource with(String name, byte[] bytes) {
    MemorySource copy = new MemorySource();
    copy.files.putAll(files);
    copy.files.put(name, bytes);
    return copy;
  }

  @Override
  public InputStream open(String name) {
    byte[] bytes = files.get(name);
    return bytes == null ? null : new ByteArrayInputStream(bytes);
  }
}

package dev.resid.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.hub.HubSettings.Access;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

@Isolated("sets a property of the JVM")
class HubSettingsTest {
  @TempDir private Path home;

  private HubSettings of(String... pairs) throws IOException {
    Map<String, String> variables = new java.util.HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      variables.put(pairs[i], pairs[i + 1]);
    }
    return HubSettings.of(variables::get, home);
  }

  @Test
  void withoutVariablesItIsThePublicHub() throws IOException {
    assertEquals(
        new HubSettings(
            URI.create("https://huggingface.co"),
            home.resolve(".cache/huggingface/hub"),
            Optional.empty(),
            Access.ONLINE,
            Duration.ofSeconds(10)),
        of());
  }

  @Test
  void theMoreSpecialVariableCounts() throws IOException {
    assertEquals(Path.of("/x/huggingface/hub"), of("XDG_CACHE_HOME", "/x").cache());
    assertEquals(Path.of("/h/hub"), of("XDG_CACHE_HOME", "/x", "HF_HOME", "/h").cache());
    assertEquals(Path.of("/c"), of("HF_HOME", "/h", "HF_HUB_CACHE", "/c").cache());
    assertEquals(home.resolve("h/hub"), of("HF_HOME", "~/h").cache());
    assertEquals(home.resolve(".cache/huggingface/hub"), of("HF_HOME", " ").cache());
  }

  @Test
  void theTokenIsTheVariablesElseTheFiles() throws IOException {
    Path file = Files.writeString(home.resolve("token"), "hf_file\n");
    assertEquals(Optional.of("hf_file"), of("HF_HOME", home.toString()).token());
    assertEquals(Optional.of("hf_file"), of("HF_TOKEN_PATH", file.toString()).token());
    assertEquals(
        Optional.of("hf_env"), of("HF_HOME", home.toString(), "HF_TOKEN", "hf_env").token());
    assertEquals(
        Optional.empty(),
        of("HF_HOME", home.toString(), "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1").token());
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> of("HF_TOKEN", "hf_a\nb: c"));
    assertFalse(refused.getMessage().contains("hf_a"), "no token in a message");
  }

  @Test
  void offlineIsWhatPythonTakesForTrue() throws IOException {
    for (String yes : new String[] {"1", "true", "YES", "On"}) {
      assertEquals(Access.OFFLINE, of("HF_HUB_OFFLINE", yes).access());
      assertEquals(Access.OFFLINE, of("TRANSFORMERS_OFFLINE", yes).access());
    }
    assertEquals(Access.ONLINE, of("HF_HUB_OFFLINE", "0").access());
  }

  @Test
  void theEndpointIsAnAddress() throws IOException {
    assertEquals(
        URI.create("http://mirror:8080/hf"),
        of("HF_ENDPOINT", "http://mirror:8080/hf//").endpoint());
    for (String bad : new String[] {"mirror", "ftp://mirror", "file:///x", "http://a b"}) {
      assertThrows(IllegalArgumentException.class, () -> of("HF_ENDPOINT", bad));
    }
    assertEquals(Duration.ofSeconds(30), of("HF_HUB_DOWNLOAD_TIMEOUT", "30").timeout());
    assertThrows(IllegalArgumentException.class, () -> of("HF_HUB_DOWNLOAD_TIMEOUT", "soon"));
  }

  @Test
  void aSystemPropertyCountsMoreThanTheEnvironment() throws IOException {
    System.setProperty("HF_HUB_CACHE", "/of-the-property");
    try {
      assertEquals(Path.of("/of-the-property"), HubSettings.fromEnvironment().cache());
    } finally {
      System.clearProperty("HF_HUB_CACHE");
    }
  }
}

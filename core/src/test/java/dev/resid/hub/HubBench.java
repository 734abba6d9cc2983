package dev.resid.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.hub.HubSettings.Access;
import dev.resid.hub.HubSnapshot.Origin;
import dev.resid.progress.Progress;
import dev.resid.testing.FakeHub;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A hub with one repository, and a cache that asks it. */
abstract class HubBench {
  static final String REPOSITORY = "some-body/gpt2";
  static final HubName NAME = HubName.parse(REPOSITORY);
  static final HubFiles WEIGHTS = HubFiles.of("model.safetensors");

  @TempDir Path folder;
  final byte[] weights = new byte[300_000];
  final byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
  final List<Duration> waits = new ArrayList<>();
  FakeHub hub;
  HubCache cache;

  @BeforeEach
  void publish() throws IOException {
    new Random(1).nextBytes(weights);
    hub = new FakeHub();
    hub.putSmall(REPOSITORY, "config.json", config);
    hub.putLarge(REPOSITORY, "model.safetensors", weights);
    cache = cache(Access.ONLINE, Optional.of("hf_secret"));
  }

  @AfterEach
  void stop() {
    hub.close();
  }

  HubCache cache(Access access, Optional<String> token) {
    return new HubCache(
        new HubSettings(
            hub.endpoint(), folder.resolve("hub"), token, access, Duration.ofSeconds(5)),
        waits::add,
        Files::createSymbolicLink);
  }

  Path repository() {
    return folder.resolve("hub/models--some-body--gpt2");
  }

  List<Path> blobs() throws IOException {
    try (Stream<Path> files = Files.list(repository().resolve("blobs"))) {
      return files.toList();
    }
  }

  HubSnapshot download(HubFiles files) throws IOException {
    return cache.download(NAME, files, Progress.none());
  }

  HubSnapshot requireWeights() throws IOException {
    return requireWeights(NAME, Origin.VERIFIED);
  }

  HubSnapshot requireWeights(HubName name, Origin origin) throws IOException {
    HubSnapshot snapshot = cache.download(name, WEIGHTS, Progress.none());
    assertArrayEquals(weights, Files.readAllBytes(snapshot.folder().resolve("model.safetensors")));
    assertEquals(origin, snapshot.files().getFirst().origin());
    return snapshot;
  }

  static void changeABit(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 4;
    Files.write(file, bytes);
  }

  String refused(HubFiles files) {
    return assertThrows(HubException.class, () -> download(files)).getMessage();
  }
}

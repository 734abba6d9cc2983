package dev.resid.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hub.HubSettings.Access;
import dev.resid.progress.Progress;
import dev.resid.testing.FakeHub;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that fetches a file and is killed, and another that waits for the same file. */
class TwoProcessesTest {
  private static final HubName NAME = HubName.parse("some-body/gpt2");
  private static final HubFiles FILES = HubFiles.of("model.safetensors");
  private static final int BYTES = 400_000;
  private static final int SENT = 150_000;

  @TempDir private Path folder;

  /** Fetches the file; the arguments are the hub's address and the folder of the cache. */
  public static final class Child {
    private Child() {}

    /** Runs in the process that is killed. */
    public static void main(String[] args) throws IOException {
      cache(URI.create(args[0]), Path.of(args[1])).download(NAME, FILES, Progress.none());
    }
  }

  private static HubCache cache(URI hub, Path folder) {
    return HubCache.of(
        new HubSettings(hub, folder, Optional.empty(), Access.ONLINE, Duration.ofSeconds(60)));
  }

  @Test
  void theOneThatWaitsGoesOnWhereTheKilledOneStopped() throws Exception {
    byte[] weights = new byte[BYTES];
    new Random(2).nextBytes(weights);
    CountDownLatch half = new CountDownLatch(1);
    CountDownLatch killed = new CountDownLatch(1);
    try (FakeHub hub = new FakeHub();
        ExecutorService threads = Executors.newSingleThreadExecutor()) {
      hub.putLarge(NAME.repository(), "model.safetensors", weights);
      FakeHub.Fault cut = FakeHub.cutAfter(SENT);
      hub.failNext(
          "GET",
          "model.safetensors",
          (exchange, content) -> {
            cut.answer(exchange, content);
            half.countDown();
            await(killed);
            return true;
          });
      Process child = start(hub.endpoint());
      await(half);
      requireGrown();
      Future<HubSnapshot> waiting =
          threads.submit(
              () -> cache(hub.endpoint(), folder).download(NAME, FILES, Progress.none()));
      while (hub.counts().getOrDefault("hub HEAD model.safetensors", 0) < 2) {
        Thread.sleep(5); // until this process has asked, and so waits for the lock
      }
      Thread.sleep(50);
      assertEquals(1, hub.counts().get("store GET model.safetensors"), "it waits");
      child.destroyForcibly().waitFor();
      killed.countDown();
      HubSnapshot snapshot = waiting.get(60, TimeUnit.SECONDS);
      assertArrayEquals(
          weights, Files.readAllBytes(snapshot.folder().resolve("model.safetensors")));
      assertEquals("bytes=" + SENT + "-", hub.requests().getLast().range());
    }
  }

  private Process start(URI hub) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return new ProcessBuilder(
            java,
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Child.class.getName(),
            hub.toString(),
            folder.toString())
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("child.log").toFile())
        .start();
  }

  /** Waits until the killed process has written what it was sent. */
  private void requireGrown() throws Exception {
    Path blobs = folder.resolve(NAME.folderName()).resolve("blobs");
    for (int i = 0; i < 2000; i++) {
      try (var files = Files.list(blobs)) {
        Optional<Path> part = files.findFirst();
        if (part.isPresent() && Files.size(part.get()) == SENT) {
          return;
        }
      }
      Thread.sleep(5);
    }
    throw new AssertionError("the other process wrote nothing");
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}

package dev.resid.hub;

import static dev.resid.testing.FakeHub.cutAfter;
import static dev.resid.testing.FakeHub.status;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hub.HubSettings.Access;
import dev.resid.progress.Progress;
import dev.resid.testing.FakeHub;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Tokens, cut connections, and servers that answer wrongly, late or not at all. */
class HubConnectionTest extends HubBench {
  @Test
  void theTokenIsShownToTheHubAndToNobodyElse() throws IOException {
    requireWeights();
    for (FakeHub.Request request : hub.requests()) {
      if (request.server().equals("hub")) {
        assertEquals("Bearer hf_secret", request.authorization());
      } else {
        assertNull(request.authorization(), "the store is another host");
      }
    }
    assertEquals(3, hub.requests().size());
    assertFalse(cache.settings().toString().contains("hf_secret"));
  }

  @Test
  void aTokenThatLeftTheHubDoesNotComeBack() throws IOException {
    String back = hub.endpoint() + "/" + REPOSITORY + "/resolve/main/config.json";
    hub.failNext("GET", "model.safetensors", status(302, "Location", back));
    assertThrows(HubException.class, () -> download(WEIGHTS));
    List<FakeHub.Request> gets =
        hub.requests().stream().filter(request -> request.method().equals("GET")).toList();
    assertTrue(gets.get(2).path().endsWith("/config.json"));
    assertNull(gets.get(2).authorization());
  }

  @Test
  void aCutConnectionIsResumed() throws IOException {
    hub.failNext("GET", "model.safetensors", cutAfter(100_000), cutAfter(50_000));
    requireWeights();
    List<String> ranges =
        hub.requests().stream()
            .filter(request -> request.server().equals("store"))
            .map(request -> String.valueOf(request.range()))
            .toList();
    assertEquals(List.of("null", "bytes=100000-", "bytes=150000-"), ranges);
  }

  @Test
  void progressCountsTheBytesThatAreThere() throws IOException {
    hub.failNext("GET", "model.safetensors", cutAfter(120_000), status(404));
    assertThrows(IOException.class, () -> download(WEIGHTS));
    List<String> begun = new ArrayList<>();
    List<Long> counts = new ArrayList<>();
    Progress progress =
        (name, unit, done, total) -> {
          begun.add(name + " " + unit + " " + done + " of " + total);
          Progress.Task ignored = Progress.none().begin(name, unit, done, total);
          return new Progress.Task() {
            @Override
            public void advanceTo(long count) {
              counts.add(count);
            }

            @Override
            public void detail(String text) {
              ignored.detail(text);
            }

            @Override
            public void close() {
              counts.add(-1L);
            }
          };
        };
    cache.download(NAME, WEIGHTS, progress);
    assertEquals(List.of("model.safetensors bytes 120000 of 300000"), begun);
    assertEquals(120_000, counts.getFirst());
    assertEquals(List.of(300_000L, -1L), counts.subList(counts.size() - 2, counts.size()));
    assertEquals(
        counts.subList(0, counts.size() - 1).stream().sorted().toList(),
        counts.subList(0, counts.size() - 1));
  }

  @Test
  void aServerThatFallsSilentIsLeftAndAskedAgain() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    AtomicBoolean waitedForever = new AtomicBoolean();
    FakeHub.Fault cut = cutAfter(100_000);
    hub.failNext(
        "GET",
        "model.safetensors",
        (exchange, content) -> {
          cut.answer(exchange, content);
          try {
            waitedForever.set(!end.await(60, TimeUnit.SECONDS));
            return true;
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
        });
    HubSettings usual = cache.settings();
    HubSettings impatient =
        new HubSettings(
            usual.endpoint(), usual.cache(), usual.token(), usual.access(), Duration.ofMillis(200));
    cache = new HubCache(impatient, waits::add, Files::createSymbolicLink);
    requireWeights();
    end.countDown();
    assertFalse(waitedForever.get(), "the time-out ended it, not the server");
    assertTrue(
        hub.requests().stream().anyMatch(request -> "bytes=100000-".equals(request.range())));
  }

  @Test
  void anInterruptedWaitEndsTheDownload() {
    cache =
        new HubCache(
            cache.settings(),
            time -> {
              throw new InterruptedException();
            },
            Files::createSymbolicLink);
    hub.failNext("HEAD", "model.safetensors", status(503));
    assertThrows(InterruptedIOException.class, () -> download(WEIGHTS));
    assertTrue(Thread.interrupted(), "the interrupt is passed on");
  }

  @Test
  void whatAnInterruptedProcessLeftIsGoneOnFrom() throws IOException {
    hub.failNext("GET", "model.safetensors", cutAfter(120_000), status(404), cutAfter(0));
    assertThrows(IOException.class, () -> download(WEIGHTS));
    assertEquals(120_000, Files.size(blobs().getFirst()));
    assertFalse(Files.exists(repository().resolve("refs/main")), "half a snapshot is none");
    hub.forgetRequests();
    requireWeights();
    assertEquals("bytes=120000-", hub.requests().getLast().range());
  }

  @Test
  void aServerWithoutPartsSendsAllAgain() throws IOException {
    hub.failNext("GET", "model.safetensors", cutAfter(100_000));
    hub.sendNoParts();
    requireWeights();
  }

  @Test
  void aDamagedPartIsFetchedAgainInOnePiece() throws IOException {
    hub.failNext("GET", "model.safetensors", cutAfter(120_000), status(404));
    assertThrows(IOException.class, () -> download(WEIGHTS));
    byte[] part = Files.readAllBytes(blobs().getFirst());
    part[7]++;
    Files.write(blobs().getFirst(), part);
    requireWeights();
  }

  @Test
  void aWrongHashIsRefusedAndNothingOfItKept() throws IOException {
    hub.putLie(REPOSITORY, "model.safetensors", weights, "0".repeat(64), weights.length);
    String sentence = refused(WEIGHTS);
    assertTrue(sentence.contains("expected " + "0".repeat(64)), sentence);
    assertEquals(List.of(), blobs());
    assertFalse(Files.exists(repository().resolve("snapshots")));
  }

  @Test
  void lengthsThatDoNotAgreeAreRefused() throws IOException {
    for (int bytes : new int[] {weights.length + 1, weights.length - 1}) {
      hub.putLie(REPOSITORY, "model.safetensors", weights, "0".repeat(64), bytes);
      String sentence = refused(WEIGHTS);
      assertTrue(sentence.contains("has " + bytes + " bytes"), sentence);
      assertEquals(0, Files.size(blobs().getFirst()));
    }
  }

  @Test
  void aBodyThatStaysShortIsGivenUp() {
    FakeHub.Fault[] cuts = new FakeHub.Fault[Retries.MAX_FAILURES + 1];
    Arrays.fill(cuts, cutAfter(0));
    cuts[0] = cutAfter(1000);
    hub.failNext("GET", "model.safetensors", cuts);
    String sentence = refused(WEIGHTS);
    assertTrue(sentence.contains("tried 5 times"), sentence);
    assertEquals(List.of(1L, 2L, 4L, 8L), waits.stream().map(Duration::toSeconds).toList());
  }

  @Test
  void aBusyServerIsWaitedForAsLongAsItAsks() throws IOException {
    hub.failNext("HEAD", "model.safetensors", status(429, "Retry-After", "7"), status(503));
    hub.failNext(
        "GET",
        "model.safetensors",
        status(500),
        status(429, "Retry-After", "Fri, 21 Nov 1980 00:00:00 GMT"));
    requireWeights();
    assertEquals(List.of(7L, 2L, 1L, 1L), waits.stream().map(Duration::toSeconds).toList());
  }

  @Test
  void aServerThatAsksForTooLongIsNotWaitedFor() {
    hub.failNext("HEAD", "model.safetensors", status(429, "Retry-After", "3600"));
    String sentence = refused(WEIGHTS);
    assertTrue(sentence.contains("answers 429"), sentence);
    assertTrue(sentence.contains("3600 s"), sentence);
    assertEquals(List.of(), waits);
  }

  @Test
  void aServerThatStaysBrokenIsGivenUp() {
    FakeHub.Fault[] errors = new FakeHub.Fault[Retries.MAX_FAILURES];
    Arrays.fill(errors, status(500));
    hub.failNext("HEAD", "model.safetensors", errors);
    assertTrue(refused(WEIGHTS).contains("answers 500"));
    assertEquals(Retries.MAX_FAILURES, hub.requests().size());
  }

  @Test
  void refusalsSayWhatToDo() {
    hub.failNext("HEAD", "config.json", status(401), status(403), status(418));
    HubFiles files = HubFiles.of("config.json");
    assertTrue(refused(files).contains("does not accept the token"));
    assertTrue(refused(files).contains("terms"));
    assertTrue(refused(files).contains("418"));
    cache = cache(Access.ONLINE, Optional.empty());
    hub.failNext("HEAD", "config.json", status(401));
    assertTrue(refused(files).contains("set HF_TOKEN"));
    hub.failNext("HEAD", "config.json", status(404, "X-Error-Code", "RevisionNotFound"));
    assertTrue(refused(files).contains("no revision main"));
    assertEquals(
        "some-body/gpt2: the repository has no other.json; is it the right one?",
        refused(HubFiles.of("other.json")));
    HubName nobody = HubName.parse("no-body/gpt2");
    String sentence =
        assertThrows(HubException.class, () -> cache.download(nobody, files, Progress.none()))
            .getMessage();
    assertTrue(sentence.contains("no such repository"), sentence);
  }

  @Test
  void aRepositoryThatMovedIsFollowedOnTheSameServer() throws IOException {
    String at = "/" + REPOSITORY + "/resolve/main/config.json";
    hub.failNext("HEAD", "config.json", status(307, "Location", at));
    hub.failNext("GET", "config.json", status(307, "Location", at));
    download(HubFiles.of("config.json"));
    assertTrue(
        hub.requests().stream().allMatch(request -> request.authorization() != null),
        "all of it is the hub");
    FakeHub.Fault[] rounds = new FakeHub.Fault[20];
    Arrays.fill(rounds, status(307, "Location", at.replace("config", "vocab")));
    hub.failNext("HEAD", "vocab.json", rounds);
    assertTrue(refused(HubFiles.of("vocab.json")).contains("without end"));
  }

  @Test
  void etagsAndIndexesCannotLeadOutOfTheCache() {
    hub.putLie(REPOSITORY, "model.safetensors", weights, "../../../evil", weights.length);
    assertTrue(refused(WEIGHTS).contains("ETag"));
    HubFiles index = HubFiles.of().required("config.json", file -> List.of("../evil"));
    assertThrows(IllegalArgumentException.class, () -> download(index));
    assertThrows(IllegalArgumentException.class, () -> HubFiles.of("a/../b"));
    assertThrows(IllegalArgumentException.class, () -> HubFiles.of("/etc/passwd"));
  }

  @Test
  void anAnswerThatIsNoHubsIsRefused() {
    hub.failNext("HEAD", "config.json", status(200, "Content-Length", "2"));
    assertTrue(refused(HubFiles.of("config.json")).contains("is HF_ENDPOINT"));
    hub.failNext("HEAD", "config.json", status(302, "Location", "ftp://x/y"));
    assertTrue(refused(HubFiles.of("config.json")).contains("not followed"));
  }

  @Test
  void anotherPartThanTheOneAskedForIsRefused() {
    hub.failNext(
        "GET",
        "model.safetensors",
        cutAfter(100),
        status(206, "Content-Range", "bytes 0-299999/300000"));
    assertTrue(refused(WEIGHTS).contains("another part"));
  }

  @Test
  void aServerThatIsNotThereIsNamed() {
    HubSettings nowhere =
        new HubSettings(
            URI.create("http://localhost:1"),
            folder,
            Optional.empty(),
            Access.ONLINE,
            Duration.ofSeconds(1));
    HubCache lost = new HubCache(nowhere, waits::add, Files::createSymbolicLink);
    String sentence =
        assertThrows(HubException.class, () -> lost.download(NAME, WEIGHTS, Progress.none()))
            .getMessage();
    assertTrue(sentence.contains("connection to localhost failed"), sentence);
  }

  @Test
  void aServerThatNobodyKnowsIsNotTriedAgain() {
    HubSettings unknown =
        new HubSettings(
            URI.create("http://no-such-hub.invalid"),
            folder,
            Optional.empty(),
            Access.ONLINE,
            Duration.ofSeconds(1));
    HubCache lost = new HubCache(unknown, waits::add, Files::createSymbolicLink);
    String sentence =
        assertThrows(HubException.class, () -> lost.download(NAME, WEIGHTS, Progress.none()))
            .getMessage();
    assertTrue(sentence.contains("no-such-hub.invalid"), sentence);
    assertEquals(List.of(), waits);
  }
}

package dev.resid.hub;

import static dev.resid.testing.FakeHub.COMMIT;
import static dev.resid.testing.FakeHub.cutAfter;
import static dev.resid.testing.FakeHub.status;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hub.HubSettings.Access;
import dev.resid.hub.HubSnapshot.Origin;
import dev.resid.progress.Progress;
import dev.resid.testing.FakeHub;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubDownloadTest {
  private static final String REPOSITORY = "some-body/gpt2";
  private static final HubName NAME = HubName.parse(REPOSITORY);
  private static final HubFiles WEIGHTS = HubFiles.of("model.safetensors");

  @TempDir private Path folder;
  private final byte[] weights = new byte[300_000];
  private final byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
  private final List<Duration> waits = new ArrayList<>();
  private FakeHub hub;
  private HubCache cache;

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

  private HubCache cache(Access access, Optional<String> token) {
    return new HubCache(
        new HubSettings(
            hub.endpoint(), folder.resolve("hub"), token, access, Duration.ofSeconds(5)),
        waits::add,
        Files::createSymbolicLink);
  }

  private Path repository() {
    return folder.resolve("hub/models--some-body--gpt2");
  }

  private List<Path> blobs() throws IOException {
    try (Stream<Path> files = Files.list(repository().resolve("blobs"))) {
      return files.toList();
    }
  }

  private HubSnapshot download(HubFiles files) throws IOException {
    return cache.download(NAME, files, Progress.none());
  }

  private HubSnapshot requireWeights() throws IOException {
    return requireWeights(NAME, Origin.VERIFIED);
  }

  private HubSnapshot requireWeights(HubName name, Origin origin) throws IOException {
    HubSnapshot snapshot = cache.download(name, WEIGHTS, Progress.none());
    assertArrayEquals(weights, Files.readAllBytes(snapshot.folder().resolve("model.safetensors")));
    assertEquals(origin, snapshot.files().getFirst().origin());
    return snapshot;
  }

  private static void changeABit(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 4;
    Files.write(file, bytes);
  }

  private String refused(HubFiles files) {
    return assertThrows(HubException.class, () -> download(files)).getMessage();
  }

  @Test
  void theLayoutIsThatOfPythonsTools() throws IOException {
    hub.putLarge(REPOSITORY, "deep/er/more.pt", new byte[] {1, 2, 3});
    HubFiles files =
        HubFiles.of("config.json", "model.safetensors", "deep/er/more.pt").optional("vocab.json");
    HubSnapshot snapshot = download(files);
    Path at = repository().resolve("snapshots").resolve(COMMIT);
    assertEquals(at, snapshot.folder());
    assertEquals(COMMIT, Files.readString(repository().resolve("refs/main")));
    assertEquals(
        Path.of("../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b"),
        Files.readSymbolicLink(at.resolve("config.json")));
    assertEquals(
        Path.of(
            "../../../../blobs/"
                + "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"),
        Files.readSymbolicLink(at.resolve("deep/er/more.pt")));
    assertEquals(
        0, Files.size(repository().resolve(".no_exist").resolve(COMMIT).resolve("vocab.json")));
    assertEquals(3, blobs().size(), "nothing incomplete is left");
    assertTrue(
        Files.exists(
            folder.resolve(
                "hub/.locks/models--some-body--gpt2/"
                    + "9e26dfeeb6e641a33dae4961196235bdb965b21b.lock")));
    assertFalse(snapshot.has("vocab.json"));
    assertEquals(Origin.VERIFIED, snapshot.files().getFirst().origin(), "git's hash is checked");
  }

  @Test
  void whatIsCachedIsNotFetchedAgain() throws IOException {
    HubFiles files = HubFiles.of("config.json", "model.safetensors").optional("vocab.json");
    download(files);
    hub.forgetRequests();
    HubSnapshot again = download(files);
    assertEquals(1, hub.requests().size(), "only the commit is asked for: " + hub.requests());
    assertTrue(again.files().stream().allMatch(file -> file.origin() == Origin.CACHED));
    hub.forgetRequests();
    HubName commit = new HubName(REPOSITORY, COMMIT);
    assertEquals(again.folder(), cache.download(commit, files, Progress.none()).folder());
    assertEquals(List.of(), hub.requests(), "a commit never changes");
  }

  @Test
  void aContentThatWasCutOffIsFetchedAgain() throws IOException {
    requireWeights();
    for (Path blob : blobs()) {
      Files.write(blob, Arrays.copyOf(Files.readAllBytes(blob), (int) Files.size(blob) - 1));
    }
    requireWeights(NAME, Origin.REPLACED);
  }

  @Test
  void aContentOfWhichABitChangedIsFetchedAgain() throws IOException {
    HubFiles files = HubFiles.of("config.json", "model.safetensors");
    download(files);
    for (Path blob : blobs()) {
      changeABit(blob);
    }
    hub.forgetRequests();
    HubSnapshot mended = download(files);
    assertTrue(
        mended.files().stream().allMatch(file -> file.origin() == Origin.REPLACED),
        mended::toString);
    assertArrayEquals(config, Files.readAllBytes(mended.folder().resolve("config.json")));
    assertEquals(1, hub.counts().get("store GET model.safetensors"));
    requireWeights(NAME, Origin.CACHED);
    assertEquals(2, blobs().size(), "nothing but the contents is left");
  }

  @Test
  void whatIsOfACommitIsComparedWithItsNameToo() throws IOException {
    HubName commit = new HubName(REPOSITORY, COMMIT);
    requireWeights();
    changeABit(blobs().getFirst());
    hub.failNext("HEAD", "model.safetensors", status(418));
    String sentence =
        assertThrows(HubException.class, () -> cache.download(commit, WEIGHTS, Progress.none()))
            .getMessage();
    assertTrue(sentence.contains("model.safetensors is damaged in the cache (it has "), sentence);
    assertTrue(sentence.contains("could not be fetched again"), sentence);
    assertTrue(sentence.contains("418"), sentence);
    requireWeights(commit, Origin.REPLACED);
    hub.forgetRequests();
    requireWeights(commit, Origin.CACHED);
    assertEquals(List.of(), hub.requests());
  }

  @Test
  void aContentThatCannotBeReadIsFetchedAgain() throws IOException {
    requireWeights();
    Path blob = blobs().getFirst();
    Files.delete(blob);
    Files.createSymbolicLink(blob, Path.of("/proc/self/mem"));
    // Where there is no such file, the link leads nowhere.
    requireWeights(NAME, Files.isRegularFile(blob) ? Origin.REPLACED : Origin.VERIFIED);
    assertFalse(Files.isSymbolicLink(blob));
  }

  @Test
  void filesThatPythonFetchedAreFound() throws IOException {
    Path snapshot = Files.createDirectories(repository().resolve("snapshots").resolve(COMMIT));
    Files.createDirectories(repository().resolve("blobs"));
    Files.createDirectories(repository().resolve("refs"));
    Files.write(repository().resolve("blobs/abc"), weights);
    Files.createSymbolicLink(snapshot.resolve("model.safetensors"), Path.of("../../blobs/abc"));
    Files.writeString(repository().resolve("refs/main"), COMMIT);
    assertEquals(snapshot, cache.snapshot(NAME, WEIGHTS).folder());
    Files.delete(repository().resolve("blobs/abc"));
    String sentence =
        assertThrows(HubException.class, () -> cache.snapshot(NAME, WEIGHTS)).getMessage();
    assertTrue(sentence.contains("'resid download some-body/gpt2'"), sentence);
    requireWeights();
    Path link = snapshot.resolve("model.safetensors");
    assertTrue(Files.isSymbolicLink(link), "the link that led nowhere leads to the content");
  }

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
  void threadsFetchTheSameContentOnce() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      cache = new HubCache(cache.settings(), time -> Thread.sleep(1), Files::createSymbolicLink);
      Callable<HubSnapshot> task = () -> download(WEIGHTS);
      List<Future<HubSnapshot>> all = threads.invokeAll(List.of(task, task, task, task));
      for (Future<HubSnapshot> each : all) {
        assertArrayEquals(
            weights, Files.readAllBytes(each.get().folder().resolve("model.safetensors")));
      }
    }
    assertEquals(1, hub.counts().get("store GET model.safetensors"));
  }

  @Test
  void whereLinksCannotBeTheContentItselfIsTheEntry() throws IOException {
    cache =
        new HubCache(
            cache.settings(),
            waits::add,
            (at, target) -> {
              throw new FileSystemException(at.toString(), null, "links need a privilege");
            });
    HubSnapshot snapshot = requireWeights();
    assertTrue(
        Files.isRegularFile(
            snapshot.folder().resolve("model.safetensors"), LinkOption.NOFOLLOW_LINKS));
    assertEquals(List.of(), blobs());
    assertEquals(snapshot.folder(), cache.snapshot(NAME, WEIGHTS).folder());
    requireWeights(NAME, Origin.CACHED);
    changeABit(snapshot.folder().resolve("model.safetensors"));
    requireWeights(new HubName(REPOSITORY, COMMIT), Origin.REPLACED);
    requireWeights(NAME, Origin.CACHED);
  }

  @Test
  void offlineNobodyIsAsked() throws IOException {
    HubCache offline = cache(Access.OFFLINE, Optional.empty());
    String sentence =
        assertThrows(HubException.class, () -> offline.download(NAME, WEIGHTS, Progress.none()))
            .getMessage();
    assertTrue(sentence.contains("HF_HUB_OFFLINE"), sentence);
    assertEquals(List.of(), hub.requests());
    requireWeights();
    hub.forgetRequests();
    assertEquals(
        Origin.CACHED,
        offline.download(NAME, WEIGHTS, Progress.none()).files().getFirst().origin());
    changeABit(blobs().getFirst());
    String damage =
        assertThrows(HubException.class, () -> offline.download(NAME, WEIGHTS, Progress.none()))
            .getMessage();
    assertTrue(damage.contains("model.safetensors is damaged (it has the hash "), damage);
    assertTrue(damage.contains("HF_HUB_OFFLINE"), damage);
    assertEquals(List.of(), hub.requests());
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

  @Test
  void aCacheThatCannotBeWrittenToIsAnError() throws IOException {
    Files.writeString(folder.resolve("hub"), "a file");
    assertThrows(FileSystemException.class, () -> download(WEIGHTS));
  }

  @Test
  void theFirstOfSeveralAndWhatItNamesIsTaken() throws IOException {
    hub.putSmall(REPOSITORY, "index.json", new byte[] {1});
    HubFiles files =
        HubFiles.of()
            .firstOf(
                List.of("one.safetensors", "index.json", "model.bin"),
                file -> List.of("model.safetensors"));
    HubSnapshot snapshot = download(files);
    assertEquals(
        List.of("index.json", "model.safetensors"),
        snapshot.files().stream().map(HubSnapshot.File::name).toList());
    HubFiles lacking = HubFiles.of().required("index.json", file -> List.of("part-2.safetensors"));
    assertTrue(refused(lacking).contains("part-2.safetensors, which index.json names"));
  }
}

package dev.resid.hub;

import static dev.resid.testing.FakeHub.COMMIT;
import static dev.resid.testing.FakeHub.status;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hub.HubSettings.Access;
import dev.resid.hub.HubSnapshot.Origin;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What stands in the cache after downloads, and what is taken from it. */
class HubDownloadTest extends HubBench {
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

package dev.resid.hub;

import dev.resid.hub.HubCache.Found;
import dev.resid.hub.HubClient.AbsentException;
import dev.resid.hub.HubClient.Remote;
import dev.resid.hub.HubSnapshot.Origin;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;

/**
 * Files of one repository, fetched into the cache. The first answer says which commit the revision
 * stands for; everything after it is asked of that commit, so that a push in between cannot mix two
 * states.
 */
final class Fetcher {
  private static final Duration LOCK_POLL = Duration.ofMillis(100);

  private final HubClient client;
  private final Retries retries;
  private final RepositoryFolder folder;
  private final Progress progress;
  private HubName name;

  Fetcher(
      HubClient client, Retries retries, RepositoryFolder folder, HubName name, Progress progress) {
    this.client = client;
    this.retries = retries;
    this.folder = folder;
    this.name = name;
    this.progress = progress;
  }

  /** Returns the commit that the files are of. */
  String commit() {
    if (!name.isCommit()) {
      throw new IllegalStateException("nothing was asked of the hub, so no commit is known");
    }
    return name.revision();
  }

  /** Returns a file, fetched if need be; empty if the repository has none of this name. */
  Optional<Found> fetch(String file) throws IOException {
    Optional<String> damage = Optional.empty();
    if (name.isCommit()) {
      Optional<Path> cached = folder.find(name.revision(), file);
      if (cached.isEmpty() && folder.isKnownAbsent(name.revision(), file)) {
        return Optional.empty();
      }
      if (cached.isPresent()) {
        // Its hash is the name of what it leads to, so that nobody has to be asked.
        Optional<String> hash = RepositoryFolder.etag(cached.get()).filter(ContentHash::isHash);
        damage = hash.flatMap(etag -> ContentHash.damage(cached.get(), etag, file, progress));
        if (hash.isPresent() && damage.isEmpty()) {
          return cached.map(path -> new Found(path, Origin.CACHED));
        }
      }
    }
    try {
      return ask(file);
    } catch (IOException e) {
      if (damage.isEmpty()) {
        throw e;
      }
      throw new HubException(
          name
              + ": "
              + file
              + " is damaged in the cache ("
              + damage.get()
              + "), and could not be fetched again: "
              + HubClient.reason(e),
          e);
    }
  }

  private Optional<Found> ask(String file) throws IOException {
    Remote remote;
    try {
      remote = client.head(name, file);
    } catch (AbsentException e) {
      if (e.commit().isPresent()) {
        pin(e.commit().get());
        folder.markAbsent(name.revision(), file);
      }
      return Optional.empty();
    }
    pin(remote.commit());
    Optional<Path> cached = whole(file, remote);
    if (cached.isPresent()) {
      return cached.map(path -> new Found(path, Origin.CACHED));
    }
    return Optional.of(locked(file, remote));
  }

  /** Returns the file of the cache, unless it is damaged. */
  private Optional<Path> whole(String file, Remote remote) throws IOException {
    Optional<Path> cached = folder.find(remote.commit(), file);
    return cached.isPresent() && isWhole(cached.get(), file, remote) ? cached : Optional.empty();
  }

  private void pin(String commit) throws HubException {
    if (name.isCommit() && !name.revision().equals(commit)) {
      throw new HubException(
          name
              + ": asked for commit "
              + name.revision()
              + " the server answers with "
              + commit
              + "; is HF_ENDPOINT a hub?");
    }
    name = new HubName(name.repository(), commit);
  }

  private Found locked(String file, Remote remote) throws IOException {
    Path lock = folder.lock(remote.etag());
    Files.createDirectories(lock.getParent());
    try (FileChannel channel =
        FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      FileLock held = lock(channel);
      try {
        return bring(file, remote);
      } finally {
        held.release();
      }
    }
  }

  /** Waits for other threads and processes that fetch the same content. */
  private FileLock lock(FileChannel channel) throws IOException {
    while (true) {
      try {
        FileLock lock = channel.tryLock();
        if (lock != null) {
          return lock;
        }
      } catch (OverlappingFileLockException e) {
        // Another thread of this process has it.
      }
      retries.sleep(LOCK_POLL);
    }
  }

  private Found bring(String file, Remote remote) throws IOException {
    Optional<Path> cached = whole(file, remote);
    if (cached.isPresent()) {
      return new Found(cached.get(), Origin.CACHED); // by whoever held the lock before
    }
    boolean damaged = folder.find(remote.commit(), file).isPresent();
    Path blob = folder.blob(remote.etag());
    Origin origin = Origin.CACHED;
    if (!isWhole(blob, file, remote)) {
      origin =
          new Transfer(client, retries, name, file, remote)
              .run(folder.incomplete(remote.etag()), blob, progress);
    }
    if (damaged) {
      folder.discard(remote.commit(), file);
      origin = origin == Origin.UNVERIFIED ? origin : Origin.REPLACED;
    }
    return new Found(folder.enter(remote.commit(), file, remote.etag()), origin);
  }

  private boolean isWhole(Path content, String file, Remote remote) throws IOException {
    return Files.isRegularFile(content)
        && (remote.bytes().isEmpty() || Files.size(content) == remote.bytes().getAsLong())
        && ContentHash.damage(content, remote.etag(), file, progress).isEmpty();
  }
}

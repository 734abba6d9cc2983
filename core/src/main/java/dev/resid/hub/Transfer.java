package dev.resid.hub;

import dev.resid.hub.HubClient.Body;
import dev.resid.hub.HubClient.Remote;
import dev.resid.hub.HubSnapshot.Origin;
import dev.resid.hub.Retries.ForNowException;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.OptionalLong;

/*
 * Brings one content into blobs. It grows in a file beside its place; a broken connection, or a
 * process that was killed, leaves that file, and the next attempt asks for the rest. What is whole
 * is checked against the hash in its name and renamed, so that nobody ever sees half of it. If a
 * content that was put together from parts has the wrong hash it is fetched once more in one piece;
 * if that is wrong too, the server is.
 */

/** The way of one file from the server into the cache. */
final class Transfer {
  private static final int BUFFER_BYTES = 1 << 16;

  private final HubClient client;
  private final Retries retries;
  private final HubName name;
  private final String file;
  private final Remote remote;

  /**
   * Prepares it.
   *
   * @param name the repository at the commit of the file
   * @param file path in the repository
   * @param remote what the server says about it
   */
  Transfer(HubClient client, Retries retries, HubName name, String file, Remote remote) {
    this.client = client;
    this.retries = retries;
    this.name = name;
    this.file = file;
    this.remote = remote;
  }

  /**
   * Fetches the content.
   *
   * @param incomplete where it grows; what is there already is kept
   * @param blob where it goes
   * @return whether its hash could be checked
   */
  Origin run(Path incomplete, Path blob, Progress progress) throws IOException {
    Files.createDirectories(blob.getParent());
    boolean inParts = sizeOf(incomplete) > 0;
    try (Progress.Task task =
        progress.begin(file, "bytes", sizeOf(incomplete), remote.bytes().orElse(0))) {
      inParts |= grow(incomplete, task);
      Origin origin = check(incomplete);
      if (origin == null && inParts) {
        task.detail("damaged, fetched again");
        Files.delete(incomplete);
        grow(incomplete, task);
        origin = check(incomplete);
      }
      if (origin == null) {
        String found = ContentHash.of(incomplete, remote.etag()).orElse("none");
        Files.delete(incomplete);
        throw new HubException(
            name
                + ": what came for "
                + file
                + " has the hash "
                + found
                + ", expected "
                + remote.etag()
                + "; nothing of it was kept, try again later");
      }
      Files.move(incomplete, blob, StandardCopyOption.ATOMIC_MOVE);
      return origin;
    }
  }

  /** Fetches until all is there. Returns whether that took more than one piece. */
  private boolean grow(Path incomplete, Progress.Task task) throws IOException {
    if (sizeOf(incomplete) > remote.bytes().orElse(0)) {
      Files.delete(incomplete); // too long, or nobody says how long it should be
    }
    int pieces = 0;
    int failures = 0;
    while (pieces == 0 && !isWhole(incomplete) || failures > 0) {
      long before = sizeOf(incomplete);
      try {
        pieces++;
        piece(incomplete, task);
        failures = 0;
      } catch (ForNowException e) {
        failures = sizeOf(incomplete) > before ? 1 : failures + 1;
        retries.waitAfter(failures, e);
        if (isWhole(incomplete)) {
          break;
        }
      }
    }
    return pieces > 1;
  }

  private boolean isWhole(Path incomplete) throws IOException {
    return remote.bytes().isPresent()
        && Files.exists(incomplete)
        && sizeOf(incomplete) == remote.bytes().getAsLong();
  }

  private void piece(Path incomplete, Progress.Task task) throws IOException {
    long from = sizeOf(incomplete);
    requireRoom(incomplete, from);
    try (Body body = client.get(name, file, from);
        FileChannel out =
            FileChannel.open(incomplete, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      requireLength(body.bytes(), out);
      out.truncate(body.from()); // the whole again, where the server does not send parts
      out.position(body.from());
      copy(body, incomplete, out, task);
      out.force(true);
    }
  }

  private void requireLength(OptionalLong bytes, FileChannel out) throws IOException {
    if (bytes.isPresent()
        && remote.bytes().isPresent()
        && bytes.getAsLong() != remote.bytes().getAsLong()) {
      out.truncate(0);
      throw new HubException(
          name
              + ": "
              + file
              + " has "
              + remote.bytes().getAsLong()
              + " bytes, but the store sends "
              + bytes.getAsLong()
              + "; nothing of it was kept, try again later");
    }
  }

  private void copy(Body body, Path incomplete, FileChannel out, Progress.Task task)
      throws IOException {
    long end = remote.bytes().orElse(Long.MAX_VALUE);
    byte[] buffer = new byte[BUFFER_BYTES];
    long at = body.from();
    task.advanceTo(at);
    InputStream in = open(body);
    for (int n = read(in, buffer); n >= 0; n = read(in, buffer)) {
      if (at + n > end) {
        out.truncate(0);
        throw new HubException(
            name
                + ": the store sends more than the "
                + end
                + " bytes of "
                + file
                + "; nothing of it was kept, try again later");
      }
      for (ByteBuffer rest = ByteBuffer.wrap(buffer, 0, n); rest.hasRemaining(); ) {
        write(incomplete, out, rest);
      }
      at += n;
      task.advanceTo(at);
    }
    long expected = body.bytes().orElse(end);
    if (expected != Long.MAX_VALUE && at < expected) {
      throw new ForNowException(
          name + ": " + file + " ended at byte " + at + " of " + expected, null);
    }
  }

  private InputStream open(Body body) throws IOException {
    try {
      return body.stream();
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private int read(InputStream in, byte[] buffer) throws IOException {
    try {
      return in.read(buffer);
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private ForNowException broken(IOException e) {
    return new ForNowException(
        name + ": the connection for " + file + " broke: " + HubClient.reason(e), e);
  }

  private void write(Path incomplete, FileChannel out, ByteBuffer bytes) throws IOException {
    try {
      out.write(bytes);
    } catch (IOException e) {
      throw new HubException(
          name
              + ": "
              + file
              + " could not be written to the cache, "
              + incomplete
              + ": "
              + HubClient.reason(e)
              + "; what is there is kept, the same command goes on from it",
          e);
    }
  }

  private void requireRoom(Path incomplete, long from) throws IOException {
    long free = Files.getFileStore(incomplete.getParent()).getUsableSpace();
    long needed = remote.bytes().orElse(0) - from;
    // Some network file systems say 0 for "unknown"; then the writing decides.
    if (free > 0 && needed > free) {
      throw new FileSystemException(
          incomplete.getParent().toString(),
          null,
          "No space left on device: "
              + file
              + " needs "
              + needed
              + " bytes more, there are "
              + free);
    }
  }

  /** Returns how far the content can be trusted; null if it is not what its name says. */
  private Origin check(Path content) throws IOException {
    Optional<String> found = ContentHash.of(content, remote.etag());
    if (found.isEmpty()) {
      if (remote.bytes().isEmpty()) {
        throw new HubException(
            name + ": the server states neither length nor hash of " + file + "; it is not taken");
      }
      return Origin.UNVERIFIED;
    }
    return found.get().equals(remote.etag()) ? Origin.VERIFIED : null;
  }

  private static long sizeOf(Path path) throws IOException {
    return Files.exists(path) ? Files.size(path) : 0;
  }
}

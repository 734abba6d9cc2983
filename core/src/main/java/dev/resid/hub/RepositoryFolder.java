package dev.resid.hub;

import dev.resid.io.AtomicFiles;
import dev.resid.io.ReadFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.regex.Pattern;

/*
 * The cache keeps a repository in one folder:
 *
 *   models--openai-community--gpt2/
 *     blobs/ETAG                 contents; the name is SHA-256 or git's hash of the content
 *     refs/main                  text: the commit that the branch was at
 *     snapshots/COMMIT/FILE      relative symbolic links to blobs, or files where links cannot be
 *     .no_exist/COMMIT/FILE      empty: the commit has no such file
 *   .locks/models--.../ETAG.lock
 *
 * Source: "Hub local cache" in the hub's documentation.
 */

/** One repository in the cache. Reading creates nothing. */
final class RepositoryFolder {
  private static final Pattern ETAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}");

  /** Makes the entry of a snapshot a link; the only place that a test replaces. */
  @FunctionalInterface
  interface Linker {
    /** Creates a symbolic link at a path with a target relative to the path's folder. */
    void link(Path at, Path target) throws IOException;
  }

  private final Path cache;
  private final HubName name;
  private final Path folder;
  private final Linker linker;

  RepositoryFolder(Path cache, HubName name, Linker linker) {
    this.cache = cache;
    this.name = name;
    this.folder = cache.resolve(name.folderName());
    this.linker = linker;
  }

  /** Refuses names of files that could lead out of a folder. */
  static void requirePlain(String file) {
    boolean plain = !file.isEmpty() && file.length() <= 500 && !file.contains("\\");
    for (String part : file.split("/", -1)) {
      plain &= !part.isEmpty() && !part.equals(".") && !part.equals("..");
    }
    plain &= file.chars().noneMatch(c -> c < ' ' || c == 0x7f);
    if (!plain) {
      throw new IllegalArgumentException(
          "\"" + file + "\" is no path in a repository; expected names with slashes between them.");
    }
  }

  /** Returns the commit that the revision stood for when it was asked for last. */
  Optional<String> commit() throws IOException {
    if (name.isCommit()) {
      return Optional.of(name.revision());
    }
    try {
      String text = Files.readString(ref(), StandardCharsets.UTF_8).strip();
      return Optional.of(text).filter(HubName::isCommit);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      if (Files.isDirectory(ref())) {
        return Optional.empty(); // refs/refs, of pull requests
      }
      throw ReadFailure.of(ref(), e);
    }
  }

  void writeCommit(String commit) throws IOException {
    if (name.isCommit() || commit().equals(Optional.of(commit))) {
      return; // a cache that cannot be written to is still read
    }
    Files.createDirectories(ref().getParent());
    AtomicFiles.write(ref(), commit);
  }

  private Path ref() {
    return folder.resolve("refs").resolve(name.revision());
  }

  Path snapshot(String commit) {
    return folder.resolve("snapshots").resolve(commit);
  }

  /** Returns the file of a snapshot if its content is there too. */
  Optional<Path> find(String commit, String file) {
    Path path = snapshot(commit).resolve(file);
    return Files.isRegularFile(path) ? Optional.of(path) : Optional.empty();
  }

  /** Returns the name of the content that a file of a snapshot leads to; empty if it is no link. */
  static Optional<String> etag(Path file) throws IOException {
    return Files.isSymbolicLink(file)
        ? Optional.of(Files.readSymbolicLink(file).getFileName().toString())
        : Optional.empty();
  }

  /** Removes a file of a snapshot that is no link, so that the next entry takes its place. */
  void discard(String commit, String file) throws IOException {
    Path at = snapshot(commit).resolve(file);
    if (Files.isRegularFile(at, LinkOption.NOFOLLOW_LINKS)) {
      Files.delete(at);
    }
  }

  boolean isKnownAbsent(String commit, String file) {
    return Files.exists(absence(commit, file));
  }

  void markAbsent(String commit, String file) throws IOException {
    Path mark = absence(commit, file);
    Files.createDirectories(mark.getParent());
    try {
      Files.createFile(mark);
    } catch (FileAlreadyExistsException e) {
      // Another process found out too.
    }
  }

  private Path absence(String commit, String file) {
    return folder.resolve(".no_exist").resolve(commit).resolve(file);
  }

  /** Refuses the name of a content that could lead out of its folder. */
  static String requireEtag(String etag) throws HubException {
    if (!ETAG.matcher(etag).matches()) {
      throw new HubException(
          "the server names a content with the ETag \""
              + etag.replaceAll("[^\\x20-\\x7e]", "?")
              + "\", from which no file name can be made; is HF_ENDPOINT a hub?");
    }
    return etag;
  }

  Path blob(String etag) {
    return folder.resolve("blobs").resolve(etag);
  }

  /**
   * Returns where a content grows while it is fetched. Python's tools have other names for that, so
   * that neither writes into what the other has begun: their locks are of another kind.
   */
  Path incomplete(String etag) {
    return folder.resolve("blobs").resolve(etag + ".resid.incomplete");
  }

  Path lock(String etag) {
    return cache.resolve(".locks").resolve(name.folderName()).resolve(etag + ".lock");
  }

  /** Makes the content an entry of a snapshot and returns it. */
  Path enter(String commit, String file, String etag) throws IOException {
    Path at = snapshot(commit).resolve(file);
    Files.createDirectories(at.getParent());
    Path target = at.getParent().relativize(blob(etag));
    try {
      relink(at, target);
    } catch (UnsupportedOperationException | FileSystemException e) {
      if (Files.isRegularFile(at)) {
        return at; // another process was faster
      }
      // No symbolic links here (Windows without developer mode, some network disks): the content
      // itself becomes the entry, and none is kept in blobs.
      Files.move(blob(etag), at, StandardCopyOption.REPLACE_EXISTING);
    }
    return at;
  }

  private void relink(Path at, Path target) throws IOException {
    try {
      linker.link(at, target);
    } catch (FileAlreadyExistsException e) {
      if (Files.isSymbolicLink(at) && Files.readSymbolicLink(at).equals(target)) {
        return;
      }
      if (Files.isRegularFile(at, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      Files.deleteIfExists(at); // a link whose content was removed, or a damaged one
      linker.link(at, target);
    }
  }
}

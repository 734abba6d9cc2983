package dev.resid.hub;

import java.nio.file.Path;
import java.util.List;

/**
 * Files of a repository in one state, on this machine.
 *
 * @param name what was asked for
 * @param commit the state
 * @param folder where the files are, by their paths in the repository
 * @param files the files that were asked for and are there
 */
public record HubSnapshot(HubName name, String commit, Path folder, List<File> files) {
  /** How a file came to be there. */
  public enum Origin {
    /**
     * It was in the cache. Where its name there is a hash, {@link HubCache#download} has compared
     * its content with it; {@link HubCache#find} and {@link HubCache#snapshot} have not.
     */
    CACHED,
    /** It was fetched now, and its hash is the one the server states. */
    VERIFIED,
    /**
     * It was in the cache, but damaged; it was fetched again, and its hash is the one the server
     * states.
     */
    REPLACED,
    /** It was fetched now, of the length the server states; the server states no hash of it. */
    UNVERIFIED
  }

  /**
   * One file.
   *
   * @param name path in the repository
   * @param bytes its length
   * @param origin how it came to be there
   */
  public record File(String name, long bytes, Origin origin) {}

  /** Copies the list. */
  public HubSnapshot {
    files = List.copyOf(files);
  }

  /**
   * Returns whether a file was asked for and is there.
   *
   * @param file path in the repository
   */
  public boolean has(String file) {
    return files.stream().anyMatch(each -> each.name().equals(file));
  }
}

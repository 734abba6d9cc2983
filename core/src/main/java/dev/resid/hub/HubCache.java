package dev.resid.hub;

import dev.resid.hub.HubFiles.Choice;
import dev.resid.hub.HubSettings.Access;
import dev.resid.hub.HubSnapshot.Origin;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The cache of Hugging Face on this machine, in the layout of Python's {@code huggingface_hub}:
 * what Python fetched is found, and Python finds what is fetched here.
 *
 * <pre>{@code
 * HubCache cache = HubCache.fromEnvironment();
 * HubName name = HubName.parse("openai-community/gpt2");
 * cache.download(name, Gpt2Checkpoint.hubFiles(), Progress.none()); // asks the hub
 * Gpt2 gpt2 = Gpt2.load(cache.snapshot(name, Gpt2Checkpoint.hubFiles()).folder(), backend);
 * }</pre>
 *
 * Only {@link #download} asks a server. May be used by several threads and processes at once: a
 * content is fetched once, by whoever comes first.
 */
public final class HubCache {
  private final HubSettings settings;
  private final Retries retries;
  private final RepositoryFolder.Linker linker;

  HubCache(HubSettings settings, Retries.Sleeper sleeper, RepositoryFolder.Linker linker) {
    this.settings = settings;
    this.retries = new Retries(sleeper);
    this.linker = linker;
  }

  /**
   * Returns a cache.
   *
   * @param settings where it is, and whom it asks
   */
  public static HubCache of(HubSettings settings) {
    return new HubCache(settings, Thread::sleep, Files::createSymbolicLink);
  }

  /**
   * Returns the cache that the environment states, as {@link HubSettings#fromEnvironment}.
   *
   * @throws IOException if the file of the token cannot be read
   * @throws IllegalArgumentException if a variable makes no sense
   */
  public static HubCache fromEnvironment() throws IOException {
    return of(HubSettings.fromEnvironment());
  }

  /** Returns where it is, and whom it asks. */
  public HubSettings settings() {
    return settings;
  }

  /**
   * Returns files that are cached; empty if one that must be there is not. Asks nobody, and does
   * not look into them.
   *
   * @param name repository and revision; of a branch, the commit it was at when it was last fetched
   * @param files which files
   * @throws IOException if the cache cannot be read
   */
  public Optional<HubSnapshot> find(HubName name, HubFiles files) throws IOException {
    return find(name, files, (file, path) -> {});
  }

  private Optional<HubSnapshot> find(HubName name, HubFiles files, Check check) throws IOException {
    for (HubName spelling : name.spellings()) {
      RepositoryFolder folder = folder(spelling);
      Optional<String> commit = folder.commit();
      if (commit.isPresent()) {
        Collection collection = new Collection(name, files);
        boolean whole =
            collection.collect(
                file -> {
                  Optional<Path> path = folder.find(commit.get(), file);
                  if (path.isPresent()) {
                    check.require(file, path.get());
                  }
                  return path.map(at -> new Found(at, Origin.CACHED));
                });
        if (whole) {
          return Optional.of(collection.snapshot(commit.get(), folder));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Returns files that are cached. Asks nobody, and does not look into them.
   *
   * @param name repository and revision
   * @param files which files
   * @throws HubException if one that must be there is not; the sentence says how to fetch it
   * @throws IOException if the cache cannot be read
   */
  public HubSnapshot snapshot(HubName name, HubFiles files) throws IOException {
    Optional<HubSnapshot> found = find(name, files);
    if (found.isEmpty()) {
      throw new HubException(
          name
              + ": is not, or not whole, in the cache "
              + settings.cache()
              + "; 'resid download "
              + name
              + "' or HubCache.download fetches it");
    }
    return found.get();
  }

  /**
   * Fetches what is not cached yet, or damaged in the cache, and returns all of it. Interrupted at
   * any moment, the next call goes on where it stopped. Offline, what is cached is returned and
   * nobody asked. What is cached is read once, and compared with the hash that its name is.
   *
   * @param name repository and revision
   * @param files which files
   * @param progress is told the bytes of each file that is fetched, or is large and checked
   * @throws HubException if the server refuses, or stays silent, or sends something else than it
   *     states, or has not what must be there; or offline, if that is not cached, or damaged
   * @throws IOException if the cache cannot be written to
   */
  public HubSnapshot download(HubName name, HubFiles files, Progress progress) throws IOException {
    if (settings.access() == Access.OFFLINE) {
      Optional<HubSnapshot> found =
          find(name, files, (file, path) -> requireSound(name, file, path, progress));
      if (found.isEmpty()) {
        throw new HubException(
            name
                + ": is not, or not whole, in the cache "
                + settings.cache()
                + ", and HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to fetch it");
      }
      return found.get();
    }
    RepositoryFolder folder = folder(name);
    Fetcher fetcher =
        new Fetcher(new HubClient(settings, retries), retries, folder, name, progress);
    Collection collection = new Collection(name, files);
    if (!collection.collect(fetcher::fetch)) {
      throw new HubException(
          name + ": the repository has no " + collection.missing() + "; is it the right one?");
    }
    String commit = fetcher.commit();
    // Last, so that a branch never leads to half a snapshot while the old one is whole.
    folder.writeCommit(commit);
    return collection.snapshot(commit, folder);
  }

  private static void requireSound(HubName name, String file, Path path, Progress progress)
      throws IOException {
    Optional<String> etag = RepositoryFolder.etag(path);
    Optional<String> damage = etag.flatMap(hash -> ContentHash.damage(path, hash, file, progress));
    if (damage.isPresent()) {
      throw new HubException(
          name
              + ": "
              + path
              + " is damaged ("
              + damage.get()
              + "), and HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to fetch it again");
    }
  }

  private RepositoryFolder folder(HubName name) {
    return new RepositoryFolder(settings.cache(), name, linker);
  }

  /** A file that is there. */
  record Found(Path path, Origin origin) {}

  /** Looks at a file that is cached. */
  @FunctionalInterface
  private interface Check {
    void require(String file, Path path) throws IOException;
  }

  /** Gives files by name. */
  @FunctionalInterface
  interface Source {
    Optional<Found> get(String file) throws IOException;
  }

  /** Walks over what is asked for. */
  private static final class Collection {
    private final HubName name;
    private final HubFiles files;
    private final List<HubSnapshot.File> found = new ArrayList<>();
    private String missing;

    private Collection(HubName name, HubFiles files) {
      this.name = name;
      this.files = files;
    }

    /** Returns whether everything that must be there is. */
    private boolean collect(Source source) throws IOException {
      for (Choice choice : files.choices()) {
        if (!collect(choice, source) && choice.required()) {
          missing = missing == null ? String.join(" or ", choice.names()) : missing;
          return false;
        }
      }
      return true;
    }

    private boolean collect(Choice choice, Source source) throws IOException {
      for (String file : choice.names()) {
        Optional<Found> got = source.get(file);
        if (got.isPresent()) {
          add(file, got.get());
          for (String more : choice.reader().read(got.get().path())) {
            RepositoryFolder.requirePlain(more);
            Optional<Found> part = source.get(more);
            if (part.isEmpty()) {
              missing = more + ", which " + file + " names";
              return false;
            }
            add(more, part.get());
          }
          return true;
        }
      }
      return false;
    }

    private void add(String file, Found got) throws IOException {
      found.add(new HubSnapshot.File(file, Files.size(got.path()), got.origin()));
    }

    private String missing() {
      return missing;
    }

    private HubSnapshot snapshot(String commit, RepositoryFolder folder) {
      return new HubSnapshot(name, commit, folder.snapshot(commit), found);
    }
  }
}

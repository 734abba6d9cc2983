package dev.resid.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Which files of a repository belong together: those it must have, those of which it must have one,
 * and those that are taken if they are there. In this order they are asked for.
 */
public final class HubFiles {
  private final List<Choice> choices;

  /** Looks into a file that is there, and names the files that it asks for. */
  @FunctionalInterface
  public interface Reader {
    /**
     * Returns the names of files that must be there too, relative to the repository.
     *
     * @param file the file, on this machine
     * @throws IOException if it is damaged, or not what was looked for; then nothing more is
     *     fetched
     */
    List<String> read(Path file) throws IOException;
  }

  /**
   * One thing that is asked for.
   *
   * @param names files that can be it, best first
   * @param required whether one of them must be there
   * @param reader looks into it
   */
  record Choice(List<String> names, boolean required, Reader reader) {
    Choice {
      names = List.copyOf(names);
      names.forEach(RepositoryFolder::requirePlain);
    }
  }

  private HubFiles(List<Choice> choices) {
    this.choices = List.copyOf(choices);
  }

  /**
   * Returns files that must all be there.
   *
   * @param names paths in the repository, with slashes
   * @throws IllegalArgumentException if one is no plain relative path
   */
  public static HubFiles of(String... names) {
    HubFiles files = new HubFiles(List.of());
    for (String name : names) {
      files = files.required(name, file -> List.of());
    }
    return files;
  }

  /**
   * Returns these and a file that must be there.
   *
   * @param name path in the repository, with slashes
   * @param reader looks into it
   * @throws IllegalArgumentException if it is no plain relative path
   */
  public HubFiles required(String name, Reader reader) {
    return with(new Choice(List.of(name), true, reader));
  }

  /**
   * Returns these and the first of several files that is there; one must be.
   *
   * @param names paths in the repository, best first
   * @param reader looks into it
   * @throws IllegalArgumentException if one is no plain relative path
   */
  public HubFiles firstOf(List<String> names, Reader reader) {
    return with(new Choice(names, true, reader));
  }

  /**
   * Returns these and files that are taken if they are there.
   *
   * @param names paths in the repository, with slashes
   * @throws IllegalArgumentException if one is no plain relative path
   */
  public HubFiles optional(String... names) {
    HubFiles files = this;
    for (String name : names) {
      files = files.with(new Choice(List.of(name), false, file -> List.of()));
    }
    return files;
  }

  List<Choice> choices() {
    return choices;
  }

  private HubFiles with(Choice choice) {
    List<Choice> more = new ArrayList<>(choices);
    more.add(choice);
    return new HubFiles(more);
  }
}

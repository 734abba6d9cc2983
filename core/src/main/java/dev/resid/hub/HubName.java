package dev.resid.hub;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A model repository of the hub in one of its states.
 *
 * @param repository {@code owner/name}, or the plain name of a repository that is older than owners
 * @param revision branch, tag or commit
 */
public record HubName(String repository, String revision) {
  /** The branch that is meant where none is named. */
  public static final String MAIN = "main";

  private static final String PART = "[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?";
  private static final Pattern REPOSITORY = Pattern.compile(PART + "(?:/" + PART + ")?");
  private static final Pattern REVISION =
      Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
  private static final int MAX_LENGTH = 96;

  /** Repositories that were moved to an owner; the hub and people use both names. */
  private static final Map<String, String> MOVED =
      Map.of(
          "gpt2", "openai-community/gpt2",
          "gpt2-medium", "openai-community/gpt2-medium",
          "gpt2-large", "openai-community/gpt2-large",
          "gpt2-xl", "openai-community/gpt2-xl",
          "distilgpt2", "distilbert/distilgpt2");

  /**
   * Checks both parts, from which paths and addresses are made.
   *
   * @throws IllegalArgumentException if one has characters or a form that the hub does not allow
   */
  public HubName {
    if (!isRepository(repository)) {
      throw new IllegalArgumentException(
          "\""
              + repository
              + "\" is no repository of the hub; expected OWNER/NAME, for example"
              + " openai-community/gpt2.");
    }
    if (!REVISION.matcher(revision).matches()
        || revision.contains("..")
        || revision.length() > 200) {
      throw new IllegalArgumentException(
          "\"" + revision + "\" is no revision; expected a branch, a tag or a commit.");
    }
  }

  /**
   * Returns the name that a text states: {@code openai-community/gpt2}, or with a revision {@code
   * openai-community/gpt2@607a30d}.
   *
   * @param text what was given
   * @throws IllegalArgumentException if it is no such name
   */
  public static HubName parse(String text) {
    int at = text.indexOf('@');
    return at < 0
        ? new HubName(text, MAIN)
        : new HubName(text.substring(0, at), text.substring(at + 1));
  }

  /**
   * Returns whether a text could be the name of a repository, with or without a revision.
   *
   * @param text what was given
   */
  public static boolean isName(String text) {
    try {
      parse(text);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Returns whether the revision is a commit, so that its files never change. */
  public boolean isCommit() {
    return isCommit(revision);
  }

  static boolean isCommit(String text) {
    return COMMIT.matcher(text).matches();
  }

  /** Returns this name and those that mean the same repository. */
  List<HubName> spellings() {
    String other = MOVED.get(repository);
    if (other == null) {
      other =
          MOVED.entrySet().stream()
              .filter(entry -> entry.getValue().equals(repository))
              .map(Map.Entry::getKey)
              .findFirst()
              .orElse(null);
    }
    return other == null ? List.of(this) : List.of(this, new HubName(other, revision));
  }

  /** Returns the name of the folder that the cache keeps the repository in. */
  String folderName() {
    return "models--" + repository.replace("/", "--");
  }

  /** Returns the name as {@link #parse} reads it, without the usual revision. */
  @Override
  public String toString() {
    return revision.equals(MAIN) ? repository : repository + "@" + revision;
  }

  private static boolean isRepository(String text) {
    return text.length() <= MAX_LENGTH
        && !text.contains("--")
        && !text.contains("..")
        && !text.endsWith(".git")
        && REPOSITORY.matcher(text).matches();
  }
}

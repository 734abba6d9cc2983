package dev.resid.tokenizer;

import dev.resid.tokenizer.Vocabulary.AddedToken;
import java.util.List;

/** Finds added tokens in a text, from left to right; of several at one place the longest. */
final class SpecialMatcher {
  private final List<AddedToken> all;
  private final List<AddedToken> ordinary;

  SpecialMatcher(List<AddedToken> added) {
    all = List.copyOf(added);
    ordinary = added.stream().filter(token -> !token.special()).toList();
  }

  /**
   * Returns a search of a text.
   *
   * @throws ForbiddenSpecialTokenException if they are forbidden and there is one
   */
  Search search(String text, SpecialTokens mode) {
    if (mode == SpecialTokens.FORBID) {
      Search forbidden = new Search(text, all);
      while (forbidden.next()) {
        AddedToken token = forbidden.found;
        if (token.special()) {
          throw new ForbiddenSpecialTokenException(token.content(), forbidden.start());
        }
      }
    }
    return new Search(text, mode == SpecialTokens.ALLOW ? all : ordinary);
  }

  /** One pass over one text. */
  static final class Search {
    private final String text;
    private final List<AddedToken> wanted;

    /** Where each wanted token occurs next, at or after the end of the last match. */
    private final int[] nextAt;

    private AddedToken found;
    private int start;
    private int end;

    private Search(String text, List<AddedToken> wanted) {
      this.text = text;
      this.wanted = wanted;
      this.nextAt = new int[wanted.size()];
      for (int i = 0; i < nextAt.length; i++) {
        nextAt[i] = indexOf(i, 0);
      }
    }

    /** Goes to the next match; returns false if there is none. */
    boolean next() {
      found = null;
      start = text.length();
      for (int i = 0; i < nextAt.length; i++) {
        if (nextAt[i] < end) {
          nextAt[i] = indexOf(i, end);
        }
        AddedToken token = wanted.get(i);
        boolean first = nextAt[i] < start;
        boolean longer =
            found != null
                && nextAt[i] == start
                && token.content().length() > found.content().length();
        if (first || longer) {
          found = token;
          start = nextAt[i];
        }
      }
      if (found != null) {
        end = start + found.content().length();
      }
      return found != null;
    }

    /** Returns the id of the match. */
    int id() {
      return found.id();
    }

    /** Returns the first char of the match. */
    int start() {
      return start;
    }

    /** Returns the char after the match. */
    int end() {
      return end;
    }

    private int indexOf(int i, int from) {
      int at = text.indexOf(wanted.get(i).content(), from);
      return at < 0 ? Integer.MAX_VALUE : at;
    }
  }
}

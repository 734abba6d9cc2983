package dev.resid.experiments.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Commands as they stand in help and documents, split as a shell would. */
final class ShellWords {
  private static final Pattern WORD = Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)");

  private ShellWords() {}

  /** Returns the text with lines that end in a backslash put before those they go on in. */
  static String joined(String text) {
    return text.replaceAll("\\\\\n *", "");
  }

  /** Returns the words of a command, without the quotes. */
  static List<String> of(String command) {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(command.strip());
    while (matcher.find()) {
      words.add(
          matcher.group(1) != null
              ? matcher.group(1)
              : matcher.group(2) != null ? matcher.group(2) : matcher.group(3));
    }
    return words;
  }
}

package dev.resid.experiments.language;

import dev.resid.io.Printable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Questions of the Children's Book Test: lines {@code 1 } to {@code 20 } with a sentence each, then
 * {@code 21 } with a sentence in which {@code XXXXX} stands for a word, a tab, the word, two tabs
 * and the candidates separated by bars; empty lines between questions. The prompt is the twenty
 * sentences joined by spaces and the last one up to the blank.
 */
final class CbtFormat {
  private static final int SENTENCES = 20;
  private static final String BLANK = "XXXXX";

  private CbtFormat() {}

  static List<ClozeItem> parse(String text, String name) throws IOException {
    List<ClozeItem> items = new ArrayList<>();
    List<String> sentences = new ArrayList<>();
    String[] lines = text.split("\r?\n", -1);
    for (int i = 0; i < lines.length; i++) {
      String where = name + ", line " + (i + 1);
      if (lines[i].isBlank()) {
        requireNothingOpen(sentences, where);
        continue;
      }
      String rest = numbered(lines[i], sentences.size() + 1, where);
      if (sentences.size() < SENTENCES) {
        sentences.add(rest);
      } else {
        items.add(question(sentences, rest, where));
        sentences.clear();
      }
    }
    requireNothingOpen(sentences, name + ", its end");
    if (items.isEmpty()) {
      throw new IOException(name + " has no questions");
    }
    return List.copyOf(items);
  }

  private static void requireNothingOpen(List<String> sentences, String where) throws IOException {
    if (!sentences.isEmpty()) {
      throw new IOException(
          where
              + ": a question of "
              + sentences.size()
              + " lines, it needs "
              + SENTENCES
              + " sentences and the question");
    }
  }

  private static String numbered(String line, int number, String where) throws IOException {
    String start = number + " ";
    if (!line.startsWith(start)) {
      throw new IOException(
          where + " should begin with \"" + start + "\", got " + Printable.quoted(line));
    }
    return line.substring(start.length()).strip();
  }

  private static ClozeItem question(List<String> sentences, String line, String where)
      throws IOException {
    String[] cells = line.split("\t", -1);
    int blank = cells[0].indexOf(BLANK);
    if (blank < 0 || cells[0].indexOf(BLANK, blank + 1) >= 0) {
      throw new IOException(where + " should have one " + BLANK + " in the question");
    }
    if (cells.length < 2 || cells[1].isBlank()) {
      throw new IOException(where + " has no answer after a tab behind the question");
    }
    String answer = cells[1].strip();
    if (cells.length > 3 && !Arrays.asList(cells[3].strip().split("\\|")).contains(answer)) {
      throw new IOException(
          where + ": the answer " + Printable.quoted(answer) + " is none of the candidates");
    }
    String before = cells[0].substring(0, blank).strip();
    String context = String.join(" ", sentences) + (before.isEmpty() ? "" : " " + before);
    return new ClozeItem(context, answer);
  }
}

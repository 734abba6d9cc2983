package dev.resid.experiments.report;

import dev.resid.experiments.result.ResultTable;
import java.util.List;
import java.util.Map;

/** A part of a report page under its own heading. */
public sealed interface Section {
  /** Returns the heading. */
  String heading();

  /**
   * The answer to the page's question, which stands before everything else.
   *
   * @param heading its heading
   * @param paragraphs plain text
   */
  record Answer(String heading, List<String> paragraphs) implements Section {}

  /**
   * Paragraphs of text.
   *
   * @param heading its heading
   * @param paragraphs plain text
   */
  record Prose(String heading, List<String> paragraphs) implements Section {}

  /**
   * Terms and what they mean, or names and values.
   *
   * @param heading its heading
   * @param intro plain text before the list, may be empty
   * @param entries the list
   */
  record Terms(String heading, String intro, List<Term> entries) implements Section {}

  /**
   * An entry of {@link Terms}.
   *
   * @param name what is explained
   * @param meaning plain text
   */
  record Term(String name, String meaning) {}

  /**
   * Expectations and what was found.
   *
   * @param heading its heading
   * @param intro plain text before the list
   * @param findings one an expectation
   */
  record Findings(String heading, String intro, List<Finding> findings) implements Section {}

  /**
   * An expectation with what was found.
   *
   * @param expected what the source says, in words
   * @param found what this run says, in words with numbers and intervals
   * @param verdict what follows
   * @param detail where that does not hold, or how it was decided; may be empty
   * @param basis what the verdict rests on
   */
  record Finding(String expected, String found, Verdict verdict, String detail, Basis basis) {
    /** A finding whose verdict rests on a sample. */
    public Finding(String expected, String found, Verdict verdict, String detail) {
      this(expected, found, verdict, detail, Basis.SAMPLE);
    }
  }

  /** What a verdict rests on. */
  enum Basis {
    /** Rows, prompts or pairs that stand for others: with few of them there is no verdict. */
    SAMPLE,
    /** Something that must hold in every row, so that one is enough. */
    EVERY_ROW
  }

  /** What a run says about an expectation. */
  enum Verdict {
    /** The interval lies where it was expected. */
    HOLDS("holds"),
    /** On the whole it is as expected, somewhere it is significantly not. */
    PARTLY("holds in part"),
    /** The interval lies elsewhere. */
    DOES_NOT_HOLD("does not hold"),
    /** The interval is too wide to tell, or what is needed is not there. */
    UNDECIDED("not decidable here"),
    /** There are too few rows for an interval. */
    TOO_FEW("not decidable at this size");

    private final String words;

    Verdict(String words) {
      this.words = words;
    }

    /** Returns it in words. */
    public String words() {
      return words;
    }

    /** Returns a count and the words for so many expectations, such as "2 hold". */
    public String counted(int count) {
      return count + " " + words(count);
    }

    private String words(int count) {
      return count == 1
          ? words.replace("not decidable", "is not decidable")
          : words
              .replace("holds", "hold")
              .replace("does not", "do not")
              .replace("not decidable", "are not decidable");
    }
  }

  /**
   * Figures of which some are shown, as the reader chooses.
   *
   * @param heading its heading
   * @param intro plain text before the figures
   * @param choices what can be chosen
   * @param figures every combination
   */
  record Figures(String heading, String intro, List<Choice> choices, List<Figure> figures)
      implements Section {}

  /**
   * Something to choose, such as the scale of the axes.
   *
   * @param key name in {@link Figure#chosen}
   * @param label in front of the options
   * @param options labels by key; the first one is shown at first
   */
  record Choice(String key, String label, Map<String, String> options) {}

  /**
   * A figure of one combination of choices.
   *
   * @param chosen an option of each choice that it depends on
   * @param name file name without extension, unique
   * @param chart what it shows
   */
  record Figure(Map<String, String> chosen, String name, Picture chart) {}

  /**
   * Things looked at one by one, such as features, each with lines of words that are marked.
   *
   * @param heading its heading
   * @param intro plain text before the things
   * @param groups what can be unfolded
   */
  record Cards(String heading, String intro, List<CardGroup> groups) implements Section {}

  /**
   * Things that are unfolded together.
   *
   * @param name what they have in common
   * @param cards the things
   */
  record CardGroup(String name, List<Card> cards) {}

  /**
   * One thing.
   *
   * @param title its name
   * @param facts numbers, as plain text
   * @param lines what is shown of it
   */
  record Card(String title, String facts, List<WordLine> lines) {}

  /**
   * Words beside each other.
   *
   * @param label what they are
   * @param flow how they are set
   * @param words the words
   */
  record WordLine(String label, Flow flow, List<Word> words) {}

  /** How words are set. */
  enum Flow {
    /** One after another, without a space that they do not bring along. */
    TEXT,
    /** Each in a frame of its own. */
    LIST
  }

  /**
   * A word.
   *
   * @param text as it is shown
   * @param mark how strongly it is marked: 1 in one colour, −1 in the other, 0 not at all
   * @param tip what is said about it when it is pointed at; may be empty
   * @param focus whether it is the one that the line is about
   */
  record Word(String text, double mark, String tip, Focus focus) {}

  /** Whether a word is the one that a line is about. */
  enum Focus {
    /** It is, and gets an outline. */
    HERE,
    /** It is not. */
    ELSEWHERE
  }

  /**
   * A table that can be sorted.
   *
   * @param heading its heading
   * @param intro plain text before the table
   * @param table its cells
   */
  record Table(String heading, String intro, ResultTable table) implements Section {}
}

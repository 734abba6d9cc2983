package dev.resid.experiments.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Turns what was thrown into one sentence for a person: what is wrong, where, and what to do. */
final class ErrorSentence {
  private static final String FULL = "No space left on device";

  /** How the JVM reports a page of a mapping that its file no longer has. */
  private static final String FAULT = "unsafe memory access";

  private ErrorSentence() {}

  /** Returns one sentence on one line. */
  static String of(Throwable thrown) {
    Throwable problem = unwrap(thrown);
    return oneLine(
        switch (problem) {
          case FileSystemException e -> ofFile(e);
          case FileNotFoundException e -> "cannot open " + e.getMessage() + ".";
          case IOException e when mentions(e, FULL) ->
              "the disk is full (" + e.getMessage() + "): free some space or write elsewhere.";
          case OutOfMemoryError e ->
              "out of memory at a limit of "
                  + Runtime.getRuntime().maxMemory() / (1 << 20)
                  + " MiB: ask for less at a time (fewer rows, a smaller batch), or allow more, for"
                  + " example with RESID_JAVA_OPTS=-Xmx8g.";
          case InternalError e when mentions(e, FAULT) ->
              "a file became shorter while it was read, or its disk failed: make sure that the"
                  + " files named here are whole, and run the command again.";
          case CharacterCodingException e -> "a file is not UTF-8; convert it first.";
          case IOException e -> messageOr(e);
          case IllegalArgumentException e -> messageOr(e);
          case IllegalStateException e -> messageOr(e);
          case StandardOutput.FailedException e -> messageOr(e);
          default -> unexpected(problem);
        });
  }

  /**
   * Returns the text with every run of white space, line ends included, as one space, and without
   * characters that a terminal would obey.
   */
  static String oneLine(String text) {
    return text.strip().replaceAll("\\s+", " ").replaceAll("\\p{Cntrl}", "?");
  }

  private static String ofFile(FileSystemException e) {
    String file = e.getFile() == null ? "a file" : e.getFile();
    String reason = e.getReason() == null ? "" : e.getReason();
    return switch (e) {
      case NoSuchFileException x when reason.isEmpty() ->
          "there is no file or folder " + file + ".";
      case AccessDeniedException x -> "no permission to read or write " + file + ".";
      case FileAlreadyExistsException x -> file + " exists already; choose another name.";
      case DirectoryNotEmptyException x -> "the folder " + file + " is not empty.";
      case NotDirectoryException x -> file + " is not a folder.";
      default ->
          mentions(e, FULL)
              ? "the disk is full: cannot write " + file + "; free some space or write elsewhere."
              : "cannot read or write " + file + (reason.isEmpty() ? "." : ": " + reason + ".");
    };
  }

  private static Throwable unwrap(Throwable thrown) {
    Throwable problem = thrown;
    while (problem.getCause() != null
        && (problem instanceof UncheckedIOException
            || problem instanceof ExecutionException
            || problem instanceof CompletionException
            || problem instanceof InvocationTargetException)) {
      problem = problem.getCause();
    }
    return problem;
  }

  private static boolean mentions(Throwable e, String text) {
    return e.getMessage() != null && e.getMessage().contains(text);
  }

  private static String messageOr(Throwable e) {
    return e.getMessage() == null || e.getMessage().isBlank() ? unexpected(e) : e.getMessage();
  }

  private static String unexpected(Throwable e) {
    StackTraceElement[] trace = e.getStackTrace();
    return "internal error, "
        + e
        + (trace.length == 0 ? "" : " at " + trace[0])
        + "; please report it with what --stacktrace prints.";
  }
}

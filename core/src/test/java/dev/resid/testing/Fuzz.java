package dev.resid.testing;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Gives a reader many damaged files and requires of each: a result, or one checked exception whose
 * message is one line that begins with the file's name; no other exception, no memory beyond a
 * bound, no hang. Inputs that end in a new place of the reader are kept and mutated further, so
 * that the search gets past the first rules of a format.
 *
 * <p>{@code -Dresid.fuzz.inputs=N} sets how many inputs each test tries, {@code -Dresid.fuzz.seed}
 * which; {@code -Dresid.fuzz.report=FILE} appends what was measured.
 */
public final class Fuzz {
  /** What readers are told that the file is called. */
  public static final String NAME = "damaged.bin";

  /** What a parser of text may allocate: its buffers and the tree of a file of 16 KiB. */
  public static final long MOST_BYTES_OF_TEXT = 2L << 20;

  /** What JSON gives a meaning, and characters that have to be escaped or are none. */
  private static final List<String> JSON =
      List.of(
          "null", "true", "false", "[]", "{}", "[[", "{\"a\":", "\"", ",", ":", "\\u0000",
          "\\ud800", "\u00ff");

  /** Instructions and ends of strings of a pickle of dictionaries, numbers and tensors. */
  private static final List<String> PICKLE =
      List.of(
          "(", "t", "R", "]", "}", "u", "e", "s", "a", "0", "2", ".", "Q", "N", "K\1", "q\0",
          "h\0");

  private static final int FEW = Integer.getInteger("resid.fuzz.inputs", 400);
  private static final long SEED = Long.getLong("resid.fuzz.seed", 20261121);

  /** A message longer than this is no sentence. */
  private static final int MOST_CHARACTERS = 1500;

  /** Time of the processor; the slowest input takes milliseconds. */
  private static final long MOST_NANOS = 10_000_000_000L;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Reads one file. */
  @FunctionalInterface
  public interface Reader {
    /**
     * Reads everything that the file holds.
     *
     * @throws IOException if it breaks a rule of its format
     */
    void read(byte[] input) throws IOException;
  }

  /**
   * What was seen.
   *
   * @param inputs how many files
   * @param read of them, how many were accepted
   * @param ends places in which they ended, the accepted ones in one
   * @param mostBytes allocated for one input
   */
  public record Outcome(int inputs, int read, int ends, long mostBytes) {
    /** Returns how many were refused. */
    public int refused() {
      return inputs - read;
    }

    /**
     * Requires that the search met both ends and more places than the first rule.
     *
     * @param places reading ended in more than so many
     */
    public void requireSearched(int places) {
      if (read == 0 || refused() == 0 || ends <= places) {
        throw new AssertionError("expected more than " + places + " ends, found " + this);
      }
    }
  }

  private final String name;
  private final Reader reader;
  private final Mutator mutator;
  private final long mostBytes;
  private final Class<? extends IOException> refusal;
  private final Set<Integer> ends = new HashSet<>();

  private volatile int done;
  private volatile byte[] current;
  private volatile Throwable failure;
  private int read;
  private long most;
  private long slowest;

  /**
   * Creates the test of one reader.
   *
   * @param name what is read, for the report
   * @param sound files that must be accepted
   * @param words what the format gives a meaning
   * @param mostBytes that may be allocated for one input
   * @param refusal the only exception that is allowed
   * @param reader reads a file that it calls {@link #NAME}
   */
  public Fuzz(
      String name,
      List<byte[]> sound,
      List<String> words,
      long mostBytes,
      Class<? extends IOException> refusal,
      Reader reader) {
    this.name = name;
    this.reader = reader;
    this.mutator = new Mutator(sound, words);
    this.mostBytes = mostBytes;
    this.refusal = refusal;
    for (byte[] file : sound) {
      try {
        reader.read(file);
      } catch (IOException e) {
        throw new AssertionError(name + ": a sound file is refused: " + e.getMessage(), e);
      }
    }
  }

  /**
   * Returns the test of a reader of text.
   *
   * @param name what is read, for the report
   * @param words what the format gives a meaning
   * @param refusal the only exception that is allowed
   * @param reader reads a file that it calls {@link #NAME}
   * @param sound files that must be accepted
   */
  public static Fuzz ofText(
      String name,
      List<String> words,
      Class<? extends IOException> refusal,
      Reader reader,
      String... sound) {
    List<byte[]> files =
        Stream.of(sound).map(text -> text.getBytes(StandardCharsets.UTF_8)).toList();
    return new Fuzz(name, files, words, MOST_BYTES_OF_TEXT, refusal, reader);
  }

  /** Returns the words of JSON and those of one kind of file. */
  public static List<String> json(String... words) {
    return Stream.concat(Stream.of(words), JSON.stream()).toList();
  }

  /** Returns the words of a pickle and those of one kind of file. */
  public static List<String> pickle(List<String> words) {
    return Stream.concat(PICKLE.stream(), words.stream()).toList();
  }

  /** Reads as many damaged files as the build asks for, and returns what was seen. */
  public Outcome run() {
    long start = System.nanoTime();
    Thread thread = Thread.ofPlatform().name("fuzz " + name).daemon().start(this::loop);
    watch(thread);
    if (failure != null) {
      byte[] input = current;
      throw new AssertionError(
          String.format(
              "%s, input %d of seed %d, %d bytes, Base64 %s%n%s: %s",
              name,
              done,
              SEED,
              input.length,
              Base64.getEncoder().encodeToString(input),
              new String(input, StandardCharsets.ISO_8859_1),
              failure),
          failure);
    }
    report((System.nanoTime() - start) / 1e9);
    return new Outcome(FEW, read, ends.size(), most);
  }

  private void loop() {
    SplittableRandom random = new SplittableRandom(SEED);
    try {
      for (int i = 0; i < FEW; i++) {
        byte[] input = mutator.next(random);
        current = input;
        done = i;
        if (isNew(attempt(input))) {
          mutator.keep(input, random);
        }
      }
      done = FEW;
    } catch (AssertionError | RuntimeException e) {
      failure = e;
    }
  }

  /** Waits for the end; of a reader that hangs, which uses the processor for one input alone. */
  private void watch(Thread thread) {
    int last = -1;
    long since = 0;
    try {
      while (!thread.join(java.time.Duration.ofMillis(500))) {
        long cpu = THREADS.getThreadCpuTime(thread.threadId());
        if (done != last) {
          last = done;
          since = cpu;
        } else if (cpu - since > MOST_NANOS) {
          AssertionError hang = new AssertionError("reading this file does not end");
          hang.setStackTrace(thread.getStackTrace());
          failure = hang;
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + name, e);
    }
  }

  /**
   * One reading of a file.
   *
   * @param refused null for an accepted file, else the refusal
   * @param bytes that were allocated
   */
  private record Reading(IOException refused, long bytes) {}

  /** Returns where reading ended: null for an accepted file, else the refusal. */
  private IOException attempt(byte[] input) {
    long nanos = THREADS.getCurrentThreadCpuTime();
    Reading reading = reading(input);
    slowest = Math.max(slowest, THREADS.getCurrentThreadCpuTime() - nanos);
    if (reading.bytes() > mostBytes) {
      reading = reading(input); // without what is made at the first use of a class
    }
    most = Math.max(most, reading.bytes());
    if (reading.bytes() > mostBytes) {
      throw new AssertionError(
          reading.bytes() + " bytes were allocated, at most " + mostBytes + " may be");
    }
    if (reading.refused() == null) {
      read++;
    } else {
      requireSentence(reading.refused());
    }
    return reading.refused();
  }

  private Reading reading(byte[] input) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    IOException refused = refusal(input);
    return new Reading(refused, THREADS.getCurrentThreadAllocatedBytes() - before);
  }

  private IOException refusal(byte[] input) {
    try {
      reader.read(input);
      return null;
    } catch (IOException e) {
      return e;
    } catch (RuntimeException | Error e) {
      throw new AssertionError("expected a result or an IOException, got " + e, e);
    }
  }

  private void requireSentence(IOException e) {
    String whole = String.valueOf(e.getMessage());
    // A file that is really written has folders before its name.
    String message =
        whole.startsWith("/") ? whole.substring(Math.max(0, whole.indexOf(NAME))) : whole;
    if (!refusal.isInstance(e)) {
      throw new AssertionError("expected " + refusal.getSimpleName() + ", got " + e, e);
    }
    if (!message.startsWith(NAME) || message.lines().count() != 1) {
      throw new AssertionError("not one line that begins with the file: " + message, e);
    }
    if (message.length() > MOST_CHARACTERS) {
      throw new AssertionError(message.length() + " characters are no sentence: " + message, e);
    }
    if (message.chars().anyMatch(c -> c < ' ' || c == 0x7F || c == 0x85 || c == 0x2028)) {
      throw new AssertionError("unprintable characters in: " + message, e);
    }
  }

  /** Of a refusal and its causes, the lines that led to them; of an accepted file, nothing. */
  private boolean isNew(IOException refused) {
    int end = 0;
    for (Throwable e = refused; e != null; e = e.getCause()) {
      StackTraceElement[] trace = e.getStackTrace();
      for (int i = 0; i < Math.min(trace.length, 6); i++) {
        end = 31 * end + trace[i].getLineNumber();
      }
    }
    return ends.add(end);
  }

  private void report(double seconds) {
    String file = System.getProperty("resid.fuzz.report");
    if (file == null) {
      return;
    }
    String line =
        String.format(
            Locale.ROOT,
            "%s\t%d inputs\t%d read\t%d ends\t%d bytes at most\t%.1f ms at most\t%.0f s%n",
            name,
            FEW,
            read,
            ends.size(),
            most,
            slowest / 1e6,
            seconds);
    try {
      Files.writeString(Path.of(file), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new IllegalStateException(file + " could not be written", e);
    }
  }
}

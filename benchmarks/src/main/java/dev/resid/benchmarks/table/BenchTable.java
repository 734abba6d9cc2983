package dev.resid.benchmarks.table;

import dev.resid.benchmarks.table.Group.Size;
import dev.resid.benchmarks.work.Bound;
import dev.resid.benchmarks.work.Jvm;
import dev.resid.benchmarks.work.Peer;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The program behind {@code resid bench}. */
public final class BenchTable {
  private static final String RESULTS = "bench";
  private static final String MACHINE = "machine.txt";
  private static final int GUARD_REPETITIONS = 5;

  private final Options options;
  private final TablePrinter printer = new TablePrinter(System.out);
  private final List<Line> lines = new ArrayList<>();
  private boolean failed;

  private BenchTable(Options options) {
    this.options = options;
  }

  /**
   * What to do.
   *
   * @param groups parts of the table, in its order
   * @param threads of every engine
   * @param repetitions rounds
   * @param size of the workloads
   * @param out folder for CSV, JSON and the machine; an empty path for none
   * @param guard whether to judge instead of only showing
   */
  private record Options(
      List<Group> groups, int threads, int repetitions, Size size, Path out, boolean guard) {
    static Options of(String[] args) {
      Map<String, String> named =
          Arrays.stream(args)
              .collect(
                  Collectors.toMap(
                      arg -> arg.substring(0, arg.indexOf('=')),
                      arg -> arg.substring(arg.indexOf('=') + 1)));
      boolean guard = named.containsKey("guard");
      List<Group> groups =
          named.containsKey("only")
              ? Arrays.stream(named.get("only").split(",")).map(Group::of).toList()
              : Arrays.stream(Group.values())
                  .filter(group -> guard ? !Double.isNaN(group.floor()) : group.inTable())
                  .toList();
      int processors = Runtime.getRuntime().availableProcessors();
      return new Options(
          groups,
          named.containsKey("threads") ? Integer.parseInt(named.get("threads")) : processors,
          guard ? GUARD_REPETITIONS : Integer.parseInt(named.getOrDefault("repetitions", "7")),
          Size.valueOf(named.getOrDefault("size", "full").toUpperCase(Locale.ROOT)),
          Path.of(named.getOrDefault("out", "")),
          guard);
    }
  }

  /**
   * Measures and prints the table, and ends the process: with 0, or with 1 if a workload could not
   * be measured or the guard found one below its floor.
   *
   * @param args {@code only=NAME,...}, {@code threads=N}, {@code repetitions=N}, {@code size=tiny},
   *     {@code out=DIR} and {@code guard=yes}, each at most once
   */
  public static void main(String[] args) {
    int code;
    try {
      code = new BenchTable(Options.of(args)).run() ? 0 : 1;
    } catch (IOException | IllegalArgumentException e) {
      System.err.println("resid: " + e.getMessage());
      code = 1;
    }
    System.exit(code);
  }

  private boolean run() throws IOException {
    long start = System.nanoTime();
    Map<String, String> facts = MachineFacts.of(options.threads());
    printer.facts(facts);
    for (Group group : options.groups()) {
      System.err.println("measuring " + group.word() + "...");
      List<Line> found = measure(group);
      printer.group(group, found);
      lines.addAll(found);
      if (!options.out().toString().isEmpty()) {
        write(facts);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%nP: multiply-adds on registers; R: reading memory; both measured in every round. %.1f"
            + " minutes.%n",
        (System.nanoTime() - start) / 60e9);
    return (!options.guard() || judge()) && !failed;
  }

  // A peer in native code can end the process, some only beside others. Then the group is measured
  // again without it, so that its lines are of one run, and once more with it and Resid alone.
  private List<Line> measure(Group group) throws IOException {
    List<String> without = new ArrayList<>();
    while (true) {
      Attempt attempt = attempt(group, without);
      boolean again =
          attempt.code() != 0
              && Worker.peers(without).stream()
                  .anyMatch(peer -> attempt.turn().startsWith(peer.name()));
      if (!again) {
        List<Line> found = new ArrayList<>(attempt.lines());
        for (String name : without) {
          found.addAll(alone(group, name));
        }
        if (attempt.code() != 0) {
          failed = true;
          attempt.other().forEach(System.err::println);
          System.err.println("resid: " + group.word() + " failed; what it printed stands above.");
        }
        return found;
      }
      System.err.println(
          attempt.turn() + " " + ending(attempt.code()) + "; once more without it...");
      without.add(attempt.turn());
    }
  }

  // The lines of the peer whose engine ended the process beside others.
  private List<Line> alone(Group group, String engine) throws IOException {
    List<String> others = Worker.peers(List.of(engine)).stream().map(Peer::name).toList();
    Attempt attempt = null;
    if (!others.isEmpty()) {
      System.err.println("measuring " + group.word() + " with Resid and " + engine + " alone...");
      attempt = attempt(group, others);
    }
    if (attempt == null || attempt.code() != 0) {
      String why = "not timed: it ended the process" + (attempt == null ? "" : ", alone too");
      return List.of(Line.untimed(group.word(), "all", engine, Bound.NONE, why));
    }
    return attempt.lines().stream()
        .filter(line -> !line.engine().startsWith("resid"))
        .map(line -> line.noted("in a process of its own, beside Resid"))
        .toList();
  }

  // The shell's convention: a signal is a code above 128. After a fault in native code, whichever,
  // Java aborts.
  private static String ending(int code) {
    return switch (code) {
      case 134 -> "ended the process (a fault in native code)";
      case 137 -> "was killed, perhaps for lack of memory";
      default -> "ended the process (exit code " + code + ")";
    };
  }

  /** What came of one process: exit code, lines, whose turn it was last, and what else it said. */
  private record Attempt(int code, List<Line> lines, String turn, List<String> other) {}

  private Attempt attempt(Group group, List<String> without) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                group.word(),
                Integer.toString(options.threads()),
                Integer.toString(options.repetitions()),
                options.size().name()));
    arguments.addAll(without);
    ProcessBuilder builder =
        Jvm.process(
            List.of(
                Jvm.HEAP_FOR_RESULTS,
                Jvm.TOUCHED,
                "-XX:MaxRAMPercentage=40",
                "-XX:+SuppressFatalErrorMessage"),
            Worker.class,
            arguments);
    if (MachineFacts.hidesItsVectors()) {
      builder.environment().putIfAbsent("OPENBLAS_CORETYPE", "SkylakeX");
    }
    for (String library : List.of("OMP", "OPENBLAS", "MKL")) {
      builder.environment().put(library + "_NUM_THREADS", Integer.toString(options.threads()));
    }
    Process process = builder.redirectErrorStream(true).start();
    List<Line> found = new ArrayList<>();
    List<String> other = new ArrayList<>();
    String turn = "";
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        if (text.startsWith(Worker.MARK)) {
          String cells = text.substring(Worker.MARK.length());
          found.add(Line.of(Arrays.asList(cells.split("\t", -1))));
        } else if (text.startsWith(Worker.TURN)) {
          turn = text.substring(Worker.TURN.length());
        } else {
          other.add(text);
        }
      }
      return new Attempt(process.waitFor(), found, turn, other);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + group.word() + " was measured", e);
    } finally {
      process.destroy();
    }
  }

  private void write(Map<String, String> facts) throws IOException {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("group", Type.TEXT, "part of the table"),
                new Column("workload", Type.TEXT, "what is done, with its sizes"),
                new Column("engine", Type.TEXT, "this library, or another"),
                new Column("bound", Type.TEXT, "FMA: multiply-adds; READ: memory; or NONE"),
                new Column("amount", Type.NUMBER, "operations or bytes of a unit"),
                new Column("seconds", Type.NUMBER, "median of a unit; 0 if it was not timed"),
                new Column("fastest", Type.NUMBER, "seconds of the fastest repetition"),
                new Column("slowest", Type.NUMBER, "seconds of the slowest repetition"),
                new Column("repetitions", Type.WHOLE, "rounds"),
                new Column("limit_per_second", Type.NUMBER, "median over the rounds; 0 for none"),
                new Column("share_of_limit", Type.NUMBER, "median over the rounds; 0 for none"),
                new Column("times_ours", Type.NUMBER, "median of seconds divided by ours"),
                new Column("note", Type.TEXT, "what else is known, or why it was not timed")));
    for (Line line : lines) {
      table.add(
          line.group(),
          line.workload(),
          line.engine(),
          line.bound().name(),
          finite(line.amount()),
          finite(line.seconds()),
          finite(line.fastest()),
          finite(line.slowest()),
          (long) line.repetitions(),
          finite(line.limit()),
          finite(line.share()),
          finite(line.ratio()),
          line.note());
    }
    Files.createDirectories(options.out());
    table.write(options.out(), RESULTS);
    StringBuilder machine = new StringBuilder();
    facts.forEach((name, value) -> machine.append(name).append(": ").append(value).append('\n'));
    Files.writeString(options.out().resolve(MACHINE), machine);
  }

  private static double finite(double value) {
    return Double.isFinite(value) ? value : 0;
  }

  private boolean judge() {
    boolean good = true;
    for (Line line : lines) {
      double floor = Group.of(line.group()).floor();
      if (line.engine().equals("resid") && !(line.share() >= floor)) {
        good = false;
        System.out.printf(
            Locale.ROOT,
            "%s reaches %.2f of the limit, below the guard's %.2f.%n",
            line.workload(),
            line.share(),
            floor);
      }
    }
    if (good) {
      System.out.println("The guard found nothing below its floor.");
    }
    return good;
  }
}

package dev.resid.benchmarks.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.benchmarks.table.Contest.Warming;
import dev.resid.benchmarks.work.Bound;
import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.Workload;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContestTest {
  private final List<String> turns = new ArrayList<>();

  @Test
  void enginesTakeTurnsAndARatioIsTheMedianOfRounds() {
    List<Line> lines =
        contest(new Fake("ours", 1, 2, 3, 4))
            .run(List.of(peer(new Fake("theirs", 1, 3, 9, 6))), null);
    assertEquals(List.of("ours", "theirs"), lines.stream().map(Line::engine).toList());
    assertEquals(List.of("ours", "theirs", "theirs", "ours", "ours", "theirs"), turns);
    assertEquals(3, lines.getFirst().seconds());
    assertEquals(6, lines.getLast().seconds());
    // Rounds 3/2, 9/3 and 6/4.
    assertEquals(1.5, lines.getLast().ratio());
    assertTrue(lines.getFirst().share() > 0, "share " + lines.getFirst().share());
  }

  @Test
  void whatIsShortIsRepeatedAfterOneRunThatDoesNotCount() {
    assertEquals(7, Contest.turn(new Fake("long", 1, 7, 8, 9), 0));
    assertEquals(4, Contest.turn(new Fake("short", 1, 100, 2, 4, 6).thatWaitsAtLast(500), 0.4));
    assertEquals(List.of("long", "short", "short", "short", "short"), turns);
  }

  @Test
  void aPeerThatDisagreesIsNotTimed() {
    List<Line> lines =
        contest(new Fake("ours", 1, 1, 1, 1))
            .run(List.of(peer(new Fake("wrong", 1.5f, 1, 1, 1))), null);
    assertEquals(2, lines.size());
    assertTrue(lines.getLast().note().startsWith("not timed: fake, wrong at flat index 0"));
    assertEquals(0, lines.getLast().repetitions());
    assertEquals(3, turns.size());
  }

  @Test
  void aPeerThatCannotRunIsALineThatSaysWhy() {
    Peer missing =
        new Peer() {
          @Override
          public String name() {
            return "missing";
          }

          @Override
          public List<Engine> engines(Workload workload, int threads) {
            throw new UnsatisfiedLinkError("no library\nhere");
          }
        };
    List<Line> lines = contest(new Fake("ours", 1, 1, 1, 1)).run(List.of(missing), null);
    assertEquals("not timed: no library here", lines.getLast().note());
    assertTrue(Double.isNaN(lines.getLast().seconds()));
  }

  @Test
  void disagreementOfThisLibraryEndsTheContest() {
    Contest contest = contest(new Fake("ours", 2, 1, 1, 1));
    assertThrows(IllegalStateException.class, () -> contest.run(List.of(), null));
  }

  @Test
  void aLineIsReadAsItIsWritten() {
    Line line =
        new Line("g", "w", "e", Bound.READ, 5, 0.25, 0.125, 0.5, 7, 1e9, 0.5, 2, "a note, too");
    assertEquals(line, Line.of(line.cells()));
    Line untimed = Line.untimed("g", "w", "e", Bound.FMA, "why");
    assertEquals(untimed, Line.of(untimed.cells()));
    assertEquals(Line.COLUMNS.size(), line.cells().size());
  }

  @Test
  void mediansAreTheMiddle() {
    assertEquals(2, Medians.of(new double[] {3, 1, 2}));
    assertEquals(2.5, Medians.of(new double[] {4, 1, 2, 3}));
    assertEquals(2, Medians.ofRatios(new double[] {2, 8, 3}, new double[] {1, 2, 3}));
  }

  private Contest contest(Engine ours) {
    Workload work =
        new Workload() {
          @Override
          public String name() {
            return "fake";
          }

          @Override
          public Bound bound() {
            return Bound.FMA;
          }

          @Override
          public double amount() {
            return 1e6;
          }

          @Override
          public Engine ours() {
            return ours;
          }

          @Override
          public float[] expected() {
            return new float[] {1};
          }

          @Override
          public double tolerance() {
            return 0.1;
          }
        };
    return new Contest("group", work, 1, 3, Warming.NONE, engine -> {});
  }

  private static Peer peer(Engine engine) {
    return new Peer() {
      @Override
      public String name() {
        return "peer";
      }

      @Override
      public List<Engine> engines(Workload workload, int threads) {
        return List.of(engine);
      }
    };
  }

  /** Gives a number, and takes as long as it is told. */
  private final class Fake implements Engine {
    private final String name;
    private final float result;
    private final double[] seconds;
    private int wait;
    private int run;

    Fake(String name, float result, double... seconds) {
      this.name = name;
      this.result = result;
      this.seconds = seconds;
    }

    Fake thatWaitsAtLast(int millis) {
      wait = millis;
      return this;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public void run() {}

    @Override
    public double seconds() {
      turns.add(name);
      if (wait > 0 && run == seconds.length - 1) {
        long until = System.nanoTime() + wait * 1_000_000L;
        while (System.nanoTime() < until) {
          Thread.onSpinWait();
        }
      }
      return seconds[run++];
    }

    @Override
    public float[] sample() {
      return new float[] {result};
    }
  }
}

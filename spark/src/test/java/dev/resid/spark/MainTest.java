package dev.resid.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void helpSaysHowItIsUsed() {
    assertEquals(0, run("--help"));
    assertTrue(out.toString().startsWith("Usage: resid-spark "), out.toString());
  }

  @Test
  void theHelpOfAStudyIsTheStudysOwn() {
    assertEquals(0, run("--master", "local[1]", "plateau", "--help"));
    assertTrue(out.toString().contains("resid plateau"), out.toString());
  }

  @Test
  void whatIsWrongWithTheCommandLineIsASentence() {
    assertWrong("a study is missing");
    assertWrong("a study is missing", "--master", "local[1]");
    assertWrong("--conf is no option", "--conf", "spark.x");
    assertWrong("--executor-memory is no option", "--executor-memory", "4g", "patch");
    assertWrong("resid-spark runs studies", "generate", "--prompt", "x", "--max-new", "1");
    assertWrong("leave --shard out", "patch", "--shard", "0/2");
    assertWrong("nonsense", "patch", "--nonsense");
  }

  private void assertWrong(String part, String... args) {
    err.getBuffer().setLength(0);
    assertEquals(2, run(args));
    assertTrue(err.toString().startsWith("resid: "), err.toString());
    assertTrue(err.toString().contains(part), err.toString());
    assertEquals("", out.toString());
  }

  private int run(String... args) {
    return Main.execute(new PrintWriter(out), new PrintWriter(err), args);
  }
}

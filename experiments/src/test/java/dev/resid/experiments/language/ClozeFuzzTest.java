package dev.resid.experiments.language;

import dev.resid.testing.Fuzz;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Files of LAMBADA and of the Children's Book Test, damaged at random and on purpose. */
class ClozeFuzzTest {
  private static final List<String> WORDS =
      List.of(
          "{\"text\": \"a b\"}\n",
          "\"text\":",
          "{",
          "}",
          "\"",
          "\\u0000",
          "\\n",
          "\\ud800",
          "\n",
          "\r",
          "\r\n",
          "\t",
          "|",
          "XXXXX",
          "1 ",
          "21 ",
          "2",
          " ",
          "\u00ff",
          "\u00c2\u00a0",
          "\0",
          "\u00e2\u0080\u00a8",
          "[[",
          "null");

  private static void fuzz(ClozeTask task, String... sound) {
    Fuzz.ofText(
            task.title(), WORDS, IOException.class, input -> task.parse(input, Fuzz.NAME), sound)
        .run()
        .requireSearched(3);
  }

  @Test
  void passages() {
    fuzz(
        ClozeTask.LAMBADA,
        "{\"text\": \"She saw the dog\"}\n{\"text\": \"a b\\n c\"}\n",
        "She saw the dog\n\n a b \n");
  }

  @Test
  void questions() {
    StringBuilder text = new StringBuilder();
    for (int i = 1; i <= 20; i++) {
      text.append(i).append(" It is ").append(i).append(" .\n");
    }
    text.append("21 He ate the XXXXX .\tbread\t\tbread|milk\n");
    fuzz(ClozeTask.CBT, text.toString(), text + "\n" + text);
  }
}

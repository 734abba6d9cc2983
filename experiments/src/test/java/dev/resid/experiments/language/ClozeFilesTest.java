package dev.resid.experiments.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.testing.Shared;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Files of LAMBADA and of questions made like those of the Children's Book Test. */
class ClozeFilesTest {
  @Test
  void everyPassageIsRead() throws IOException {
    List<ClozeItem> items =
        ClozeTask.LAMBADA.read(Shared.require("data/lambada/lambada_test.even.jsonl"));
    assertEquals(2576, items.size());
    assertTrue(items.stream().noneMatch(item -> item.answer().contains(" ")));
    assertEquals("Shane", items.getFirst().answer().replaceAll("\\W", ""));
  }

  @Test
  void everyQuestionIsRead() throws IOException {
    List<ClozeItem> items =
        ClozeTask.CBT.read(Shared.require("data/cbt/cbt_cn_rebuilt_valid.even.txt"));
    assertEquals(275, items.size());
    assertEquals("skin", items.getFirst().answer());
    assertTrue(items.getFirst().context().endsWith(" Wrap yourself in this"));
    assertEquals(
        358, ClozeTask.CBT.read(Shared.require("data/cbt/cbt_cn_rebuilt_test.even.txt")).size());
  }
}

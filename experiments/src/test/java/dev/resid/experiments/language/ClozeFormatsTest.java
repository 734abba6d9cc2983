package dev.resid.experiments.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.Backends;
import dev.resid.experiments.language.ClozePrompt.TooLong;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ClozeFormatsTest {
  private static final String QUESTION = "21 He ate the XXXXX .\tbread\t\tbread|milk\n";

  @TempDir private Path temporary;

  private Path file(String text) throws IOException {
    return Files.writeString(temporary.resolve("items"), text);
  }

  private List<ClozeItem> read(ClozeTask task, String text) throws IOException {
    return task.read(file(text));
  }

  private void refuses(ClozeTask task, String text, String message) throws IOException {
    Path file = file(text);
    String found = assertThrows(IOException.class, () -> task.read(file)).getMessage();
    assertTrue(found.startsWith(file + message), found);
  }

  private static String sentences(int n) {
    StringBuilder text = new StringBuilder();
    for (int i = 1; i <= n; i++) {
      text.append(i).append(" Sentence ").append(i).append(" .\n");
    }
    return text.toString();
  }

  @Test
  void passagesEndBeforeTheirLastWord() throws IOException {
    List<ClozeItem> expected =
        List.of(new ClozeItem("She saw the", "dog"), new ClozeItem("One\n\ntwo", "three."));
    assertEquals(
        expected,
        read(
            ClozeTask.LAMBADA,
            "{\"text\": \"She saw the dog\"}\r\n\n{\"text\": \" One\\n\\ntwo three. \"}"));
    assertEquals(
        List.of(new ClozeItem("She saw the", "dog"), new ClozeItem("a", "b")),
        read(ClozeTask.LAMBADA, "She saw the dog\n\n a b \n"));
  }

  @Test
  void passagesThatAreNoneAreRefused() throws IOException {
    refuses(ClozeTask.LAMBADA, "", " has no passages");
    refuses(
        ClozeTask.LAMBADA,
        "a b\nword\n",
        ", line 2 (taken as plain text, because the file does not begin with {) has no space");
    refuses(
        ClozeTask.LAMBADA,
        "{\"text\": \"a b\"}\n{\"text\": 3}",
        ", line 2 (taken as JSON lines, because the file begins with {) has no \"text\"");
    refuses(
        ClozeTask.LAMBADA,
        "{\"text\": \"a b\"}\nplain text",
        ", line 2 (taken as JSON lines, because the file begins with {) is not JSON");
    refuses(
        ClozeTask.LAMBADA,
        "{",
        ", line 1 (taken as JSON lines, because the file begins with {) is not JSON");
    String carriage =
        ", line 1 (taken as plain text, because the file does not begin with {) has no space,"
            + " so there is nothing before its last word: \"a\\u000db";
    refuses(ClozeTask.LAMBADA, "a\rb" + "c".repeat(5000), carriage + "c".repeat(77) + "...\"");
    Path bytes = Files.write(temporary.resolve("bytes"), new byte[] {'a', ' ', (byte) 0xff});
    assertEquals(
        bytes + " is no UTF-8 text",
        assertThrows(IOException.class, () -> ClozeTask.LAMBADA.read(bytes)).getMessage());
  }

  @Test
  void questionsAreTwentySentencesAndABlank() throws IOException {
    List<ClozeItem> items =
        read(ClozeTask.CBT, sentences(20) + QUESTION + "\n" + sentences(20) + QUESTION);
    assertEquals(2, items.size());
    ClozeItem item = items.getFirst();
    assertEquals("bread", item.answer());
    assertTrue(item.context().startsWith("Sentence 1 . Sentence 2 ."), item.context());
    assertTrue(item.context().endsWith("Sentence 20 . He ate the"), item.context());
  }

  @Test
  void questionsThatAreNoneAreRefused() throws IOException {
    refuses(ClozeTask.CBT, "", " has no questions");
    refuses(ClozeTask.CBT, sentences(5).strip(), ", its end: a question of 5 lines");
    refuses(ClozeTask.CBT, sentences(5) + "\n", ", line 6: a question of 5 lines");
    refuses(ClozeTask.CBT, sentences(19) + QUESTION, ", line 20 should begin with \"20 \"");
    refuses(ClozeTask.CBT, "2 Second .", ", line 1 should begin with \"1 \", got \"2 Second .\"");
    refuses(ClozeTask.CBT, sentences(20) + "21 No blank .\ta\t\ta|b", ", line 21 should have one");
    refuses(ClozeTask.CBT, sentences(20) + "21 A XXXXX .", ", line 21 has no answer");
    refuses(
        ClozeTask.CBT,
        sentences(20) + "21 A XXXXX .\tfish\t\tbread|milk",
        ", line 21: the answer \"fish\" is none of the candidates");
  }

  @ParameterizedTest
  @EnumSource
  void itemsThatShipFitTheEmbeddedModel(ClozeTask task) throws IOException {
    try (Backend backend = Backends.named("vector")) {
      Gpt2 gpt2 = Gpt2.embedded(backend);
      int bos = gpt2.config().bosToken().getAsInt();
      List<ClozePrompt> prompts =
          ClozePrompt.of(
              task.builtIn(), gpt2.tokenizer(), bos, gpt2.config().nCtx(), TooLong.REFUSE);
      assertEquals(40, prompts.size());
      for (int i = 0; i < prompts.size(); i++) {
        ClozeItem item = task.builtIn().get(i);
        assertEquals(bos, prompts.get(i).tokens().id(0, 0));
        assertTrue(
            gpt2.tokenizer().decode(prompts.get(i).answer()).startsWith(" "), item.toString());
        assertTrue(item.context().contains(item.answer()), item.toString());
      }
    }
  }

  @Test
  void contextsThatAreTooLongAreRefusedOrCut() throws IOException {
    try (Backend backend = Backends.named("vector")) {
      Gpt2 gpt2 = Gpt2.embedded(backend);
      List<ClozeItem> items = List.of(new ClozeItem("word ".repeat(400).strip(), "end"));
      assertTrue(
          assertThrows(
                  IllegalArgumentException.class,
                  () -> ClozePrompt.of(items, gpt2.tokenizer(), 1, 256, TooLong.REFUSE))
              .getMessage()
              .startsWith("item 1 has "));
      ClozePrompt cut = ClozePrompt.of(items, gpt2.tokenizer(), 1, 256, TooLong.CUT).getFirst();
      assertEquals(256, cut.length());
      assertEquals(1, cut.tokens().id(0, 0));
      int[] whole = gpt2.tokenizer().encodeToIds(items.getFirst().context());
      assertEquals(whole[whole.length - 1], cut.tokens().id(0, 255));
      assertEquals(whole.length - 255, cut.cut());
    }
  }
}

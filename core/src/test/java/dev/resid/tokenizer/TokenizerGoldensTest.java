package dev.resid.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Cases from the test suites of ten other tokenizers. Skips without the shared folder. */
class TokenizerGoldensTest {
  private static final JsonMapper JSON = new JsonMapper();

  private static ByteLevelBpe gpt2() throws IOException {
    return ByteLevelBpe.load(Shared.require("data/gpt2-tokenizer"));
  }

  private static List<JsonNode> lines(String name) throws IOException {
    List<JsonNode> nodes = new ArrayList<>();
    for (String line : Files.readAllLines(Shared.require("data/tokenizer-goldens/" + name))) {
      nodes.add(JSON.readTree(line));
    }
    return nodes;
  }

  private static int[] ints(JsonNode array) {
    int[] ids = new int[array.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = array.get(i).asInt();
    }
    return ids;
  }

  @Test
  void everyCaseHasTheExpectedIds() throws IOException {
    ByteLevelBpe gpt2 = gpt2();
    List<JsonNode> cases = lines("gpt2-cases.jsonl");
    assertTrue(cases.size() >= 282, "found " + cases.size());
    for (JsonNode line : cases) {
      String text = line.get("text").asString();
      SpecialTokens mode =
          !line.has("special")
              ? SpecialTokens.FORBID
              : line.get("special").asBoolean() ? SpecialTokens.ALLOW : SpecialTokens.AS_TEXT;
      int[] ids = ints(line.get("ids"));
      assertArrayEquals(ids, gpt2.encodeToIds(text, mode), line::toString);
      assertEquals(text, gpt2.decode(ids), line::toString);
    }
  }

  @Test
  void everyTextSurvivesTheRoundTrip() throws IOException {
    ByteLevelBpe gpt2 = gpt2();
    List<JsonNode> cases = lines("roundtrip.jsonl");
    assertTrue(cases.size() >= 26, "found " + cases.size());
    for (JsonNode line : cases) {
      String text =
          line.has("text")
              ? line.get("text").asString()
              : line.get("prefix").asString()
                  + line.get("unit").asString().repeat(line.get("repeat").asInt())
                  + line.get("suffix").asString();
      assertEquals(text, gpt2.decode(gpt2.encodeToIds(text)), line::toString);
    }
  }

  @Test
  void theToyVocabularyGivesTheExpectedTokens() throws IOException {
    JsonNode toy =
        JSON.readTree(Files.readString(Shared.require("data/tokenizer-goldens/toy-bpe.json")));
    List<String> entries = new ArrayList<>();
    for (JsonNode token : toy.get("vocab")) {
      entries.add(JSON.writeValueAsString(token.asString()) + ": " + entries.size());
    }
    List<String> merges = new ArrayList<>(List.of("#version: 0.2"));
    toy.get("merges").forEach(merge -> merges.add(merge.asString()));
    ByteLevelBpe bpe =
        ByteLevelBpe.load(
            new MemorySource()
                .with("vocab.json", "{" + String.join(", ", entries) + "}")
                .with("merges.txt", String.join("\n", merges)));
    for (JsonNode line : toy.get("cases")) {
      int[] ids = bpe.encodeToIds(line.get("text").asString());
      assertArrayEquals(ints(line.get("ids")), ids);
      for (int i = 0; i < ids.length; i++) {
        assertEquals(line.get("tokens").get(i).asString(), bpe.printable(ids[i]));
      }
    }
    assertEquals(20, bpe.endOfText().getAsInt());
  }

  @Test
  void theVocabularyDerivedFromRanksIsTheOneInTheFiles() throws IOException {
    Path files = Shared.require("data/gpt2-tokenizer");
    MemorySource derived = Gpt2FromRanks.source();
    JsonNode expected = JSON.readTree(Files.readString(files.resolve("encoder.json")));
    assertEquals(expected, JSON.readTree(derived.open("vocab.json")));
    List<String> merges = Files.readAllLines(files.resolve("vocab.bpe"));
    String text = new String(derived.open("merges.txt").readAllBytes(), "UTF-8");
    assertEquals(merges, text.lines().toList());
  }
}

package dev.resid.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenizerFilesTest {
  private static final String VOCAB =
      "{\"a\": 0, \"b\": 1, \"c\": 2, \"ab\": 3, \"abc\": 4, \"Ġ\": 5, \"<|endoftext|>\": 6}";
  private static final String MERGES = "#version: 0.2\na b\nab c\n";
  private static final MemorySource PAIR =
      new MemorySource().with("vocab.json", VOCAB).with("merges.txt", MERGES);

  private static final String ADDED =
      "{'id': 6, 'content': '<|endoftext|>', 'single_word': false, 'lstrip': false,"
          + " 'rstrip': false, 'normalized': true, 'special': true}";
  private static final String PIPELINE =
      ("{'version': '1.0', 'truncation': null, 'padding': {'x': [1, {}]},"
              + " 'added_tokens': [ADDED], 'normalizer': null,"
              + " 'pre_tokenizer': {'type': 'ByteLevel', 'add_prefix_space': false},"
              + " 'post_processor': {'type': 'ByteLevel', 'trim_offsets': false},"
              + " 'decoder': {'type': 'ByteLevel'}, 'model': {'type': 'BPE', 'dropout': null,"
              + " 'continuing_subword_prefix': '', 'end_of_word_suffix': null,"
              + " 'vocab': VOCAB, 'merges': ['a b', 'ab c']}}")
          .replace("ADDED", ADDED)
          .replace('\'', '"')
          .replace("VOCAB", VOCAB);

  private static MemorySource json(String pipeline) {
    return new MemorySource().with("tokenizer.json", pipeline);
  }

  private static void assertTokenizes(ByteLevelBpe bpe) {
    assertEquals(7, bpe.vocabularySize());
    assertEquals(6, bpe.endOfText().getAsInt());
    assertArrayEquals(
        new int[] {4, 5, 3, 6, 2, 0},
        bpe.encodeToIds("abc ab<|endoftext|>ca", SpecialTokens.ALLOW));
  }

  @Test
  void eachOfTheThreeFormatsLoads() throws IOException {
    assertTokenizes(ByteLevelBpe.load(PAIR));
    assertTokenizes(
        ByteLevelBpe.load(
            new MemorySource().with("encoder.json", VOCAB).with("vocab.bpe", MERGES)));
    assertTokenizes(ByteLevelBpe.load(json(PIPELINE)));
  }

  @Test
  void directoriesAndClassPathFoldersLoad(@TempDir Path dir) throws IOException {
    Files.writeString(dir.resolve("vocab.json"), VOCAB);
    Files.writeString(dir.resolve("merges.txt"), MERGES);
    assertTokenizes(ByteLevelBpe.load(dir));
    assertTokenizes(
        ByteLevelBpe.load(TokenizerSource.classpath(TokenizerFilesTest.class, "/tokenizer-tiny")));
  }

  @Test
  void mergesOfTokenizerJsonMayBePairs() throws IOException {
    assertTokenizes(
        ByteLevelBpe.load(
            json(PIPELINE.replace("[\"a b\", \"ab c\"]", "[[\"a\", \"b\"], [\"ab\", \"c\"]]"))));
  }

  @Test
  void olderTokenizerJsonWithoutAModelTypeLoads() throws IOException {
    assertTokenizes(ByteLevelBpe.load(json(PIPELINE.replace("\"type\": \"BPE\", ", ""))));
  }

  @Test
  void onlyTheVersionLineOfTheMergesIsAComment() throws IOException {
    assertTokenizes(ByteLevelBpe.load(PAIR.with("merges.txt", "a b\r\nab c\r\n\r\n")));
    ByteLevelBpe hashes =
        ByteLevelBpe.load(
            new MemorySource()
                .with("vocab.json", "{\"#\": 0, \"##\": 1, \"####\": 2}")
                .with("merges.txt", "# #\n## ##\n"));
    assertArrayEquals(new int[] {2, 0}, hashes.encodeToIds("#####"));
  }

  @Test
  void addedTokensBesideThePairAreSpecial() throws IOException {
    ByteLevelBpe bpe =
        ByteLevelBpe.load(PAIR.with("added_tokens.json", "{\"<a b>\": 8, \"<a b><é>\": 7}"));
    assertEquals(9, bpe.vocabularySize());
    assertTrue(bpe.isSpecial(8));
    int[] ids = bpe.encodeToIds("a<a b><a b><é>c", SpecialTokens.ALLOW);
    assertArrayEquals(new int[] {0, 8, 7, 2}, ids, "of two at one place the longer is taken");
    assertEquals("a<a b><a b><é>c", bpe.decode(ids));
  }

  @Test
  void addedTokensThatAreNotSpecialAreMatchedInEveryMode() throws IOException {
    String added = ADDED.replace('\'', '"');
    String extra =
        added.replace("6", "7").replace("<|endoftext|>", "cc").replace("true}", "false}");
    ByteLevelBpe bpe = ByteLevelBpe.load(json(PIPELINE.replace(added, added + ", " + extra)));
    for (SpecialTokens mode : SpecialTokens.values()) {
      assertArrayEquals(new int[] {0, 7, 1}, bpe.encodeToIds("accb", mode));
    }
    assertFalse(bpe.isSpecial(7));
    assertThrows(ForbiddenSpecialTokenException.class, () -> bpe.encodeToIds("acc<|endoftext|>"));
  }

  @Test
  void aByteWithoutATokenIsAnErrorWhenItIsMet() throws IOException {
    ByteLevelBpe bpe = ByteLevelBpe.load(PAIR);
    String message =
        assertThrows(IllegalArgumentException.class, () -> bpe.encodeToIds("ab cad")).getMessage();
    assertTrue(message.contains("0x64 (written d in its files)"), message);
    assertArrayEquals(new int[] {4}, bpe.encodeToIds("abc"), "and leaves nothing behind");
  }

  @Test
  void formatsSideBySideMustAgree() throws IOException {
    assertTokenizes(ByteLevelBpe.load(PAIR.with("tokenizer.json", PIPELINE)));
    assertRefused(
        PAIR.with(
            "tokenizer.json",
            PIPELINE.replace("\"c\": 2", "\"d\": 2").replace("c\"]", "d\"]").replace("abc", "abd")),
        "tokenizer.json, compared with vocab.json and merges.txt",
        "id 2 is 'd' there and 'c' here");
    assertRefused(
        PAIR.with("tokenizer.json", PIPELINE.replace("[\"a b\", \"ab c\"]", "[\"a b\"]")),
        "tokenizer.json",
        "there are 1 merges there and 2 here");
    assertRefused(
        PAIR.with("encoder.json", VOCAB).with("vocab.bpe", "#version\nab c\na b\n"),
        "compared with encoder.json and vocab.bpe",
        "merge 0 is another one");
    assertTokenizes(ByteLevelBpe.load(json(PIPELINE).with("vocab.json", VOCAB)));
  }

  @Test
  void savingAndLoadingKeepsEverything(@TempDir Path dir) throws IOException {
    Path saved = dir.resolve("new/tokenizer");
    Gpt2FromRanks.tokenizer().save(saved);
    assertEquals(Set.of("vocab.json", "merges.txt", "tokenizer.json"), names(saved));
    String text = "Saved, and loaded again.\n\nThe \"same\" ids: 1 2 3 é 日本 👍";
    int[] ids = Gpt2FromRanks.tokenizer().encodeToIds(text);
    assertArrayEquals(ids, ByteLevelBpe.load(saved).encodeToIds(text));
    Files.delete(saved.resolve("tokenizer.json"));
    assertArrayEquals(ids, ByteLevelBpe.load(saved).encodeToIds(text));
    Gpt2FromRanks.tokenizer().save(saved);
    Files.delete(saved.resolve("vocab.json"));
    ByteLevelBpe fromJson = ByteLevelBpe.load(saved);
    assertArrayEquals(ids, fromJson.encodeToIds(text));
    assertEquals(50256, fromJson.endOfText().getAsInt());
    assertTrue(fromJson.isSpecial(50256));
  }

  @Test
  void savingKeepsAddedTokens(@TempDir Path dir) throws IOException {
    ByteLevelBpe bpe = ByteLevelBpe.load(PAIR.with("added_tokens.json", "{\"<a b>\": 7}"));
    bpe.save(dir);
    assertEquals(
        Set.of("vocab.json", "merges.txt", "tokenizer.json", "added_tokens.json"), names(dir));
    int[] ids = bpe.encodeToIds("c<a b>", SpecialTokens.ALLOW);
    assertArrayEquals(new int[] {2, 7}, ids);
    assertArrayEquals(ids, ByteLevelBpe.load(dir).encodeToIds("c<a b>", SpecialTokens.ALLOW));
  }

  private static Set<String> names(Path dir) throws IOException {
    try (var files = Files.list(dir)) {
      return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  // damaged files

  private static void assertRefused(TokenizerSource source, String where, String problem) {
    String message =
        assertThrows(TokenizerFormatException.class, () -> ByteLevelBpe.load(source)).getMessage();
    assertTrue(message.contains(where), message);
    assertTrue(message.contains(problem), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\"b\": 1`|`\"b\": 0`|vocab.json, key|has the same id",
        "`\"b\": 1`|`\"a\": 1`|vocab.json, line 1|Duplicate",
        "`\"abc\": 4`|`\"abc\": 9`|vocab.json, key 'abc' (id 9)|no token has id 4",
        "`\"abc\": 4`|`\"abc\": -4`|vocab.json, key 'abc'|found -4",
        "`\"abc\": 4`|`\"abc\": 4.0`|vocab.json, key 'abc'|found 4.0",
        "`\"abc\": 4`|`\"abc\": \"4\"`|vocab.json, key 'abc'|found the string '4'",
        "`\"abc\": 4`|`\"abc\": 4000000000`|vocab.json, key 'abc'|found 4000000000",
        "`\"abc\": 4`|`\"abc\": null`|vocab.json, key 'abc'|found null",
        "`\"abc\": 4`|`\"abc\": [4]`|vocab.json, key 'abc'|found an array",
        "`\"abc\": 4`|`\"a c\": 4`|vocab.json, key 'a c' (id 4)|stands for no byte",
        "`\"abc\": 4`|`\"日\": 4`|vocab.json, key '日' (id 4)|stands for no byte",
        "`\"abc\": 4`|`\"\": 4`|vocab.json, key '' (id 4)|the token is empty",
        "`\"abc\": 4`|`\"a\\n\": 4`|vocab.json, key 'a\\u000a' (id 4)|stands for no byte",
        "`\"abc\": 4, `|``|vocab.json, key|no token has id 4",
        "`6}`|`6`|vocab.json, line 1|not well-formed JSON",
        "`6}`|`6} x`|vocab.json, line 1|not well-formed JSON",
        "`6}`|`6} {}`|vocab.json, after the end|expected nothing",
        "`\"abc\": 4`|`\"abcd\": 4`|merges.txt, line 3|needs the token 'abc'",
      })
  void damagedVocabulariesAreRefused(String from, String to, String where, String problem) {
    assertTrue(VOCAB.contains(from));
    assertRefused(PAIR.with("vocab.json", VOCAB.replace(from, to)), where, problem);
  }

  @Test
  void aVocabularyThatIsNoObjectIsRefused() {
    assertRefused(
        PAIR.with("vocab.json", "[1]"), "vocab.json", "expected an object, found an array");
    assertRefused(PAIR.with("vocab.json", "{}"), "vocab.json", "it has no token");
    assertRefused(PAIR.with("vocab.json", ""), "vocab.json", "found the end of the file");
    assertRefused(PAIR.with("vocab.json", "[".repeat(100_000)), "vocab.json", "expected an object");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`#version: 0.2;a b;ab c;ab d`|line 4|needs the token 'd'",
        "`#version: 0.2;a b;x c`|line 3|needs the token 'x'",
        "`#version: 0.2;a c`|line 2|needs the token 'ac'",
        "`#version: 0.2;a b;a b`|line 3|occurs a second time",
        "`#version: 0.2;a b;ab`|line 3|found 'ab'",
        "`#version: 0.2;a b;ab  c`|line 3|found 'ab  c'",
        "`#version: 0.2;a b;ab c x`|line 3|found 'ab c x'",
        "`#version: 0.2;a b; ab`|line 3|found ' ab'",
        "`#version: 0.2;a b;ab\0c`|line 3|found 'ab\\u0000c'",
        "`#version: 0.2;a b;;ab c`|line 3|found ''",
        "`a b;#version: 0.2`|line 2|needs the token '#version:'",
      })
  void damagedMergesAreRefused(String lines, String where, String problem) {
    assertRefused(
        PAIR.with("merges.txt", lines.replace(';', '\n')), "merges.txt, " + where, problem);
  }

  @Test
  void aQuotedTokenIsCutAlsoWhereEveryCharacterIsEscaped() {
    String quoted = '"' + "\\u0000".repeat(300) + '"';
    String message =
        assertThrows(
                TokenizerFormatException.class,
                () -> ByteLevelBpe.load(PAIR.with("vocab.json", quoted)))
            .getMessage();
    assertTrue(message.contains("\\u0000...") && message.length() < 1200, message);
  }

  @Test
  void mergesThatAreNotUtf8AreRefused() {
    byte[] bytes = "#version: 0.2\na b\n\u00C3".getBytes(StandardCharsets.ISO_8859_1);
    assertRefused(PAIR.with("merges.txt", bytes), "merges.txt", "not UTF-8");
  }

  @Test
  void missingFilesAreNamed() {
    assertRefused(new MemorySource(), "tokenizer.json", "there is no tokenizer.json");
    assertRefused(
        new MemorySource().with("vocab.json", VOCAB), "merges.txt", "missing beside vocab.json");
    assertRefused(
        new MemorySource().with("vocab.bpe", MERGES), "encoder.json", "missing beside vocab.bpe");
    String message =
        assertThrows(
                TokenizerFormatException.class,
                () -> ByteLevelBpe.load(Path.of("no", "such", "folder")))
            .getMessage();
    assertTrue(message.contains(Path.of("no", "such", "folder").toString()), message);
  }

  @Test
  void damagedAddedTokensAreRefused() {
    String file = "added_tokens.json";
    assertRefused(PAIR.with(file, "{\"x\": 0}"), "vocab.json", "has the same id");
    assertRefused(PAIR.with(file, "{\"x\": 9}"), "vocab.json", "no token has id 7");
    assertRefused(PAIR.with(file, "{\"ab\": 7}"), file, "the vocabulary says 'ab' (id 3)");
    assertRefused(PAIR.with(file, "{\"x\": 7, \"y\": 7}"), file, "clash");
    assertRefused(PAIR.with(file, "{\"\": 7}"), file, "has no text");
    assertRefused(PAIR.with(file, "{\"\\ud800\": 7}"), file, "surrogate pair");
    assertRefused(
        json(PIPELINE.replace("\"content\": \"<", "\"content\": \"\\udc00<")),
        "tokenizer.json",
        "surrogate pair");
    assertRefused(PAIR.with(file, "[7]"), file, "expected an object");
  }

  @Test
  void aSettingThatPutsASpaceBeforeTheTextIsRefused() throws IOException {
    String file = "tokenizer_config.json";
    assertTokenizes(
        ByteLevelBpe.load(PAIR.with(file, "{\"x\": {\"y\": []}, \"add_prefix_space\": false}")));
    assertRefused(PAIR.with(file, "{\"add_prefix_space\": true}"), file, "add_prefix_space");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\"BPE\"`|`\"Unigram\"`|model.type|expected BPE, found Unigram",
        "`\"BPE\"`|`\"WordPiece\"`|model.type|expected BPE, found WordPiece",
        "`{\"type\": \"ByteLevel\", \"add`|`{\"type\": \"Whitespace\","
            + " \"add`|pre_tokenizer.type|found Whitespace",
        "`\"add_prefix_space\": false`|`\"add_prefix_space\":"
            + " true`|pre_tokenizer.add_prefix_space|found true",
        "`\"add_prefix_space\": false`|`\"use_regex\": false`|pre_tokenizer.use_regex|found false",
        "`\"pre_tokenizer\"`|`\"pre\"`|key pre_tokenizer|missing",
        "`\"model\"`|`\"mode\"`|key model|missing",
        "`\"merges\"`|`\"merge\"`|model|merges is missing",
        "`\"vocab\"`|`\"voc\"`|model|vocab is missing",
        "`\"normalizer\": null`|`\"normalizer\": {\"type\": \"NFC\"}`|normalizer|expected null",
        "`\"dropout\": null`|`\"dropout\": 0.1`|model.dropout|expected null",
        "`\"dropout\": null`|`\"byte_fallback\": true`|model.byte_fallback|found true",
        "`\"dropout\": null`|`\"ignore_merges\": true`|model.ignore_merges|found true",
        "`_prefix\": \"\"`|`_prefix\": \"##\"`|model.continuing_subword_prefix|found '##'",
        "`_suffix\": null`|`_suffix\": \"</w>\"`|model.end_of_word_suffix|found '</w>'",
        "`{\"type\": \"ByteLevel\", \"trim`|`{\"type\": \"TemplateProcessing\","
            + " \"trim`|post_processor.type|found TemplateProcessing",
        "`\"lstrip\": false`|`\"lstrip\": true`|added_tokens[0].lstrip|found true",
        "`\"single_word\": false`|`\"single_word\": 1`|added_tokens[0].single_word|true or false",
        "`\"id\": 6, `|``|added_tokens[0]|id or content is missing",
        "`\"id\": 6`|`\"id\": 5`|added_tokens, id 5|the vocabulary says '<|endoftext|>' (id 6)",
        "`\"a b\", \"ab c\"`|`\"a b\", \"abc\"`|model.merges[1]|two tokens",
        "`\"a b\", \"ab c\"`|`[\"a\", \"b\", \"c\"]`|model.merges[0]|two tokens",
        "`\"a b\", \"ab c\"`|`[\"a\"]`|model.merges[0]|expected a string",
        "`\"a b\", \"ab c\"`|`\"b c\"`|model.merges[0]|needs the token 'bc', which is not in the"
            + " vocabulary",
        "`\"a b\", \"ab c\"`|`7`|model.merges[0]|expected a string, found 7",
        "`\"a b\", \"ab c\"`|`\"a b\", \"a b\"`|model.merges[1]|a second time",
        "`\"a\": 0`|`\"a\": 1`|key|has the same id",
        "`\"version\"`|`\"model\"`|model|expected an object",
        "`}}`|`}`|line 1|not well-formed JSON",
      })
  void otherPipelinesAndDamagedOnesAreRefused(
      String from, String to, String where, String problem) {
    assertTrue(PIPELINE.contains(from), from);
    String pipeline = PIPELINE.replace(from, to);
    assertRefused(json(pipeline), "tokenizer.json, ", problem);
    assertRefused(json(pipeline), where, problem);
  }

  @Test
  void theMessageSaysWhatToDo() {
    assertRefused(
        json(PIPELINE.replace("\"BPE\"", "\"Unigram\"")),
        "tokenizer.json, model.type: expected BPE, found Unigram.",
        "use a GPT-2 tokenizer");
  }
}

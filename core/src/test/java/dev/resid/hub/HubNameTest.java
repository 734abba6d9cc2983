package dev.resid.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubNameTest {
  @Test
  void aNameMayStateARevision() {
    assertEquals(
        new HubName("openai-community/gpt2", "main"), HubName.parse("openai-community/gpt2"));
    assertEquals(new HubName("gpt2", "refs/pr/1"), HubName.parse("gpt2@refs/pr/1"));
    assertEquals("gpt2@v1.0", HubName.parse("gpt2@v1.0").toString());
    assertEquals("gpt2", HubName.parse("gpt2@main").toString());
  }

  @Test
  void theFolderOfARepositoryIsThatOfPythonsTools() {
    assertEquals(
        "models--openai-community--gpt2", HubName.parse("openai-community/gpt2").folderName());
    assertEquals("models--gpt2", HubName.parse("gpt2").folderName());
  }

  @Test
  void repositoriesThatMovedHaveBothNames() {
    assertEquals(
        List.of(HubName.parse("gpt2-xl"), HubName.parse("openai-community/gpt2-xl")),
        HubName.parse("gpt2-xl").spellings());
    assertEquals(
        List.of(HubName.parse("distilbert/distilgpt2@v1"), HubName.parse("distilgpt2@v1")),
        HubName.parse("distilbert/distilgpt2@v1").spellings());
    assertEquals(1, HubName.parse("some-body/gpt2").spellings().size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/",
        "a/",
        "/a",
        "a/b/c",
        "../a",
        "a/..",
        "a--b",
        "a..b",
        "-a",
        "a.",
        "a b",
        "a/b.git",
        "models\\gpt2",
        "./gpt2",
        "~/gpt2",
        "a/b@",
        "a/b@../x",
        "a/b@x//y",
        "a/b@v1..2",
        "a/b@-x",
        "é/a"
      })
  void whatTheHubDoesNotAllowIsRefused(String text) {
    assertFalse(HubName.isName(text));
    assertThrows(IllegalArgumentException.class, () -> HubName.parse(text));
  }

  @Test
  void onlyWholeCommitsAreCommits() {
    assertTrue(new HubName("gpt2", "0123456789".repeat(4)).isCommit());
    assertFalse(new HubName("gpt2", "607a30d").isCommit());
  }
}

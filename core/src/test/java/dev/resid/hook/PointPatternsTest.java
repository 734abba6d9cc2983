package dev.resid.hook;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PointPatternsTest {
  private static String names(int layers, String... patterns) {
    return HookPoint.matching(layers, patterns).stream()
        .map(HookPoint::name)
        .collect(Collectors.joining(" "));
  }

  @ParameterizedTest
  @CsvSource({
    "blocks.*.hook_resid_pre, blocks.0.hook_resid_pre blocks.1.hook_resid_pre"
        + " blocks.2.hook_resid_pre",
    "blocks.1.hook_resid_???, blocks.1.hook_resid_pre blocks.1.hook_resid_mid",
    "blocks.[02].mlp.hook_pre, blocks.0.mlp.hook_pre blocks.2.mlp.hook_pre",
    "blocks.[1-2].mlp.hook_pre, blocks.1.mlp.hook_pre blocks.2.mlp.hook_pre",
    "blocks.[!1].mlp.hook_pre, blocks.0.mlp.hook_pre blocks.2.mlp.hook_pre",
    "blocks.[^0].mlp.hook_pre, blocks.0.mlp.hook_pre",
    "[b&&h]ook_embed, hook_embed",
    "blocks.[]1].mlp.hook_pre, blocks.1.mlp.hook_pre",
    "blocks.[!]1].mlp.hook_pre, blocks.0.mlp.hook_pre blocks.2.mlp.hook_pre",
    "hook_*embed, hook_embed hook_pos_embed",
    "*final*, ln_final.hook_scale ln_final.hook_normalized",
    "blocks.1.ln?.hook_scale, blocks.1.ln1.hook_scale blocks.1.ln2.hook_scale",
    "' hook_embed ', hook_embed"
  })
  void aPatternStandsForTheNamesItMatches(String pattern, String expected) {
    assertEquals(expected, names(3, pattern));
  }

  @Test
  void aStarAloneIsEverything() {
    assertEquals(HookPoint.all(2), List.copyOf(HookPoint.matching(2, "*")));
  }

  @Test
  void severalPatternsComeOnceInTheOrderOfTheForwardPass() {
    assertEquals(
        "hook_embed blocks.0.hook_mlp_out blocks.1.hook_attn_out blocks.1.hook_mlp_out",
        names(
            2, "blocks.1.hook_mlp_out", "blocks.*.hook_mlp_out", "blocks.1.*attn_out", "*k_embed"));
  }

  @Test
  void layersOfTwoDigitsAreNotMixedUpWithOthers() {
    assertEquals("blocks.1.hook_attn_out", names(12, "blocks.1.*_attn_out"));
    assertEquals(
        "blocks.10.hook_attn_out blocks.11.hook_attn_out", names(12, "blocks.1?.*_attn_out"));
  }

  /** A dot is a dot, and other signs of regular expressions mean nothing. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "blocksX0*",
        "blocks.(0|1).*",
        "hook_embed+*",
        "^hook*",
        "hook*$",
        "[",
        "[]",
        "[!]",
        "blocks.[0",
        "blocks.[]0].hook_emb*",
        "\\Q*\\E",
        "*\\"
      })
  void whatMatchesNothingIsRefused(String pattern) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> names(1, pattern));
    assertTrue(e.getMessage().contains("\"" + pattern + "\""), e.getMessage());
    assertTrue(e.getMessage().contains("L from 0 to 0"), e.getMessage());
  }
}

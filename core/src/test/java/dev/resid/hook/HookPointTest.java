package dev.resid.hook;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tensor.Axis;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class HookPointTest {
  @Test
  void namesReadBackAsTheSamePoints() {
    List<HookPoint> all = HookPoint.all(12);
    assertEquals(4 + 12 * (Site.values().length - 4), all.size());
    assertEquals(all.size(), new HashSet<>(all.stream().map(HookPoint::name).toList()).size());
    for (HookPoint point : all) {
      assertEquals(point, HookPoint.parse(point.name()));
      assertEquals(point.name(), point.toString());
    }
    assertEquals(HookPoint.residPre(6), HookPoint.parse("blocks.6.hook_resid_pre"));
  }

  @Test
  void orderIsThatOfTheForwardPass() {
    List<HookPoint> all = HookPoint.all(11);
    List<HookPoint> sorted = new java.util.ArrayList<>(all);
    Collections.shuffle(sorted, new java.util.Random(1));
    Collections.sort(sorted);
    assertEquals(all, sorted);
    assertTrue(HookPoint.residPost(1).isBefore(HookPoint.residPre(2)));
    assertTrue(HookPoint.residPre(10).isBefore(HookPoint.at(Site.LN_FINAL_SCALE)));
    assertTrue(!HookPoint.embed().isBefore(HookPoint.embed()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "blocks.6",
        "hook_resid_pre",
        "blocks.6.hook_resid",
        "blocks.-1.hook_resid_pre",
        "blocks.x.hook_resid_pre",
        "blocks.1.hook_embed",
        "blocks.1234567.hook_resid_pre",
        "blocks.6.hook_resid_pre ",
        "BLOCKS.6.hook_resid_pre"
      })
  void unknownNamesAreRefusedWithTheKnownOnes(String name) {
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> HookPoint.parse(name));
    assertTrue(error.getMessage().contains("\"" + name + "\""), error.getMessage());
    for (Site site : Site.values()) {
      assertTrue(error.getMessage().contains(site.suffix()), error.getMessage());
    }
  }

  @ParameterizedTest
  @EnumSource(Site.class)
  void onlyASiteOfABlockHasALayer(Site site) {
    int wrong = site.inBlock() ? -1 : 0;
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> HookPoint.at(site, wrong));
    assertTrue(error.getMessage().contains(site.suffix()), error.getMessage());
    assertEquals(Axis.BATCH, site.axes().getFirst(), "the batch axis is always there");
    assertTrue(site.axes().contains(Axis.POS));
  }

  @Test
  void shortNamesAreTheSitesTheySay() {
    assertEquals("hook_embed", HookPoint.embed().name());
    assertEquals("hook_pos_embed", HookPoint.posEmbed().name());
    assertEquals("blocks.2.hook_resid_mid", HookPoint.residMid(2).name());
    assertEquals("blocks.2.hook_resid_post", HookPoint.residPost(2).name());
    assertEquals("blocks.2.hook_attn_out", HookPoint.attnOut(2).name());
    assertEquals("blocks.2.hook_mlp_out", HookPoint.mlpOut(2).name());
    assertEquals("blocks.2.attn.hook_pattern", HookPoint.pattern(2).name());
    assertEquals("blocks.2.attn.hook_z", HookPoint.z(2).name());
    assertEquals("ln_final.hook_scale", HookPoint.at(Site.LN_FINAL_SCALE).name());
  }

  @Test
  void positionsAreThoseNamed() {
    assertArrayEquals(new int[] {0, 1, 2}, Positions.all().in(3));
    assertArrayEquals(new int[] {2, 0}, Positions.of(2, 0).in(3));
    assertArrayEquals(new int[] {1, 2}, Positions.range(1, 3).in(3));
    assertArrayEquals(new int[] {}, Positions.range(2, 2).in(3));
    for (Positions outside : Arrays.asList(Positions.of(3), Positions.of(-1))) {
      IllegalArgumentException error =
          assertThrows(IllegalArgumentException.class, () -> outside.in(3));
      assertTrue(error.getMessage().contains("3 positions"), error.getMessage());
    }
  }

  @Test
  void cachesSayWhatTheyHold() {
    ActivationCache empty = new ActivationCache(java.util.Map.of());
    NoSuchActivationException error =
        assertThrows(NoSuchActivationException.class, () -> empty.get(HookPoint.pattern(3)));
    assertTrue(error.getMessage().contains("blocks.3.attn.hook_pattern"), error.getMessage());
    assertTrue(error.getMessage().contains("nothing"), error.getMessage());
    assertTrue(error.getMessage().contains("capture()"), error.getMessage());
  }
}

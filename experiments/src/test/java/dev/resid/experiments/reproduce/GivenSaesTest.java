package dev.resid.experiments.reproduce;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.model.WeightsState;
import dev.resid.sae.Architecture;
import dev.resid.sae.Normalization;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.sae.io.SaeCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GivenSaesTest {
  private static final String POINT = "blocks.1.hook_resid_pre";
  private static final PublishedTable TABLE =
      PublishedTable.parse(
          "sae\tpaper/a\tlocal\ttiny-release/first\t"
              + POINT
              + "\t48\there\n"
              + "sae\tpaper/b\tlocal\t-\t"
              + POINT
              + "\t48\there\n"
              + "sae\tpaper/wide\tlocal\t-\t"
              + POINT
              + "\t96\there\n",
          "test");

  @TempDir private Path temporary;

  private static SaeCatalogue.Entry entry(String id) {
    return new SaeCatalogue.Entry(
        "tiny-release",
        id,
        "someone/tiny",
        Optional.of(id),
        HookPoint.parse(POINT),
        48,
        Architecture.RELU,
        OptionalInt.empty(),
        Normalization.NONE,
        Optional.of(WeightsState.RAW),
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalDouble.empty());
  }

  private static GivenSaes given() {
    SaeCatalogue catalogue = new SaeCatalogue(List.of(entry("first"), entry("unpublished")));
    return new GivenSaes(TABLE, catalogue, WeightsState.RAW);
  }

  private Path save(String folder) throws IOException {
    Path path = temporary.resolve(folder);
    SaeCheckpoint.save(TinySaes.both().getLast().sae(), DType.F32, path);
    return path;
  }

  @Test
  void theCatalogueTellsAFolderOfTheCacheAndWhatHasNoNumbers() throws IOException {
    Path cache = save("models--someone--tiny/snapshots/f00/first").getParent();
    save("models--someone--tiny/snapshots/f00/unpublished");
    GivenSaes given = given();
    given.add(cache.toString());
    assertEquals(List.of("paper/a"), given.all().stream().map(s -> s.published().name()).toList());
    assertEquals(List.of("tiny-release/unpublished"), given.unused());
  }

  @Test
  void whatNobodyNamesIsRefusedWithTheNames() throws IOException {
    Path folder = save("mine");
    String message =
        assertThrows(IOException.class, () -> given().add(folder.toString())).getMessage();
    assertTrue(message.contains("say it yourself: NAME=" + folder), message);
    assertTrue(message.contains("paper/a, paper/b, paper/wide"), message);
    GivenSaes named = given();
    named.add("paper/b=" + folder);
    assertEquals("paper/b", named.all().getFirst().published().name());
    assertEquals("b", named.all().getFirst().published().shortName());
  }

  @Test
  void aFalseNameIsRefused() throws IOException {
    Path folder = save("mine");
    assertTrue(
        assertThrows(IOException.class, () -> given().add("paper/wide=" + folder))
            .getMessage()
            .contains("is not paper/wide: it has 48 features, not 96"));
    Path other = save("models--someone--tiny/unpublished");
    assertTrue(
        assertThrows(IOException.class, () -> given().add("paper/a=" + other))
            .getMessage()
            .contains("is not paper/a, but tiny-release/unpublished"));
    assertTrue(
        assertThrows(IOException.class, () -> given().add("paper/c=" + folder))
            .getMessage()
            .startsWith("no number was published about an SAE called \"paper/c\""));
  }

  @Test
  void oneSaeIsGivenOnce() throws IOException {
    Path folder = save("mine");
    GivenSaes given = given();
    given.add("paper/b=" + folder);
    assertThrows(IllegalArgumentException.class, () -> given.add("paper/b=" + folder));
  }
}

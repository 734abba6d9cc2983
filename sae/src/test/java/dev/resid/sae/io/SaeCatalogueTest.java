package dev.resid.sae.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.HookPoint;
import dev.resid.hub.HubName;
import dev.resid.hub.HubSnapshot;
import dev.resid.model.WeightsState;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.BeginningOfText;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SaeCatalogueTest {
  private static final Path CACHED =
      Path.of("/hub/models--jbloom--GPT2-Small-SAEs-Reformatted/snapshots/1a2b");

  @Test
  void everyReleaseHasItsSaes() throws IOException {
    SaeCatalogue catalogue = SaeCatalogue.load();
    assertEquals(13, count(catalogue, "gpt2-small-res-jb"));
    assertEquals(8, count(catalogue, "gpt2-small-res-jb-feature-splitting"));
    for (String suffix : new String[] {"mlp-tm", "hook-z-kk"}) {
      assertEquals(12, count(catalogue, "gpt2-small-" + suffix), suffix);
    }
    for (String site : new String[] {"attn-out", "mlp-out", "resid-mid", "resid-post"}) {
      assertEquals(12, count(catalogue, "gpt2-small-" + site + "-v5-32k"), site);
      assertEquals(12, count(catalogue, "gpt2-small-" + site + "-v5-128k"), site);
    }
    for (String kind : new String[] {"scl", "sce", "scefr", "sll", "sle", "slefr"}) {
      assertEquals(3, count(catalogue, "gpt2-small-res_" + kind + "-ajt"), kind);
    }
    assertEquals(18, catalogue.releases().size());
  }

  @Test
  void everySaeSaysWhichFilesItIs() throws IOException {
    Set<Path> places = new HashSet<>();
    for (SaeCatalogue.Entry entry : SaeCatalogue.load().entries()) {
      entry.hubFiles();
      HubName name = HubName.parse(entry.repository());
      HubSnapshot snapshot = new HubSnapshot(name, "c", Path.of(entry.repository()), List.of());
      assertTrue(places.add(entry.in(snapshot)), entry.name());
    }
    assertEquals(159, places.size());
  }

  @Test
  void anEntryIsFoundByItsName() throws IOException {
    SaeCatalogue catalogue = SaeCatalogue.load();
    SaeCatalogue.Entry entry =
        catalogue.named("gpt2-small-res_scefr-ajt/blocks.10.hook_resid_pre").orElseThrow();
    assertEquals(Optional.of("10-res_scefr-ajt"), entry.folder());
    assertTrue(catalogue.named("gpt2-small-res-jb").isEmpty());
  }

  @Test
  void namesAndNeuronpediaIdsAreUnique() throws IOException {
    Set<String> names = new HashSet<>();
    Set<String> ids = new HashSet<>();
    for (SaeCatalogue.Entry entry : SaeCatalogue.load().entries()) {
      assertTrue(names.add(entry.name()), entry.name());
      entry.neuronpediaId().ifPresent(id -> assertTrue(ids.add(id), id));
      assertEquals(entry.architecture() == Architecture.TOP_K, entry.k().isPresent());
      assertEquals(
          entry.normalization() == Normalization.EXPECTED_AVERAGE_NORM,
          entry.inputScale().isPresent());
      assertFalse(entry.repository().contains(":"), entry.repository());
    }
    assertTrue(ids.contains("gpt2-small/12-res-jb"));
  }

  @Test
  void anSaeInTheHubCacheIsRecognisedAndCompleted() throws IOException {
    SaeConfig config = config(HookPoint.residPre(8), 24576, Optional.empty());
    SaeConfig complete =
        SaeCatalogue.load()
            .complete(CACHED.resolve("blocks.8.hook_resid_pre"), config, Stated.nothing());
    assertEquals("gpt2-small-res-jb/blocks.8.hook_resid_pre", complete.name());
    assertEquals(Optional.of(WeightsState.TRANSFORMER_LENS), complete.weights());
    assertEquals(
        new Provenance(
            Optional.of("gpt2-small"),
            OptionalInt.of(128),
            Optional.of(BeginningOfText.PREPENDED),
            Optional.of("gpt2-small/8-res-jb")),
        complete.provenance());
  }

  @Test
  void anSaeIsRecognisedByItsNeuronpediaId() throws IOException {
    SaeConfig config =
        config(HookPoint.residPre(6), 46080, Optional.of("gpt2-small/6-res_sle-ajt"));
    SaeConfig complete = SaeCatalogue.load().complete(Path.of("/any"), config, Stated.nothing());
    assertEquals("gpt2-small-res_sle-ajt/blocks.6.hook_resid_pre", complete.name());
  }

  @Test
  void anotherWidthPlaceOrFolderIsNotThatSae() throws IOException {
    SaeCatalogue catalogue = SaeCatalogue.load();
    Path path = CACHED.resolve("blocks.8.hook_resid_pre");
    for (SaeConfig other :
        new SaeConfig[] {
          config(HookPoint.residPre(8), 24577, Optional.empty()),
          config(HookPoint.residPost(8), 24576, Optional.empty())
        }) {
      assertEquals(other, catalogue.complete(path, other, Stated.nothing()));
    }
    SaeConfig same = config(HookPoint.residPre(8), 24576, Optional.empty());
    assertEquals(same, catalogue.complete(Path.of("/my/saes"), same, Stated.nothing()));
  }

  @Test
  void theCallerMayNotContradictTheCatalogue() throws IOException {
    SaeConfig config =
        config(HookPoint.residPre(8), 24576, Optional.of("gpt2-small/8-res-jb"))
            .withWeights(WeightsState.RAW);
    SaeCatalogue catalogue = SaeCatalogue.load();
    assertThrows(
        SaeCheckpointException.class,
        () -> catalogue.complete(Path.of("/any"), config, Stated.nothing().on(WeightsState.RAW)));
  }

  private static long count(SaeCatalogue catalogue, String release) {
    return catalogue.entries().stream().filter(e -> e.release().equals(release)).count();
  }

  private static SaeConfig config(HookPoint point, int dSae, Optional<String> neuronpediaId) {
    return new SaeConfig(
        "sae",
        Architecture.RELU,
        768,
        dSae,
        768,
        OptionalInt.empty(),
        TopKScale.PLAIN,
        Normalization.NONE,
        1,
        DecoderBias.SUBTRACTED_AND_ADDED,
        point,
        point,
        Optional.empty(),
        new Provenance(Optional.empty(), OptionalInt.empty(), Optional.empty(), neuronpediaId));
  }
}

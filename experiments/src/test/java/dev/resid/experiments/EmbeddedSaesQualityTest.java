package dev.resid.experiments;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.sae.metric.SaeEvaluator;
import dev.resid.sae.metric.SaeMetric;
import dev.resid.sae.metric.SaeReport;
import dev.resid.sae.metric.TokenScope;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The SAEs that ship are what {@code docs/embedded-saes.md} says, on some rows of the text. */
class EmbeddedSaesQualityTest {
  private static final int ROWS = 12;

  private static Backend backend;
  private static Gpt2 gpt2;
  private static TokenBatch rows;

  @BeforeAll
  static void load() throws IOException {
    backend = Backends.fastest(BackendOptions.defaults());
    gpt2 = Gpt2.embedded(backend);
    try (Documents documents = Documents.embedded()) {
      rows =
          RowPacker.pack(
              documents, gpt2.tokenizer(), gpt2.config().bosToken().orElseThrow(), 128, ROWS);
    }
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  private static SaeReport report(String name) throws IOException {
    Sae sae = EmbeddedSaes.ofLibrary().load(name, backend);
    return new SaeEvaluator(gpt2, sae).report(rows);
  }

  @Test
  void aLocalSaeIsARealDictionary() throws IOException {
    SaeReport report = report("local-layer3-l0-30");
    double l0 = report.get(SaeMetric.L0, TokenScope.ALL);
    assertTrue(l0 > 10 && l0 < 0.1 * 4 * 192, "L0 " + l0);
    double recovered = report.get(SaeMetric.CE_RECOVERED_ZERO_ABLATION, TokenScope.ALL);
    assertTrue(recovered > 0.93, "CE recovered " + recovered);
    double dead = report.get(SaeMetric.DEAD_PART, TokenScope.ALL);
    assertTrue(dead < 0.2, "dead " + dead);
  }

  @Test
  void downstreamKeepsMoreOfTheLossThanLocalWithFewerFeatures() throws IOException {
    SaeReport local = report("local-layer3-l0-30");
    SaeReport downstream = report("downstream-layer3-l0-28");
    assertTrue(
        downstream.get(SaeMetric.L0, TokenScope.ALL) < local.get(SaeMetric.L0, TokenScope.ALL));
    assertTrue(
        downstream.get(SaeMetric.CE_INCREASE, TokenScope.ALL)
            < local.get(SaeMetric.CE_INCREASE, TokenScope.ALL));
  }

  @Test
  void everyObjectiveHasFourSparsitiesInTheMiddle() throws IOException {
    List<String> names = EmbeddedSaes.ofLibrary().names();
    Map<String, Long> counts =
        names.stream()
            .collect(
                Collectors.groupingBy(
                    name -> name.replaceAll("-l0-\\d+", ""), TreeMap::new, Collectors.counting()));
    assertEquals(
        Map.of("local-layer3", 5L, "e2e-layer3", 4L, "downstream-layer3", 4L, "local-layer1", 3L),
        counts);
  }
}

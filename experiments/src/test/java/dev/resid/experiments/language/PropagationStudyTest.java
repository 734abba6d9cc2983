package dev.resid.experiments.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.language.PropagationStudy.Pairing;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SmallModel;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.WeightsState;
import dev.resid.progress.Progress;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.sae.SpliceMode;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PropagationStudyTest {
  private static final int WIDTH = 16;

  @TempDir private Path temporary;

  /** Features x and −x, decoded to x again. */
  private static NamedSae identity(int layer, Backend backend) {
    float[] encoder = new float[WIDTH * 2 * WIDTH];
    float[] decoder = new float[encoder.length];
    for (int c = 0; c < WIDTH; c++) {
      for (int sign = 0; sign < 2; sign++) {
        int feature = sign * WIDTH + c;
        encoder[c * 2 * WIDTH + feature] = sign == 0 ? 1 : -1;
        decoder[feature * WIDTH + c] = sign == 0 ? 1 : -1;
      }
    }
    HookPoint point = HookPoint.residPre(layer);
    SaeConfig config =
        new SaeConfig(
            "identity" + layer,
            Architecture.RELU,
            WIDTH,
            2 * WIDTH,
            WIDTH,
            OptionalInt.empty(),
            TopKScale.PLAIN,
            Normalization.NONE,
            1,
            DecoderBias.SUBTRACTED_AND_ADDED,
            point,
            point,
            Optional.of(WeightsState.RAW),
            Provenance.UNKNOWN);
    SaeWeights weights =
        new SaeWeights(
            Map.of(
                SaeWeight.W_enc,
                Tensor.wrap(SaeWeight.W_enc.shape(WIDTH, 2 * WIDTH, WIDTH), encoder),
                SaeWeight.b_enc,
                Tensor.zeros(SaeWeight.b_enc.shape(WIDTH, 2 * WIDTH, WIDTH)),
                SaeWeight.W_dec,
                Tensor.wrap(SaeWeight.W_dec.shape(WIDTH, 2 * WIDTH, WIDTH), decoder),
                SaeWeight.b_dec,
                Tensor.zeros(SaeWeight.b_dec.shape(WIDTH, 2 * WIDTH, WIDTH))));
    return new NamedSae("identity" + layer, "", "", Sae.of(config, weights, backend));
  }

  private static TokenBatch rows() {
    return TokenBatch.of(SmallModel.row(8, 1), SmallModel.row(8, 2), SmallModel.row(8, 3));
  }

  /** T32. */
  @Test
  void identitiesPropagateNothing() {
    try (Backend backend = SmallModel.backend()) {
      List<NamedSae> saes =
          List.of(identity(0, backend), identity(1, backend), identity(2, backend));
      double[][] values =
          new PropagationStudy(SmallModel.on(backend), new ContextOptions(rows(), saes, "test", 1))
              .compute(new RowRange(0, 3), done -> {});
      RowLayout layout = PropagationStudy.layout(3, Pairing.SAME);
      for (double[] row : values) {
        for (int first = 0; first < 3; first++) {
          for (int second = 0; second < 3; second++) {
            for (int q = 0; q < 3; q++) {
              assertEquals(0, row[layout.index(PropagationStudy.CHANGE, first, second, q)]);
              // Entries that are not defined count nothing.
              assertEquals(
                  first < second ? 7 : 0,
                  row[layout.index(PropagationStudy.COUNT, first, second, q)]);
            }
          }
        }
      }
    }
  }

  @Test
  void changesAreThoseOfARunWithTheFirstSaeSpliced() {
    try (Backend backend = SmallModel.backend()) {
      Gpt2 gpt2 = SmallModel.on(backend);
      NamedSae first = TinySaes.both().get(1);
      NamedSae second = identity(2, backend);
      double[] row =
          new PropagationStudy(gpt2, new ContextOptions(rows(), List.of(first, second), "test", 1))
              .compute(new RowRange(1, 2), done -> {})[0];
      TokenBatch tokens = rows().slice(1, 2);
      HookPoint point = second.sae().hookPoint();
      Tensor clean = gpt2.capture(tokens, point.capture()).get(point);
      Tensor changed =
          gpt2.capture(
                  tokens,
                  first.sae().hookPoint().replace(first.sae().splice(SpliceMode.RECONSTRUCTION)),
                  point.capture())
              .get(point);
      double sum = 0;
      for (int pos = 1; pos < 8; pos++) {
        sum += norm(changed, pos) / norm(clean, pos) - 1;
      }
      double got =
          row[PropagationStudy.layout(2, Pairing.SAME).index(PropagationStudy.CHANGE, 0, 1, 2)];
      assertEquals(sum, got, 1e-4 * Math.max(1, Math.abs(sum)));
      assertTrue(Math.abs(sum) > 1e-2, "nothing changed");
    }
  }

  @Test
  void normsThatStayAndThatDoNotAreToldApart() throws IOException {
    try (Backend backend = SmallModel.backend();
        Workers workers = new Workers(1)) {
      Gpt2 gpt2 = SmallModel.on(backend);
      TokenBatch ten =
          TokenBatch.of(
              IntStream.range(0, 10).mapToObj(i -> SmallModel.row(8, i)).toArray(int[][]::new));
      Map<NamedSae, String> firsts =
          Map.of(identity(0, backend), "holds", TinySaes.both().get(1), "does not hold");
      for (Map.Entry<NamedSae, String> first : firsts.entrySet()) {
        Path out = temporary.resolve(first.getKey().name());
        List<NamedSae> saes = List.of(first.getKey(), identity(2, backend));
        new PropagationStudy(gpt2, new ContextOptions(ten, saes, "test", 1))
            .run(out, Progress.none(), workers);
        ResultTable findings = ResultTable.read(out, "findings");
        List<Object> last = findings.rows().getLast();
        assertTrue(last.getFirst().toString().contains("less than a tenth"), last.toString());
        assertEquals(first.getValue(), last.get(1), last.toString());
      }
    }
  }

  /** The sums say what a loop over all pairs of different rows says. */
  @Test
  void thePublishedPairingDividesPositionFiftyOfOneRowByAllOfAnother() throws IOException {
    TokenBatch rows =
        TokenBatch.of(SmallModel.row(60, 1), SmallModel.row(60, 2), SmallModel.row(60, 3));
    try (Backend backend = SmallModel.backend();
        Workers workers = new Workers(1)) {
      Gpt2 gpt2 = TinyModel.on(backend, Gpt2Config.of(3, 2, WIDTH, 50, 64));
      NamedSae first = TinySaes.both().get(1);
      NamedSae second = identity(2, backend);
      HookPoint point = second.sae().hookPoint();
      double[] at = new double[3];
      double[] inverse = new double[3];
      for (int row = 0; row < 3; row++) {
        TokenBatch one = rows.slice(row, row + 1);
        Tensor clean = gpt2.capture(one, point.capture()).get(point);
        at[row] =
            norm(
                gpt2.capture(
                        one,
                        first
                            .sae()
                            .hookPoint()
                            .replace(first.sae().splice(SpliceMode.RECONSTRUCTION)),
                        point.capture())
                    .get(point),
                50);
        for (int pos = 1; pos < 60; pos++) {
          inverse[row] += 1 / norm(clean, pos) / 59;
        }
      }
      double expected = 0;
      for (int one = 0; one < 3; one++) {
        for (int other = 0; other < 3; other++) {
          expected += one == other ? 0 : (at[one] * inverse[other] - 1) / 6;
        }
      }
      ContextOptions options = new ContextOptions(rows, List.of(first, second), "test", 1);
      Path out = temporary.resolve("published");
      new PropagationStudy(gpt2, options, Pairing.PUBLISHED).run(out, Progress.none(), workers);
      ResultTable table = ResultTable.read(out, "results");
      assertEquals("norm", table.rows().get(2).get(2));
      assertEquals(
          expected,
          table.number(2, "change").getAsDouble(),
          1e-4 * Math.max(1, Math.abs(expected)));
      assertTrue(Files.readString(out.resolve("report.html")).contains("all pairs of different"));
      ContextOptions shorter = new ContextOptions(rows(), List.of(first, second), "test", 1);
      assertThrows(
          IllegalArgumentException.class,
          () -> new PropagationStudy(gpt2, shorter, Pairing.PUBLISHED));
    }
  }

  private static double norm(Tensor x, int pos) {
    double squares = 0;
    for (int c = 0; c < WIDTH; c++) {
      squares += Math.pow(x.get(0, pos, c), 2);
    }
    return Math.sqrt(squares);
  }

  @Test
  void pairsOfOnePointAreRefusedAndAReportIsWritten() throws IOException {
    try (Backend backend = SmallModel.backend();
        Workers workers = new Workers(1)) {
      Gpt2 gpt2 = SmallModel.on(backend);
      ContextOptions one = new ContextOptions(rows(), TinySaes.both(), "test", 1);
      assertThrows(IllegalArgumentException.class, () -> new PropagationStudy(gpt2, one));
      List<NamedSae> saes = List.of(TinySaes.both().get(0), identity(2, backend));
      Path out = temporary.resolve("out");
      new PropagationStudy(gpt2, new ContextOptions(rows(), saes, "test", 1))
          .run(out, Progress.none(), workers);
      assertEquals(1 + 3, Files.readAllLines(out.resolve("results.csv")).size());
      assertTrue(Files.exists(out.resolve("figures/propagation-l0.png")));
      // Nothing but the one cell: no row for the later SAE, no column for the earlier one.
      String figure = Files.readString(out.resolve("figures/propagation-l0.svg"));
      assertEquals(1, figure.split("<title>SAE put in ", -1).length - 1, figure);
      assertEquals(1, figure.split(">few</text>", -1).length - 1, figure);
    }
  }
}

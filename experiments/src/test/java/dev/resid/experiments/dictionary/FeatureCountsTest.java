package dev.resid.experiments.dictionary;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.metric.FeatureRemoval.Order;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeatureCountsTest {
  private static final TokenBatch TOKENS = TinyModel.tokens(12, 9, 5, 12, 12, 7);

  @TempDir private Path folder;

  @Test
  void aStoppedWalkGoesOnAndCountsTheSame() throws IOException {
    Path file = folder.resolve("frequencies");
    List<NamedSae> saes = TinySaes.both();
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      FeatureCounts whole = FeatureCounts.of(gpt2, TOKENS, saes, Progress.none());
      Walk stopped = new Walk(4);
      assertThrows(
          IllegalStateException.class,
          () -> FeatureCounts.of(gpt2, TOKENS, saes, file, 2, stopped));
      assertTrue(Files.exists(file));
      Walk second = new Walk(Integer.MAX_VALUE);
      FeatureCounts both = FeatureCounts.of(gpt2, TOKENS, saes, file, 2, second);
      assertEquals(List.of(2L, 4L, 6L), second.counts, "from the rows that were written down on");
      Walk third = new Walk(0);
      FeatureCounts read = FeatureCounts.of(gpt2, TOKENS, saes, file, 2, third);
      assertEquals(List.of(), third.counts, "nothing is left to do");
      for (int s = 0; s < saes.size(); s++) {
        assertArrayEquals(whole.active(s), both.active(s));
        assertArrayEquals(whole.active(s), read.active(s));
        assertArrayEquals(
            whole.order(s, Order.MEAN_ACTIVATION), read.order(s, Order.MEAN_ACTIVATION));
      }
    }
  }

  @Test
  void aFileOfOtherSaesIsRefused() throws IOException {
    Path file = folder.resolve("frequencies");
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      List<NamedSae> one = List.of(TinySaes.alwaysActive());
      FeatureCounts.of(gpt2, TOKENS, one, file, 9, Progress.none());
      IOException refused =
          assertThrows(
              IOException.class,
              () -> FeatureCounts.of(gpt2, TOKENS, TinySaes.both(), file, 9, Progress.none()));
      assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
    }
  }

  /** Fails when so many rows are done. */
  private static final class Walk implements Progress {
    private final List<Long> counts = new ArrayList<>();
    private final int rows;

    Walk(int rows) {
      this.rows = rows;
    }

    @Override
    public Progress.Task begin(String name, String unit, long done, long total) {
      counts.add(done);
      return new Progress.Task() {
        @Override
        public void advanceTo(long count) {
          if (count >= rows) {
            throw new IllegalStateException("stopped");
          }
          counts.add(count);
        }

        @Override
        public void detail(String text) {}

        @Override
        public void close() {}
      };
    }
  }
}

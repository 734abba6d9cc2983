package dev.resid.sae.metric;

import static dev.resid.hook.HookPoint.residPre;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightTransforms;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeMismatchException;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WeightsFitTest {
  private static final int WIDTH = 8;

  private final Backend backend = Backends.named("scalar");
  private final Gpt2 gpt2 = Gpt2.of(SmallSaes.model(SmallSaes.MODEL, 3), backend);
  private final TokenBatch tokens = SmallSaes.tokens(5, 30, 6, 1, 9);

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void whatIsReconstructedIsExplainedAndTheMeanExplainsNothing() {
    Sae identity = SmallSaes.identity(residPre(1), WIDTH, backend);
    assertEquals(0, WeightsFit.unexplained(identity, gpt2, tokens), 1e-10);
    Sae mean = SmallSaes.constant(residPre(1), meanWithoutFirst(), backend);
    assertEquals(1, WeightsFit.unexplained(mean, gpt2, tokens), 1e-6);
  }

  private float[] meanWithoutFirst() {
    double[] sum = new double[WIDTH];
    int count = 0;
    for (int row = 0; row < tokens.rows(); row++) {
      float[] x =
          gpt2.capture(tokens.slice(row, row + 1), residPre(1).capture())
              .get(residPre(1))
              .toArray();
      for (int i = WIDTH; i < x.length; i++) {
        sum[i % WIDTH] += x[i];
      }
      count += x.length / WIDTH - 1;
    }
    float[] mean = new float[WIDTH];
    for (int c = 0; c < WIDTH; c++) {
      mean[c] = (float) (sum[c] / count);
    }
    return mean;
  }

  @Test
  void weightsMayBeOthersThanThoseThatAreStated() {
    Gpt2 lens =
        Gpt2.of(
            WeightTransforms.transformerLens().apply(SmallSaes.model(SmallSaes.MODEL, 3)), backend);
    Sae onRaw = SmallSaes.identity(residPre(1), WIDTH, backend);
    assertEquals(0, WeightsFit.unexplained(onRaw, lens, tokens), 1e-10);
  }

  @Test
  void lessIsBetterUnlessBothAreAlike() {
    assertEquals(Optional.of(WeightsState.RAW), new WeightsFit(0.1, 0.5).better());
    assertEquals(Optional.of(WeightsState.TRANSFORMER_LENS), new WeightsFit(0.5, 0.1).better());
    assertEquals(Optional.empty(), new WeightsFit(0.0997, 0.0974).better());
  }

  @Test
  void whatCannotBeMeasuredIsRefused() {
    Sae later = SmallSaes.identity(residPre(2), WIDTH, backend);
    assertThrows(SaeMismatchException.class, () -> WeightsFit.unexplained(later, gpt2, tokens));
    Sae identity = SmallSaes.identity(residPre(1), WIDTH, backend);
    assertThrows(
        IllegalArgumentException.class,
        () -> WeightsFit.unexplained(identity, gpt2, TokenBatch.of(new int[] {4})));
  }
}

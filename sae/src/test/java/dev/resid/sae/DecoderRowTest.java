package dev.resid.sae;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.resid.backend.Backends;
import dev.resid.sae.io.EmbeddedSaes;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DecoderRowTest {
  @Test
  void aDecoderRowIsThatOfTheWeights() throws IOException {
    try (Backend backend = Backends.named("vector")) {
      Sae sae = EmbeddedSaes.ofLibrary().load("local-layer3-l0-30", backend);
      float[] all = sae.weights().get(SaeWeight.W_dec).toArray();
      int d = sae.config().dOut();
      for (int feature : new int[] {0, 1, 17, sae.config().dSae() - 1}) {
        assertArrayEquals(
            Arrays.copyOfRange(all, feature * d, (feature + 1) * d),
            sae.decoderRow(feature).toArray());
      }
      assertEquals(
          "local-layer3-l0-30 has no feature 768, only 0 to 767",
          assertThrows(IndexOutOfBoundsException.class, () -> sae.decoderRow(768)).getMessage());
      assertThrows(IndexOutOfBoundsException.class, () -> sae.decoderRow(-1));
    }
  }
}

package dev.resid.experiments.language;

import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SaeFacts;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/** Where the numbers of one prompt stand: Δ ln p of each SAE and, as bits, its active features. */
final class FeatureEffectLayout {
  private static final String DELTA_LN_P = "delta_ln_p";
  private static final String ACTIVE = "active_";

  /** Bits in a number; a double holds whole numbers of up to 53 bits. */
  private static final int BITS = 48;

  private final List<SaeFacts> saes;
  private final RowLayout layout;

  FeatureEffectLayout(List<SaeFacts> saes) {
    this.saes = saes;
    RowLayout all = RowLayout.empty().with(DELTA_LN_P, saes.size());
    for (int s = 0; s < saes.size(); s++) {
      all = all.with(ACTIVE + s, words(s));
    }
    this.layout = all;
  }

  private int words(int s) {
    return Math.ceilDiv(saes.get(s).dSae(), BITS);
  }

  int count() {
    return layout.count();
  }

  int deltaLnP(int s) {
    return layout.index(DELTA_LN_P, s);
  }

  /** Writes which features of an SAE are active into the numbers of a prompt. */
  void setActive(double[] row, int s, BitSet active) {
    int from = layout.index(ACTIVE + s, 0);
    active.stream().forEach(i -> row[from + i / BITS] += 1L << i % BITS);
  }

  /** Reads it from the numbers of a prompt, given by column. */
  BitSet active(IntToDoubleFunction row, int s) {
    BitSet active = new BitSet();
    int from = layout.index(ACTIVE + s, 0);
    for (int word = 0; word < words(s); word++) {
      long bits = (long) row.applyAsDouble(from + word);
      for (int bit = 0; bit < BITS; bit++) {
        if ((bits >>> bit & 1) == 1) {
          active.set(word * BITS + bit);
        }
      }
    }
    return active;
  }
}

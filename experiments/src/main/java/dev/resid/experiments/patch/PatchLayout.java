package dev.resid.experiments.patch;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowLayout;
import dev.resid.hook.Site;
import java.util.List;
import java.util.Locale;

/**
 * Where the numbers of one pair stand. Positions past the end of a shorter prompt hold 0.
 *
 * @param layers blocks of the model
 * @param heads heads of a block
 * @param positions of the longest prompt
 */
record PatchLayout(int layers, int heads, int positions) {
  /** Sites whose activation is patched at one position, without heads. */
  static final List<Site> SITES = List.of(Site.RESID_PRE, Site.ATTN_OUT, Site.MLP_OUT);

  /** Readout of the clean and of the corrupted run. */
  static final String CLEAN = "clean";

  static final String CORRUPTED = "corrupted";

  /** 1 if the prompts differ at one position only, and what patching the stream there gives. */
  static final String ONE_DIFFERENCE = "one_difference";

  static final String AT_DIFFERENCE = "at_difference";

  /** Head patched at all positions: readout, [layer, head]. */
  static final String WHOLE_HEAD = "whole_head";

  /** What terms add to the readout directly, [term], in the clean and in the corrupted run. */
  static final String DIRECT_CLEAN = "direct_clean";

  static final String DIRECT_CORRUPTED = "direct_corrupted";

  /** Largest difference between the terms' sum and the readout. */
  static final String DIRECT_ERROR = "direct_error";

  /** Readout through the logit lens, and KL from the model's own prediction, [point, position]. */
  static final String LENS = "lens";

  static final String LENS_KL = "lens_kl";

  /** KL over positions without the first: sum by point, and count. */
  static final String LENS_KL_SUM = "lens_kl_sum";

  static final String TOKENS = "tokens";

  /** Returns the layout of a run, from its notes. */
  static PatchLayout of(Settings notes) {
    return new PatchLayout(
        Math.toIntExact(notes.whole("layers")),
        Math.toIntExact(notes.whole("heads")),
        Math.toIntExact(notes.whole("positions")));
  }

  /** Returns the name of exact results at a site: readout minus the corrupted one. */
  static String exact(Site site) {
    return "exact_" + site.name().toLowerCase(Locale.ROOT);
  }

  /** Returns the name of attributions at a site. */
  static String attributed(Site site) {
    return "attributed_" + site.name().toLowerCase(Locale.ROOT);
  }

  /** Returns the number of points of the logit lens. */
  int points() {
    return 2 * layers + 1;
  }

  /** Returns the number of terms: embeddings, heads, MLPs, attention biases, constant. */
  int terms() {
    return 2 + layers * (heads + 1) + 2;
  }

  /** Returns where everything stands. */
  RowLayout rows() {
    RowLayout layout =
        RowLayout.empty()
            .with(CLEAN)
            .with(CORRUPTED)
            .with(ONE_DIFFERENCE)
            .with(AT_DIFFERENCE)
            .with(WHOLE_HEAD, layers, heads)
            .with(DIRECT_CLEAN, terms())
            .with(DIRECT_CORRUPTED, terms())
            .with(DIRECT_ERROR)
            .with(LENS, points(), positions)
            .with(LENS_KL, points(), positions)
            .with(LENS_KL_SUM, points())
            .with(TOKENS);
    for (Site site : SITES) {
      layout =
          layout.with(exact(site), layers, positions).with(attributed(site), layers, positions);
    }
    return layout
        .with(exact(Site.Z), layers, positions, heads)
        .with(attributed(Site.Z), layers, positions, heads);
  }
}

package dev.resid.experiments.language;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.hook.HookPoint;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the numbers of a row are of.
 *
 * @param saes the SAEs
 * @param allPoints activations whose norm is measured: those that SAEs read, then the others
 * @param ranges positions whose means are taken together
 * @param positions tokens of a row
 */
record ContextSizes(
    List<SaeFacts> saes, List<HookPoint> allPoints, List<PositionRange> ranges, int positions) {
  static ContextSizes of(ContextOptions options) {
    return of(
        SaeFacts.of(options.saes()),
        options.points(),
        options.ranges(),
        options.tokens().maxLength());
  }

  /** Returns the sizes of a run, from its record and its notes. */
  static ContextSizes of(Settings settings, Settings notes) {
    return of(
        SaeFacts.of(notes),
        settings.list("norms").stream().map(HookPoint::parse).toList(),
        settings.list("ranges").stream().map(PositionRange::parse).toList(),
        Math.toIntExact(settings.whole("positions")));
  }

  private static ContextSizes of(
      List<SaeFacts> saes, List<HookPoint> points, List<PositionRange> ranges, int positions) {
    List<HookPoint> all =
        Stream.concat(saes.stream().map(SaeFacts::reads), points.stream()).distinct().toList();
    return new ContextSizes(saes, all, ranges, positions);
  }

  /** Returns where the numbers of a row stand; the last position has no cross-entropy. */
  RowLayout layout() {
    return RowLayout.empty()
        .with(ContextStudy.CE, positions - 1)
        .with(ContextStudy.SAE_CE, saes.size(), positions - 1)
        .with(ContextStudy.QUALITY, saes.size(), ClozeLayout.QUANTITIES, positions)
        .with(ContextStudy.FIT, saes.size(), SaeQuality.FITS, positions)
        .with(ContextStudy.NORM, allPoints.size(), positions);
  }
}

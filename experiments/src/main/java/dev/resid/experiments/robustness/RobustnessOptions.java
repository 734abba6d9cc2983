package dev.resid.experiments.robustness;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What is measured, and how the work is done.
 *
 * @param tokens rows of tokens; each at least three long
 * @param text where the tokens come from, for the report
 * @param points whose activations are turned at every cosine, none twice
 * @param cosines with the activation, descending, from 1 to −1
 * @param ratios norms of the replacements, as shares of the activation's
 * @param saes compared at equal cosine; may be none; each at a point where a run can be continued
 * @param seed same seed, same numbers
 * @param batchRows rows a call of the model; 0 for what fits; changes no number
 */
public record RobustnessOptions(
    TokenBatch tokens,
    String text,
    List<HookPoint> points,
    List<Double> cosines,
    List<Double> ratios,
    List<NamedSae> saes,
    long seed,
    int batchRows) {
  /** From no change of direction down to nothing left of it. */
  public static final List<Double> DEFAULT_COSINES =
      List.of(1.0, 0.99, 0.97, 0.9, 0.8, 0.6, 0.4, 0.2, 0.0);

  /** The published ratio, and none. */
  public static final List<Double> DEFAULT_RATIOS = List.of(0.9, 1.0);

  /** The sites of the source, in its order. */
  public static final List<Site> DEFAULT_SITES =
      List.of(Site.ATTN_OUT, Site.MLP_OUT, Site.RESID_PRE);

  /** The seed if none is given. */
  public static final long DEFAULT_SEED = 23;

  private static final Set<Site> SITES =
      EnumSet.of(Site.ATTN_OUT, Site.MLP_OUT, Site.RESID_PRE, Site.RESID_MID, Site.RESID_POST);

  private static final int SHORTEST_ROW = 3;

  /** Checks what can be checked without the model. */
  public RobustnessOptions {
    points = List.copyOf(points);
    cosines = List.copyOf(cosines);
    ratios = List.copyOf(ratios);
    saes = List.copyOf(saes);
    requireNumbers(cosines, ratios);
    if (points.isEmpty() || points.stream().distinct().count() < points.size()) {
      throw new IllegalArgumentException("points are at least one and none twice, got " + points);
    }
    points.forEach(point -> requireSite(point, "a point"));
    saes.forEach(sae -> requireSite(sae.sae().hookPoint(), "SAE " + sae.name()));
    if (saes.stream().map(NamedSae::name).distinct().count() < saes.size()) {
      throw new IllegalArgumentException("two SAEs have the same name");
    }
    if (batchRows < 0) {
      throw new IllegalArgumentException("batch is " + batchRows + ", must not be negative");
    }
    for (int row = 0; row < tokens.rows(); row++) {
      if (tokens.length(row) < SHORTEST_ROW) {
        throw new IllegalArgumentException(
            "row " + row + " has " + tokens.length(row) + " tokens, needs 3; leave it out");
      }
    }
  }

  /**
   * Returns the cosines, if they and the norms are such as can be asked for.
   *
   * @param cosines with the activation
   * @param ratios norms as shares of the activation's
   * @throws IllegalArgumentException if they are not
   */
  public static List<Double> requireNumbers(List<Double> cosines, List<Double> ratios) {
    boolean descending = !cosines.isEmpty();
    for (int i = 0; i < cosines.size(); i++) {
      descending &=
          Math.abs(cosines.get(i)) <= 1 && (i == 0 || cosines.get(i) < cosines.get(i - 1));
    }
    if (!descending) {
      throw new IllegalArgumentException(
          "cosines are from 1 to -1, each below the one before, got " + cosines);
    }
    boolean positive = ratios.stream().allMatch(r -> r > 0 && r < Double.POSITIVE_INFINITY);
    if (ratios.isEmpty() || !positive || ratios.stream().distinct().count() < ratios.size()) {
      throw new IllegalArgumentException(
          "norm ratios are at least one, positive and none twice, got " + ratios);
    }
    return cosines;
  }

  private static void requireSite(HookPoint point, String what) {
    if (!SITES.contains(point.site())) {
      throw new IllegalArgumentException(
          what
              + " is at "
              + point
              + ", where activations are not turned; use one of "
              + SITES.stream().map(Site::suffix).collect(Collectors.joining(", ")));
    }
  }

  /** Returns options with the default numbers, the default sites of all layers. */
  public static RobustnessOptions of(
      TokenBatch tokens, String text, int nLayers, List<NamedSae> saes) {
    return new RobustnessOptions(
        tokens,
        text,
        points(DEFAULT_SITES, Stream.iterate(0, l -> l + 1).limit(nLayers).toList()),
        DEFAULT_COSINES,
        DEFAULT_RATIOS,
        saes,
        DEFAULT_SEED,
        0);
  }

  /** Returns every site at every layer, sites in the order given. */
  public static List<HookPoint> points(List<Site> sites, List<Integer> layers) {
    List<HookPoint> points = new ArrayList<>();
    for (Site site : sites) {
      for (int layer : layers) {
        points.add(HookPoint.at(site, layer));
      }
    }
    return points;
  }

  /** Returns the points where runs start: those that are turned and those of SAEs, none twice. */
  List<HookPoint> starts() {
    return Stream.concat(points.stream(), saes.stream().map(sae -> sae.sae().hookPoint()))
        .distinct()
        .sorted()
        .toList();
  }

  /** Returns the SAEs at a point. */
  List<NamedSae> at(HookPoint point) {
    return saes.stream().filter(sae -> sae.sae().hookPoint().equals(point)).toList();
  }
}

package dev.resid.hook;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A site in one layer: where an activation is captured or replaced.
 *
 * @param site which activation
 * @param layer block number from 0; −1 for sites outside the blocks
 */
public record HookPoint(Site site, int layer) implements Comparable<HookPoint> {
  private static final Pattern BLOCK = Pattern.compile("blocks\\.(\\d{1,6})\\.(.+)");

  /** Checks that a block's site has a layer and that another one has none. */
  public HookPoint {
    if (site.inBlock() && layer < 0) {
      throw new IllegalArgumentException(site.suffix() + " needs a layer of at least 0");
    }
    if (!site.inBlock() && layer != -1) {
      throw new IllegalArgumentException(
          site.suffix() + " is outside the blocks, layer must be -1");
    }
  }

  /** Returns the token embedding's point. */
  public static HookPoint embed() {
    return new HookPoint(Site.EMBED, -1);
  }

  /** Returns the position embedding's point. */
  public static HookPoint posEmbed() {
    return new HookPoint(Site.POS_EMBED, -1);
  }

  /** Returns the point of the residual stream entering a block. */
  public static HookPoint residPre(int layer) {
    return new HookPoint(Site.RESID_PRE, layer);
  }

  /** Returns the point of the residual stream between attention and MLP. */
  public static HookPoint residMid(int layer) {
    return new HookPoint(Site.RESID_MID, layer);
  }

  /** Returns the point of the residual stream leaving a block. */
  public static HookPoint residPost(int layer) {
    return new HookPoint(Site.RESID_POST, layer);
  }

  /** Returns the point of what attention adds to the stream. */
  public static HookPoint attnOut(int layer) {
    return new HookPoint(Site.ATTN_OUT, layer);
  }

  /** Returns the point of what the MLP adds to the stream. */
  public static HookPoint mlpOut(int layer) {
    return new HookPoint(Site.MLP_OUT, layer);
  }

  /** Returns the point of the attention pattern. */
  public static HookPoint pattern(int layer) {
    return new HookPoint(Site.PATTERN, layer);
  }

  /** Returns the point of the pattern-weighted values. */
  public static HookPoint z(int layer) {
    return new HookPoint(Site.Z, layer);
  }

  /** Returns the point of any site of a block. */
  public static HookPoint at(Site site, int layer) {
    return new HookPoint(site, layer);
  }

  /** Returns the point of a site outside the blocks. */
  public static HookPoint at(Site site) {
    return new HookPoint(site, -1);
  }

  /**
   * Returns the point with a TransformerLens name.
   *
   * @param name for example {@code blocks.6.hook_resid_pre}
   * @throws IllegalArgumentException if no activation has this name; the message lists those that
   *     do
   */
  public static HookPoint parse(String name) {
    Matcher matcher = BLOCK.matcher(name);
    String suffix = matcher.matches() ? matcher.group(2) : name;
    int layer = matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
    for (Site site : Site.values()) {
      if (site.suffix().equals(suffix) && site.inBlock() == (layer >= 0)) {
        return new HookPoint(site, layer);
      }
    }
    List<String> known = new ArrayList<>();
    for (Site site : Site.values()) {
      known.add(site.inBlock() ? "blocks.L." + site.suffix() : site.suffix());
    }
    throw new IllegalArgumentException(
        "no activation is called \"" + name + "\"; use one of " + String.join(", ", known));
  }

  /** Returns every point of a model with this many blocks, in the order of the forward pass. */
  public static List<HookPoint> all(int nLayers) {
    List<HookPoint> points = new ArrayList<>();
    points.add(embed());
    points.add(posEmbed());
    for (int layer = 0; layer < nLayers; layer++) {
      for (Site site : Site.values()) {
        if (site.inBlock()) {
          points.add(new HookPoint(site, layer));
        }
      }
    }
    points.add(at(Site.LN_FINAL_SCALE));
    points.add(at(Site.LN_FINAL_NORMALIZED));
    return points;
  }

  /**
   * Returns the points whose names match, each once, in the order of the forward pass.
   *
   * @param nLayers blocks of the model
   * @param patterns names such as {@code blocks.6.hook_resid_pre}, or patterns such as {@code
   *     blocks.*.attn.hook_pattern}: {@code *} stands for any characters, {@code ?} for one, {@code
   *     [abc]} and {@code [0-3]} for one of these, {@code [!abc]} for one that is none of these
   * @throws IllegalArgumentException if one of them matches nothing; the message lists the names
   */
  public static List<HookPoint> matching(int nLayers, String... patterns) {
    return List.copyOf(PointPatterns.matching(List.of(patterns), nLayers));
  }

  /** Returns the TransformerLens name, for example {@code blocks.6.hook_resid_pre}. */
  public String name() {
    return site.inBlock() ? "blocks." + layer + "." + site.suffix() : site.suffix();
  }

  /** Returns a hook that keeps the activation here, at every position. */
  public Capture capture() {
    return new Capture(this, Positions.all());
  }

  /**
   * Returns a hook that keeps the activation here at some positions.
   *
   * @param positions which positions of axis {@code pos}
   */
  public Capture capture(Positions positions) {
    return new Capture(this, positions);
  }

  /**
   * Returns a hook that puts what the intervention returns in place of the activation here.
   *
   * @param intervention called with the activation, returns its replacement of the same shape
   */
  public Replace replace(Intervention intervention) {
    return new Replace(this, intervention);
  }

  /** Returns whether the forward pass reaches this point before the other. */
  public boolean isBefore(HookPoint other) {
    return compareTo(other) < 0;
  }

  /** Orders by the forward pass. */
  @Override
  public int compareTo(HookPoint other) {
    int byStage = Integer.compare(stage(), other.stage());
    return byStage != 0 ? byStage : site.compareTo(other.site);
  }

  private int stage() {
    if (site.inBlock()) {
      return layer;
    }
    return site.compareTo(Site.RESID_PRE) < 0 ? -1 : Integer.MAX_VALUE;
  }

  @Override
  public String toString() {
    return name();
  }
}

package dev.resid.hook;

import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Names of activations with the wild cards of a shell: {@code *} stands for any characters, {@code
 * ?} for one, {@code [abc]} and {@code [0-3]} for one of these, {@code [!abc]} for one that is none
 * of these.
 */
final class PointPatterns {
  private PointPatterns() {}

  /** Returns the points that names or patterns match; see {@link HookPoint#matching}. */
  static SortedSet<HookPoint> matching(List<String> patterns, int nLayers) {
    SortedSet<HookPoint> points = new TreeSet<>();
    for (String pattern : patterns) {
      String name = pattern.strip();
      if (name.chars().noneMatch(c -> "*?[".indexOf(c) >= 0)) {
        points.add(HookPoint.parse(name));
        continue;
      }
      Pattern regex = Pattern.compile(regex(name));
      List<HookPoint> found =
          HookPoint.all(nLayers).stream().filter(p -> regex.matcher(p.name()).matches()).toList();
      if (found.isEmpty()) {
        throw new IllegalArgumentException(
            "no activation matches \""
                + name
                + "\"; the names are "
                + Arrays.stream(Site.values())
                    .map(site -> site.inBlock() ? "blocks.L." + site.suffix() : site.suffix())
                    .collect(Collectors.joining(", "))
                + ", with L from 0 to "
                + (nLayers - 1));
      }
      points.addAll(found);
    }
    return points;
  }

  private static String regex(String glob) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < glob.length(); i++) {
      char c = glob.charAt(i);
      int end = c == '[' ? glob.indexOf(']', i + (glob.startsWith("!", i + 1) ? 3 : 2)) : -1;
      if (c == '*') {
        regex.append(".*");
      } else if (c == '?') {
        regex.append('.');
      } else if (end > 0) {
        regex.append(set(glob.substring(i + 1, end)));
        i = end;
      } else {
        regex.append(Pattern.quote(String.valueOf(c)));
      }
    }
    return regex.toString();
  }

  /** Returns the regular expression of what stands between brackets. */
  private static String set(String inside) {
    boolean none = inside.startsWith("!");
    String characters = none ? inside.substring(1) : inside;
    return (none ? "[^" : "[") + characters.replaceAll("[\\\\\\[\\]^&~]", "\\\\$0") + "]";
  }
}

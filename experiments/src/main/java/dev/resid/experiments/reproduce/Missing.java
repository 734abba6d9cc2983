package dev.resid.experiments.reproduce;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A file without which numbers could not be checked. Some need more than one.
 *
 * @param file what is missing and where it is published
 * @param numbers how many numbers need it
 * @param parts what they are about
 */
public record Missing(String file, int numbers, String parts) {
  /** Returns one line a missing file, and one for parts that were not asked for. */
  static List<Missing> of(ReproduceOptions options) {
    Map<String, List<PublishedNumber>> byFile = new LinkedHashMap<>();
    for (PublishedNumber number : options.table().numbers()) {
      if (!options.canCheck(number)) {
        for (String file : files(options, number)) {
          byFile.computeIfAbsent(file, name -> new ArrayList<>()).add(number);
        }
      }
    }
    return byFile.entrySet().stream()
        .map(
            entry ->
                new Missing(
                    entry.getKey(),
                    entry.getValue().size(),
                    entry.getValue().stream()
                        .map(number -> number.part().word())
                        .distinct()
                        .collect(Collectors.joining(", "))))
        .toList();
  }

  private static List<String> files(ReproduceOptions options, PublishedNumber number) {
    if (!options.parts().contains(number.part())) {
      return List.of("left out by --parts");
    }
    Input input = number.part().input();
    List<String> files = new ArrayList<>();
    if (input != Input.NOTHING && !options.files().given().containsKey(input)) {
      files.add(input.option() + ": " + input.source());
    }
    number.saes().stream()
        .filter(name -> options.sae(name).isEmpty())
        .forEach(name -> files.add("--saes with " + name + ": " + source(options, name)));
    return files;
  }

  private static String source(ReproduceOptions options, String name) {
    return options.table().saes().stream()
        .filter(sae -> sae.name().equals(name))
        .map(PublishedSae::source)
        .findFirst()
        .orElseThrow();
  }
}

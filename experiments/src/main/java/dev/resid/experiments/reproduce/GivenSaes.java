package dev.resid.experiments.reproduce;

import dev.resid.model.WeightsState;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.io.SaeCheckpointException;
import dev.resid.sae.io.Stated;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which of the published SAEs some files are. Told by what the files state and where they lie, as
 * the catalogue of releases knows it, or by the person who names them; never by their numbers.
 */
public final class GivenSaes {
  private final PublishedTable table;
  private final SaeCatalogue catalogue;
  private final WeightsState weights;
  private final List<GivenSae> found = new ArrayList<>();
  private final List<String> unused = new ArrayList<>();

  /**
   * Prepares the search.
   *
   * @param table SAEs with published numbers
   * @param catalogue releases
   * @param weights state of the weights that the published SAEs were trained on, where a person
   *     says which SAE it is and its files do not state it
   */
  public GivenSaes(PublishedTable table, SaeCatalogue catalogue, WeightsState weights) {
    this.table = table;
    this.catalogue = catalogue;
    this.weights = weights;
  }

  /**
   * Adds what lies at a path.
   *
   * @param text a folder or file of an SAE, a folder of such, or {@code NAME=PATH} with the name of
   *     a published SAE
   * @throws IOException if it cannot be read, nobody says which SAE it is, or it is another than it
   *     is said to be
   * @throws IllegalArgumentException if a published SAE is given twice
   */
  public void add(String text) throws IOException {
    int equals = text.indexOf('=');
    if (equals > 0) {
      addNamed(text.substring(0, equals), Path.of(text.substring(equals + 1)));
      return;
    }
    Path path = Path.of(text);
    List<Path> inside = inside(path);
    if (inside.isEmpty()) {
      addFound(path);
    }
    for (Path one : inside) {
      addFound(one);
    }
  }

  /** Returns the SAEs in a folder that is none itself. */
  private static List<Path> inside(Path path) throws IOException {
    if (!Files.isDirectory(path) || Files.exists(path.resolve("cfg.json"))) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.filter(entry -> Files.exists(entry.resolve("cfg.json"))).sorted().toList();
    }
  }

  private void addFound(Path path) throws IOException {
    try (SaeCheckpoint checkpoint = SaeCheckpoint.open(path)) {
      Optional<SaeCatalogue.Entry> entry = catalogue.find(path, checkpoint.config());
      if (entry.isEmpty()) {
        throw new SaeCheckpointException(
            path
                + ": neither its files nor its place say which published SAE it is. Keep the"
                + " folders of Hugging Face's cache, or say it yourself: NAME="
                + path
                + " with one of "
                + names());
      }
      Optional<PublishedSae> published =
          table.saes().stream()
              .filter(sae -> sae.catalogue().contains(entry.get().name()))
              .findFirst();
      if (published.isEmpty()) {
        unused.add(entry.get().name());
        return;
      }
      add(published.get(), path, Stated.nothing(), checkpoint);
    }
  }

  private void addNamed(String name, Path path) throws IOException {
    PublishedSae published =
        table.saes().stream()
            .filter(sae -> sae.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new IOException(
                        "no number was published about an SAE called \""
                            + name
                            + "\"; the names are "
                            + names()));
    Stated stated = Stated.nothing().at(published.point()).on(weights);
    try (SaeCheckpoint checkpoint = SaeCheckpoint.open(path, stated)) {
      SaeConfig config = checkpoint.config();
      Optional<SaeCatalogue.Entry> entry = catalogue.find(path, config);
      boolean other =
          entry.isPresent()
              && !published.catalogue().isEmpty()
              && !published.catalogue().contains(entry.get().name());
      if (other || config.dSae() != published.dSae()) {
        throw new SaeCheckpointException(
            path
                + ": is not "
                + name
                + (other ? ", but " + entry.get().name() : ": it has " + config.dSae())
                + (other ? "" : " features, not " + published.dSae())
                + ". Correct the name before the =");
      }
      add(published, path, stated, checkpoint);
    }
  }

  private void add(PublishedSae published, Path path, Stated stated, SaeCheckpoint checkpoint)
      throws IOException {
    for (GivenSae earlier : found) {
      if (earlier.published().equals(published)) {
        throw new IllegalArgumentException(
            published.name() + " is given twice: " + earlier.path() + " and " + path);
      }
    }
    found.add(new GivenSae(published, path, stated, checkpoint.sha256()));
  }

  private String names() {
    return table.saes().stream().map(PublishedSae::name).collect(Collectors.joining(", "));
  }

  /** Returns what was found, in the order of the published table. */
  public List<GivenSae> all() {
    return table.saes().stream()
        .flatMap(sae -> found.stream().filter(given -> given.published().equals(sae)))
        .toList();
  }

  /** Returns SAEs of the catalogue that were given and have no published number here. */
  public List<String> unused() {
    return List.copyOf(unused);
  }
}

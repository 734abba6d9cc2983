package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.hub.HubFiles;
import dev.resid.hub.HubSnapshot;
import dev.resid.model.WeightsState;
import dev.resid.sae.Architecture;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.BeginningOfText;
import dev.resid.sae.SaeConfig.Provenance;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Every public release of SAEs for GPT-2 small, with the facts their files leave out; a resource of
 * the library, so nothing is fetched.
 *
 * @param entries all SAEs, release by release
 */
public record SaeCatalogue(List<Entry> entries) {
  private static final String RESOURCE = "gpt2-saes.tsv";
  private static final String UNSTATED = "-";

  /** Hugging Face's cache keeps a repository in a folder of this name, then snapshots/COMMIT. */
  private static final String CACHE_PREFIX = "models--";

  /**
   * One published SAE.
   *
   * @param release name of the release, for example {@code gpt2-small-res-jb}
   * @param id name of the SAE in it
   * @param repository where it is published, owner/name
   * @param folder its folder or file there, if known
   * @param point the activation it reads
   * @param dSae number of features
   * @param architecture how features come from pre-activations
   * @param k features kept by a top-k SAE
   * @param normalization what is done to inputs
   * @param weights the state of the model's weights it was trained on; empty where nobody states it
   * @param contextLength tokens of a training row
   * @param beginningOfText whether training rows began with the beginning-of-text token
   * @param neuronpediaId for example {@code gpt2-small/8-res-jb}
   * @param inputScale what inputs are multiplied by
   */
  public record Entry(
      String release,
      String id,
      String repository,
      Optional<String> folder,
      HookPoint point,
      int dSae,
      Architecture architecture,
      OptionalInt k,
      Normalization normalization,
      Optional<WeightsState> weights,
      OptionalInt contextLength,
      Optional<BeginningOfText> beginningOfText,
      Optional<String> neuronpediaId,
      OptionalDouble inputScale) {
    /** Returns release and id, {@code gpt2-small-res-jb/blocks.8.hook_resid_pre}. */
    public String name() {
      return release + "/" + id;
    }

    /**
     * Returns which files of the repository are this SAE: a folder as SAELens writes it, with
     * sparsity.safetensors if there is one, or a file of PyTorch with its configuration.
     *
     * @throws SaeCheckpointException if nobody states where in the repository it is
     */
    public HubFiles hubFiles() throws SaeCheckpointException {
      String at = requireFolder();
      return isFile()
          ? HubFiles.of(HookZReader.configOf(at), at)
          : HubFiles.of(at + "/" + SaeLensReader.CONFIG, at + "/" + SaeLensReader.WEIGHTS)
              .optional(at + "/" + SaeLensReader.SPARSITY);
    }

    /**
     * Returns what {@link SaeCheckpoint#open(Path)} opens, in the files of {@link #hubFiles}.
     *
     * @param snapshot the repository, on this machine
     * @throws SaeCheckpointException if nobody states where in the repository it is
     */
    public Path in(HubSnapshot snapshot) throws SaeCheckpointException {
      return snapshot.folder().resolve(requireFolder());
    }

    /** Some folders are called like a file, so the kind of release tells. */
    private boolean isFile() {
      return point.site() == Site.Z;
    }

    private String requireFolder() throws SaeCheckpointException {
      return folder.orElseThrow(
          () ->
              new SaeCheckpointException(
                  name()
                      + ": the catalogue does not know where it is in "
                      + repository
                      + "; fetch it by hand and name its folder"));
    }

    private boolean fits(SaeConfig config) {
      return point.equals(config.point())
          && dSae == config.dSae()
          && architecture == config.architecture()
          && normalization == config.normalization();
    }
  }

  /** Copies the list. */
  public SaeCatalogue {
    entries = List.copyOf(entries);
  }

  /**
   * Returns the catalogue of this library.
   *
   * @throws IOException if the resource cannot be read
   */
  public static SaeCatalogue load() throws IOException {
    try (InputStream in = SaeCatalogue.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new SaeCheckpointException(
            "this build of resid-sae lacks " + RESOURCE + ". Install it again");
      }
      List<Entry> entries = new ArrayList<>();
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
        if (!line.startsWith("#") && !line.startsWith("release\t") && !line.isBlank()) {
          entries.add(entry(line.split("\t")));
        }
      }
      return new SaeCatalogue(entries);
    }
  }

  /**
   * Returns the entry of a name, {@code gpt2-small-res-jb/blocks.8.hook_resid_pre}; empty if there
   * is none.
   *
   * @param name release and id
   */
  public Optional<Entry> named(String name) {
    return entries.stream().filter(entry -> entry.name().equals(name)).findFirst();
  }

  /** Returns the names of all releases, in the order of the catalogue. */
  public List<String> releases() {
    return entries.stream().map(Entry::release).distinct().toList();
  }

  /**
   * Returns the entry an SAE is, if it can be told: by its Neuronpedia id, or by lying in Hugging
   * Face's cache under the repository's name. Hook point, width, architecture and normalisation
   * must agree too.
   *
   * @param path where it lies
   * @param config what its files state
   */
  public Optional<Entry> find(Path path, SaeConfig config) {
    List<Entry> fitting = entries.stream().filter(entry -> entry.fits(config)).toList();
    Optional<String> id = config.provenance().neuronpediaId();
    Optional<Entry> byId =
        fitting.stream()
            .filter(entry -> id.isPresent() && id.equals(entry.neuronpediaId()))
            .findFirst();
    return byId.or(
        () -> fitting.stream().filter(entry -> isIn(entry, path.toAbsolutePath())).findFirst());
  }

  private static boolean isIn(Entry entry, Path path) {
    String cached = CACHE_PREFIX + entry.repository().replace("/", "--");
    for (int part = 0; part < path.getNameCount(); part++) {
      if (path.getName(part).toString().equals(cached)) {
        Path inside = path.subpath(part, path.getNameCount());
        return entry.folder().isEmpty() || inside.toString().contains(entry.folder().get());
      }
    }
    return false;
  }

  /**
   * Returns facts with what this catalogue knows in the place of what is not stated.
   *
   * @throws SaeCheckpointException if the caller states another state of the weights
   */
  SaeConfig complete(Path path, SaeConfig config, Stated stated) throws SaeCheckpointException {
    Optional<Entry> found = find(path, config);
    if (found.isEmpty()) {
      return config;
    }
    Entry entry = found.get();
    if (entry.weights().isPresent() && config.weights().equals(stated.weights())) {
      Points.settle(path, entry.weights(), stated.weights());
    }
    Provenance known = config.provenance();
    return new SaeConfig(
        entry.name(),
        config.architecture(),
        config.dIn(),
        config.dSae(),
        config.dOut(),
        config.k(),
        config.topKScale(),
        config.normalization(),
        config.normalization() == Normalization.EXPECTED_AVERAGE_NORM
            ? entry.inputScale().orElse(config.inputScale())
            : config.inputScale(),
        config.decoderBias(),
        config.point(),
        config.outputPoint(),
        config.weights().or(entry::weights),
        new Provenance(
            known.model().or(() -> Optional.of("gpt2-small")),
            known.contextLength().isPresent() ? known.contextLength() : entry.contextLength(),
            known.beginningOfText().or(entry::beginningOfText),
            known.neuronpediaId().or(entry::neuronpediaId)));
  }

  private static Entry entry(String[] cells) {
    return new Entry(
        cells[0],
        cells[1],
        cells[2],
        stated(cells[3]),
        HookPoint.parse(cells[4]),
        Integer.parseInt(cells[5]),
        Architecture.valueOf(upper(cells[6])),
        integer(cells[7]),
        Normalization.valueOf(upper(cells[8])),
        stated(cells[9])
            .map(
                name ->
                    switch (name) {
                      case "raw" -> WeightsState.RAW;
                      case "transformerlens" -> WeightsState.TRANSFORMER_LENS;
                      default -> throw new IllegalStateException("weights " + name);
                    }),
        integer(cells[10]),
        stated(cells[11]).map(rule -> BeginningOfText.valueOf(upper(rule))),
        stated(cells[12]),
        stated(cells[13])
            .map(scale -> OptionalDouble.of(Double.parseDouble(scale)))
            .orElse(OptionalDouble.empty()));
  }

  private static Optional<String> stated(String cell) {
    return cell.equals(UNSTATED) ? Optional.empty() : Optional.of(cell);
  }

  private static OptionalInt integer(String cell) {
    return cell.equals(UNSTATED) ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(cell));
  }

  private static String upper(String cell) {
    return cell.toUpperCase(Locale.ROOT);
  }
}

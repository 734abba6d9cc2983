package dev.resid.sae.io;

import dev.resid.io.DType;
import dev.resid.io.TensorFile;
import dev.resid.io.TensorInfo;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * An open SAE: configuration and headers are read and checked at once, weights when asked for. The
 * files say which of the published kinds they are: a SAELens folder of any generation, a state dict
 * of Apollo's e2e_sae, OpenAI's GPT-2 release, a folder of dictionary_learning or of EleutherAI's
 * sparsify. Nothing is guessed: what the files do not state, or state twice and differently, is an
 * error.
 *
 * <pre>{@code
 * Sae sae = SaeCheckpoint.load(Path.of("saes/blocks.8.hook_resid_pre"), backend);
 * }</pre>
 */
public final class SaeCheckpoint implements AutoCloseable {
  private final SaeContents contents;
  private final SaeFolder folder;

  private SaeCheckpoint(SaeContents contents, SaeFolder folder) {
    this.contents = contents;
    this.folder = folder;
  }

  /**
   * Returns the open SAE.
   *
   * @param path a folder, or the file of weights itself
   * @throws SaeCheckpointException if the files are of no known kind, incomplete or contradictory,
   *     or leave open which activation the SAE reads
   * @throws IOException if a file is missing, damaged or cannot be read
   */
  public static SaeCheckpoint open(Path path) throws IOException {
    return open(path, Stated.nothing());
  }

  /**
   * Returns the open SAE, with facts that its files may not state.
   *
   * @param path a folder, or the file of weights itself
   * @param stated what the caller knows
   * @throws SaeCheckpointException if the files are of no known kind, incomplete, contradictory or
   *     contradict the caller
   * @throws IOException if a file is missing, damaged or cannot be read
   */
  public static SaeCheckpoint open(Path path, Stated stated) throws IOException {
    if (Files.notExists(path)) {
      throw new SaeCheckpointException(
          path + ": there is no such file or folder; check the path of the SAE");
    }
    boolean isFolder = Files.isDirectory(path);
    Path dir = isFolder ? path : path.toAbsolutePath().getParent();
    if (!isFolder && !path.isAbsolute()) {
      dir = path.getParent() == null ? Path.of("") : path.getParent();
    }
    SaeFolder.Disk folder = new SaeFolder.Disk(dir);
    SaeContents contents =
        isFolder
            ? SaeKinds.ofFolder(folder, stated)
            : SaeKinds.ofFile(folder, path.getFileName().toString(), stated);
    try {
      SaeConfig config = SaeCatalogue.load().complete(path, contents.config(), stated);
      return new SaeCheckpoint(contents.with(config), folder);
    } catch (IOException | RuntimeException | Error e) {
      contents.file().close();
      throw e;
    }
  }

  /** Opens a SAELens folder of the class path. */
  static SaeCheckpoint open(SaeFolder folder, Stated stated) throws IOException {
    return new SaeCheckpoint(SaeLensReader.read(folder, stated), folder);
  }

  /**
   * Returns an SAE loaded to a backend.
   *
   * @param path a folder, or the file of weights itself
   * @param backend where it runs
   * @throws IOException as {@link #open(Path)}, or if a weight is not finite
   */
  public static Sae load(Path path, Backend backend) throws IOException {
    return load(path, Stated.nothing(), backend);
  }

  /**
   * Returns an SAE loaded to a backend, with facts that its files may not state.
   *
   * @param path a folder, or the file of weights itself
   * @param stated what the caller knows
   * @param backend where it runs
   * @throws IOException as {@link #open(Path, Stated)}, or if a weight is not finite
   */
  public static Sae load(Path path, Stated stated, Backend backend) throws IOException {
    try (SaeCheckpoint checkpoint = open(path, stated)) {
      return checkpoint.load(backend);
    }
  }

  /**
   * Writes a folder in the layout of SAELens 6, which Python's SAELens and {@link #open(Path)}
   * load.
   *
   * @param sae the SAE
   * @param dtype F32, F16 or BF16; narrower than F32 rounds to nearest even
   * @param dir folder to write cfg.json and sae_weights.safetensors into; made if missing
   * @throws IOException if it cannot be written; nothing half-written is left
   * @throws IllegalArgumentException as {@link #save(SaeConfig, SaeWeights, DType, Path)}
   */
  public static void save(Sae sae, DType dtype, Path dir) throws IOException {
    save(sae.config(), sae.weights(), dtype, dir);
  }

  /**
   * Writes a folder in the layout of SAELens 6, which Python's SAELens and {@link #open(Path)}
   * load.
   *
   * @param config the facts
   * @param weights the parameters
   * @param dtype F32, F16 or BF16; narrower than F32 rounds to nearest even
   * @param dir folder to write cfg.json and sae_weights.safetensors into; made if missing
   * @throws IOException if it cannot be written; nothing half-written is left
   * @throws IllegalArgumentException if the dtype is none of the three, a weight is too large for
   *     it, or the layout has no place for it: a skip connection without transcoder, or a
   *     transcoder of an architecture that SAELens lacks
   */
  public static void save(SaeConfig config, SaeWeights weights, DType dtype, Path dir)
      throws IOException {
    SaeLensWriter.write(config, weights, dtype, dir);
  }

  /** Returns the facts; no weights are read for them. */
  public SaeConfig config() {
    return contents.config();
  }

  /** Returns what kind of file it is, for example {@code SAELens 6}. */
  public String format() {
    return contents.format();
  }

  /**
   * Returns the entries of the parameters in the file.
   *
   * @throws IOException if the file was closed
   */
  public Map<SaeWeight, TensorInfo> tensors() throws IOException {
    Map<SaeWeight, TensorInfo> entries = new EnumMap<>(SaeWeight.class);
    for (StoredWeight weight : contents.stored().values()) {
      entries.put(weight.weight(), weight.info());
    }
    return entries;
  }

  /**
   * Returns the parameters, read from the file and brought into the form of our formulas.
   *
   * @throws IOException if a value is not finite, or values contradict the configuration
   */
  public SaeWeights weights() throws IOException {
    return contents.read();
  }

  /**
   * Returns this SAE loaded to a backend.
   *
   * @param backend where it runs
   * @throws IOException as {@link #weights}
   */
  public Sae load(Backend backend) throws IOException {
    return Sae.of(contents.config(), weights(), backend);
  }

  /**
   * Returns log10 of how often each feature was active in training, [d_sae], if a SAELens folder
   * has it in sparsity.safetensors; −10 is never.
   *
   * @throws IOException if that file is damaged or of another length
   */
  public Optional<float[]> logFrequencies() throws IOException {
    if (!contents.format().startsWith("SAELens") || !folder.has(SaeLensReader.SPARSITY)) {
      return Optional.empty();
    }
    try (TensorFile file = folder.tensors(SaeLensReader.SPARSITY)) {
      return Optional.of(
          file.tensor("sparsity", Shape.of(Axis.D_SAE, contents.config().dSae())).toArray());
    }
  }

  /**
   * Returns the SHA-256 of the file of weights, hexadecimal.
   *
   * @throws IOException if it cannot be read
   */
  public String sha256() throws IOException {
    return folder.sha256(contents.weightFile());
  }

  /** Ends the mapping of the file. */
  @Override
  public void close() {
    contents.file().close();
  }
}

package dev.resid.model;

import dev.resid.hub.HubFiles;
import dev.resid.io.AtomicFiles;
import dev.resid.io.DType;
import dev.resid.io.ReadFailure;
import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.io.TensorFile;
import dev.resid.io.TensorInfo;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.TokenizerSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * An open Hugging Face GPT-2 directory: configuration and headers are read and checked at once,
 * weights when asked for, from the mapped files.
 */
public final class Gpt2Checkpoint implements AutoCloseable {
  private static final Pattern BLOCK = Pattern.compile("(?:transformer\\.)?h\\.([0-9]{1,9})\\..*");
  private static final String PREFIX = "transformer.";
  private static final String RESOURCE = "/dev/resid/model/embedded/";

  private final Gpt2Config config;
  private final Map<String, TensorFile> files;
  private final String prefix;
  private final Path dir;
  private final Optional<ByteLevelBpe> tokenizer;
  private final ModelSource source;

  private Gpt2Checkpoint(
      Path dir,
      Gpt2Config config,
      Map<String, TensorFile> files,
      Optional<ByteLevelBpe> tokenizer,
      ModelSource source)
      throws CheckpointException {
    this.dir = dir;
    this.config = config;
    this.files = files;
    this.tokenizer = tokenizer;
    this.source = source;
    this.prefix = files.containsKey(PREFIX + "wte.weight") ? PREFIX : "";
    new CheckpointCheck(this, files).require();
  }

  /**
   * Returns the open directory.
   *
   * @param dir holds config.json and model.safetensors, or shards with their index, or, if there is
   *     neither, pytorch_model.bin
   * @throws IOException if a file is missing, damaged, or does not fit the configuration
   */
  public static Gpt2Checkpoint open(Path dir) throws IOException {
    if (Files.exists(dir) && !Files.isDirectory(dir)) {
      throw new CheckpointException(dir + ": is a file; name the folder of the model");
    }
    if (!Files.isDirectory(dir)) {
      throw new CheckpointException(dir + ": there is no such folder; check the path of the model");
    }
    Path configFile = dir.resolve("config.json");
    if (!Files.isRegularFile(configFile)) {
      throw new CheckpointException(
          configFile + ": a GPT-2 folder needs config.json; is this the model's folder?");
    }
    Gpt2Config config = Gpt2ConfigFile.parse(configFile, ReadFailure.bytes(configFile));
    List<Path> weightFiles = CheckpointShards.find(dir);
    Map<String, TensorFile> files = CheckpointShards.open(dir, weightFiles);
    try {
      return new Gpt2Checkpoint(
          dir,
          config,
          files,
          tokenizerOf(dir),
          new ModelSource.Directory(dir.toString(), weightFiles));
    } catch (IOException | RuntimeException e) {
      CheckpointShards.close(files);
      throw e;
    }
  }

  /**
   * Returns which files of a repository of the Hugging Face hub are a model: the configuration,
   * which must be that of a GPT-2, then the weights in one file or several, or in PyTorch's format
   * where there is no other, then the tokenizer.
   */
  public static HubFiles hubFiles() {
    return HubFiles.of()
        .required(
            "config.json",
            file -> {
              Gpt2ConfigFile.parse(file, ReadFailure.bytes(file));
              return List.of();
            })
        .firstOf(CheckpointShards.NAMES, CheckpointShards::named)
        .optional(
            "tokenizer.json",
            "tokenizer_config.json",
            "vocab.json",
            "merges.txt",
            "special_tokens_map.json",
            "added_tokens.json",
            "generation_config.json");
  }

  /**
   * Returns the model that ships with the library.
   *
   * @throws IOException if the resource cannot be read
   */
  public static Gpt2Checkpoint embedded() throws IOException {
    byte[] weights = resource("model.safetensors");
    Gpt2Config config =
        Gpt2ConfigFile.parse(Path.of("embedded", "config.json"), resource("config.json"));
    Safetensors file = Safetensors.of(Path.of("embedded", "model.safetensors"), weights);
    Map<String, TensorFile> files = new TreeMap<>();
    file.names().forEach(name -> files.put(name, file));
    return new Gpt2Checkpoint(
        Path.of("embedded"),
        config,
        files,
        Optional.of(
            ByteLevelBpe.load(
                TokenizerSource.classpath(Gpt2Checkpoint.class, "/dev/resid/model/embedded"))),
        new ModelSource.Fixed("embedded", sha256(weights)));
  }

  /**
   * Writes a directory that loads again with the same bits.
   *
   * @param weights raw weights; rewritten ones have a bias the format has no place for
   * @param dtype F32, F16 or BF16; narrower than F32 rounds to nearest even
   * @param dir folder to write config.json and model.safetensors into; made if missing
   * @throws IOException if it cannot be written; nothing half-written is left
   * @throws IllegalStateException if the weights are rewritten
   * @throws IllegalArgumentException if the dtype is none of the three, or a weight is too large
   *     for it
   */
  public static void save(Gpt2Weights weights, DType dtype, Path dir) throws IOException {
    if (!weights.state().equals(WeightsState.RAW)) {
      throw new IllegalStateException(
          "weights in state "
              + weights.state().name()
              + " cannot be saved: the format has no b_U. Save the raw model");
    }
    String name =
        switch (dtype) {
          case F32 -> "float32";
          case F16 -> "float16";
          case BF16 -> "bfloat16";
          default ->
              throw new IllegalArgumentException(
                  "a checkpoint cannot be saved as " + dtype + ", only as F32, F16 or BF16");
        };
    Gpt2Config config = weights.config();
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    asInFile(config, weights::get)
        .forEach(
            (weight, tensor) -> {
              String prefix = weight.name() == WeightNames.W_U ? "" : PREFIX;
              writer.add(prefix + weight.fileKey(), tensor, dtype);
            });
    Files.createDirectories(dir);
    writer.write(dir.resolve("model.safetensors"));
    AtomicFiles.write(dir.resolve("config.json"), Gpt2ConfigFile.write(config, name));
  }

  /** Returns what config.json says. */
  public Gpt2Config config() {
    return config;
  }

  /**
   * Returns the key under which this checkpoint keeps a weight; query, key and value weights of a
   * block share one.
   *
   * @param weight any weight but b_U, which no checkpoint has
   */
  public String keyOf(Weight weight) {
    return key(weight);
  }

  /** Returns the tokenizer beside the weights, if there is one. */
  public Optional<ByteLevelBpe> tokenizer() {
    return tokenizer;
  }

  /** Returns the entries of all tensors in the weight files, by name. */
  public Map<String, TensorInfo> tensors() {
    Map<String, TensorInfo> entries = new TreeMap<>();
    files.forEach(
        (name, file) -> {
          try {
            entries.put(name, file.entry(name));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    return entries;
  }

  /** Returns the weights; they can be read until this checkpoint is closed. */
  public Gpt2Weights weights() {
    return new Gpt2Weights(
        config,
        WeightsState.RAW,
        weight -> {
          try {
            return read(weight);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** Ends the mapping of the files. */
  @Override
  public void close() {
    CheckpointShards.close(files);
  }

  Path dir() {
    return dir;
  }

  ModelSource source() {
    return source;
  }

  /**
   * Returns weights, or their gradients, as a checkpoint keeps them: by key without prefix, query,
   * key and value side by side, the unembedding only where it is not tied.
   *
   * @param config the architecture
   * @param values the value of every weight, in the shape of its table row
   */
  public static Map<Weight, Tensor> asInFile(Gpt2Config config, Function<Weight, Tensor> values) {
    return FileLayout.of(config, values);
  }

  private Tensor read(Weight weight) throws IOException {
    return switch (weight.name()) {
      case b_U -> Tensor.zeros(weight.name().shape(config));
      case W_U ->
          config.embeddings() == Embeddings.TIED
              ? read(Weight.of(WeightNames.W_E))
              : mapped(weight);
      default -> weight.name().isFused() ? third(weight) : mapped(weight);
    };
  }

  Tensor mapped(Weight weight) throws IOException {
    return file(weight).mapped(key(weight), fileShape(weight));
  }

  /** Returns a third of the columns of attn.c_attn. */
  private Tensor third(Weight weight) throws IOException {
    int width = config.dModel();
    Storage third =
        new ColumnWindow(
            mapped(weight).storage(), 3 * width, weight.name().fusedThird() * width, width);
    return Tensor.on(weight.name().shape(config), third);
  }

  private TensorFile file(Weight weight) {
    return files.get(key(weight));
  }

  String key(Weight weight) {
    return weight.name() == WeightNames.W_U ? weight.fileKey() : prefix + weight.fileKey();
  }

  Shape fileShape(Weight weight) {
    Shape shape = weight.name().shape(config);
    return weight.name().isFused() ? shape.with(Axis.OUT, 3 * config.dModel()) : shape;
  }

  private static Optional<ByteLevelBpe> tokenizerOf(Path dir) throws IOException {
    for (String name : List.of("tokenizer.json", "vocab.json", "encoder.json")) {
      if (Files.exists(dir.resolve(name))) {
        return Optional.of(ByteLevelBpe.load(dir));
      }
    }
    return Optional.empty();
  }

  private static InputStream stream(String name) throws IOException {
    InputStream in = Gpt2Checkpoint.class.getResourceAsStream(RESOURCE + name);
    if (in == null) {
      throw new CheckpointException(
          "this build of resid-core has no embedded model (" + RESOURCE + name + ")");
    }
    return in;
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = stream(name)) {
      return in.readAllBytes();
    }
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of()
          .formatHex(java.security.MessageDigest.getInstance("SHA-256").digest(content))
          .toLowerCase(Locale.ROOT);
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }
}

package dev.resid.experiments.cli;

import dev.resid.io.AtomicFiles;
import dev.resid.io.FileHash;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** What a training command writes about itself beside its results: {@value #FILE}. */
final class TrainingRecord {
  /** The file name. */
  static final String FILE = "training.json";

  private final Map<String, Object> values = new LinkedHashMap<>();

  /**
   * Begins a record.
   *
   * @param command the command line
   */
  TrainingRecord(String command) {
    values.put("command", command);
  }

  /** Adds a value and returns this record. */
  TrainingRecord with(String name, Object value) {
    values.put(name, value);
    return this;
  }

  /**
   * Adds when it began, or was last resumed, and that it ended now, and returns this record.
   *
   * @param start the beginning
   */
  TrainingRecord withTimes(Instant start) {
    return with("started", start.toString()).with("finished", Instant.now().toString());
  }

  /** Adds the hashes of files, by their names, and returns this record. */
  TrainingRecord withHashes(String name, List<Path> files) throws IOException {
    Map<String, String> hashes = new LinkedHashMap<>();
    for (Path file : files) {
      hashes.put(String.valueOf(file.getFileName()), "sha256:" + FileHash.sha256(file));
    }
    return with(name, hashes);
  }

  /** Writes the file in a folder. */
  void write(Path folder) throws IOException {
    JsonMapper json = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    AtomicFiles.write(folder.resolve(FILE), json.writeValueAsString(values) + "\n");
  }
}

package dev.resid.experiments.result;

import dev.resid.io.AtomicFiles;
import dev.resid.io.Printable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What was run, with what, by which build and how long it took.
 *
 * @param command the command, for example {@code sensitivity}
 * @param settings everything that the numbers depend on
 * @param facts what else is worth knowing: where files were, dims, the backend's description
 * @param shard which part of the run this is, {@code 0/1} for all of it
 * @param build which build of the library
 * @param started when the run began first
 * @param finished when it was complete; empty while it is not
 * @param computingSeconds time spent on the finished blocks, over all processes that worked on them
 */
public record RunRecord(
    String command,
    Settings settings,
    Settings facts,
    String shard,
    BuildInfo build,
    Instant started,
    Optional<Instant> finished,
    double computingSeconds) {
  /** The file name in an output folder. */
  public static final String FILE = "run.json";

  /** The fact that lists the devices of a run, where it has any beside the processor. */
  public static final String DEVICES = "devices";

  private static final String FORMAT = "resid-run/2";
  private static final String CHECKSUM = "sha256";
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** Checks that nothing is missing. */
  public RunRecord {
    Objects.requireNonNull(command, "command");
    Objects.requireNonNull(settings, "settings");
    Objects.requireNonNull(facts, "facts");
    Objects.requireNonNull(shard, "shard");
    Objects.requireNonNull(build, "build");
    started = started.truncatedTo(ChronoUnit.SECONDS);
    finished = finished.map(time -> time.truncatedTo(ChronoUnit.SECONDS));
  }

  /** Returns the record of a run that begins now, of the running build. */
  public static RunRecord begin(String command, Settings settings, Settings facts, String shard) {
    return new RunRecord(
        command, settings, facts, shard, BuildInfo.current(), Instant.now(), Optional.empty(), 0);
  }

  /**
   * Returns this record of a run that is now complete.
   *
   * @param seconds time spent on its blocks
   */
  public RunRecord finish(double seconds) {
    return new RunRecord(
        command,
        settings,
        facts,
        shard,
        build,
        started,
        Optional.of(finished.orElseGet(Instant::now)),
        seconds);
  }

  /** Returns the devices that the run has computed on; none for the processor. */
  public List<String> devices() {
    return facts.has(DEVICES) ? facts.list(DEVICES) : List.of();
  }

  /**
   * Returns this record with more devices. Numbers do not depend on how many there are, so they are
   * no settings.
   *
   * @param more those that it has already are left out
   */
  public RunRecord withDevices(List<String> more) {
    return new RunRecord(
        command,
        settings,
        facts.withMore(DEVICES, more),
        shard,
        build,
        started,
        finished,
        computingSeconds);
  }

  /** Returns this record with another beginning and end, those of a record read from a file. */
  RunRecord withTimesOf(RunRecord other) {
    return new RunRecord(
        command,
        settings,
        facts,
        shard,
        build,
        other.started,
        other.finished,
        other.computingSeconds);
  }

  /**
   * Writes {@value #FILE} in a folder.
   *
   * @throws IOException if it cannot be written; the old file is then as before
   */
  public void write(Path folder) throws IOException {
    AtomicFiles.write(folder.resolve(FILE), toJson() + "\n");
  }

  /**
   * Returns the record in a folder.
   *
   * @throws IOException if there is none, it is no run record, or its checksum is that of another
   *     text; the message names the file
   */
  public static RunRecord read(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    String text = RunFiles.text(file);
    try {
      JsonNode json = JSON.readTree(text);
      String format = json.path("format").asString("");
      if (!format.equals(FORMAT)) {
        throw new IOException(
            file
                + ": format is "
                + Printable.quoted(format)
                + ", expected \""
                + FORMAT
                + "\"; it is not a run of"
                + " this version");
      }
      JsonNode build = json.required("build");
      RunRecord record =
          new RunRecord(
              RunFiles.text(json, "command"),
              Settings.of(json.required("settings"), file),
              Settings.of(json.required("facts"), file),
              RunFiles.text(json, "shard"),
              new BuildInfo(RunFiles.text(build, "version"), RunFiles.text(build, "commit")),
              Instant.parse(RunFiles.text(json, "started")),
              json.required("finished").isNull()
                  ? Optional.empty()
                  : Optional.of(Instant.parse(RunFiles.text(json, "finished"))),
              json.required("computing_seconds").doubleValue());
      if (!RunFiles.text(json, CHECKSUM).equals(checksum(json))) {
        throw new IOException(
            file
                + ": is damaged or was changed: its content is not that of its checksum. Restore"
                + " it, or remove the folder and run again");
      }
      return record;
    } catch (JacksonException | IllegalArgumentException | java.time.DateTimeException e) {
      throw new IOException(
          file
              + ": is not a run record: "
              + Printable.line(e.getMessage().lines().findFirst().orElse("")),
          e);
    }
  }

  /** Returns the SHA-256 of all fields but the one for it, however they are laid out in lines. */
  private static String checksum(JsonNode record) {
    ObjectNode covered = record.asObject().deepCopy();
    covered.remove(CHECKSUM);
    try {
      byte[] text = covered.toString().getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  /** Returns the JSON text; its last field is a checksum of the others. */
  public String toJson() {
    ObjectNode json = JSON.createObjectNode();
    json.put("format", FORMAT);
    json.put("command", command);
    json.set("settings", settings.toJson());
    json.set("facts", facts.toJson());
    json.put("shard", shard);
    json.putObject("build").put("version", build.version()).put("commit", build.commit());
    json.put("started", started.toString());
    json.put("finished", finished.map(Instant::toString).orElse(null));
    json.put("computing_seconds", Math.round(computingSeconds * 1000) / 1000.0);
    json.put(CHECKSUM, checksum(json));
    return JSON.writeValueAsString(json);
  }
}

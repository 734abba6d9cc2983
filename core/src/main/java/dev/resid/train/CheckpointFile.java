package dev.resid.train;

import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * The file in which a training writes down how far it is: {@value #NAME} in a folder. It is
 * replaced whole or not at all, and ends in a checksum, so that a checkpoint of which a disk
 * returns other bits is an error and not another result.
 */
public final class CheckpointFile {
  /** Its name in the folder. */
  public static final String NAME = "state.safetensors";

  private static final String PLAN = "plan";
  private static final String STEP = "step";
  private static final String ADVICE =
      ". Delete this checkpoint, and the same training starts anew";

  private final Path file;

  /**
   * Names the file; nothing is read or made.
   *
   * @param folder where it is or will be
   */
  public CheckpointFile(Path folder) {
    this.file = folder.resolve(NAME);
  }

  /** Returns whether there is a file. */
  public boolean exists() {
    return Files.exists(file);
  }

  /**
   * Writes a checkpoint, replacing the one before only when it is complete.
   *
   * @param writer with everything but plan, step and checksum
   * @param plan one line that two trainings share only if they do the same
   * @param step steps done
   * @throws IOException if it cannot be written; the one before stays
   */
  public void write(SafetensorsWriter writer, String plan, long step) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    writer.metadata(PLAN, plan).metadata(STEP, Long.toString(step)).withChecksum().write(file);
  }

  /**
   * Returns the open file, after reading all of it.
   *
   * @param plan of the training that is to go on
   * @throws IOException if the file cannot be read or any bit of it is damaged
   * @throws IllegalArgumentException if it belongs to another plan
   */
  public Safetensors open(String plan) throws IOException {
    Safetensors opened = openWhole();
    try {
      String found = text(opened, PLAN);
      if (!plan.equals(found)) {
        throw new IllegalArgumentException(
            file
                + " belongs to another training run ("
                + TrainingPlan.firstDifference(plan, found)
                + "); use another folder or the same options");
      }
      return opened;
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  private Safetensors openWhole() throws IOException {
    Optional<Safetensors> opened = Optional.empty();
    try {
      opened = Optional.of(Safetensors.open(file));
      opened.get().requireChecksum();
      return opened.get();
    } catch (IOException e) {
      opened.ifPresent(Safetensors::close);
      throw new IOException(e.getMessage() + ADVICE, e);
    }
  }

  /**
   * Requires that the training saw the same as the one that is to go on.
   *
   * @param opened this file
   * @param key of a line in its metadata
   * @param own the line of the training that is to go on
   * @param what the line stands for, for example {@code text}
   * @throws IOException if the file has no such line
   * @throws IllegalArgumentException if the line is another one
   */
  public void require(Safetensors opened, String key, String own, String what) throws IOException {
    if (!own.equals(text(opened, key))) {
      throw new IllegalArgumentException(
          file
              + " belongs to a training run with another "
              + what
              + "; use another folder, or what it was begun with");
    }
  }

  /**
   * Returns the number of steps done.
   *
   * @param opened this file
   * @throws IOException if it does not say
   */
  public long step(Safetensors opened) throws IOException {
    String step = text(opened, STEP);
    if (!step.matches("\\d{1,18}")) {
      throw damaged(STEP);
    }
    return Long.parseLong(step);
  }

  /**
   * Adds rows of numbers to the metadata, every bit of them.
   *
   * @param writer of the file
   * @param key of the line
   * @param rows of one length, which {@link #numbers} must be told
   */
  public static void putNumbers(SafetensorsWriter writer, String key, List<double[]> rows) {
    StringJoiner line = new StringJoiner(" ");
    for (double[] row : rows) {
      line.add(String.join(",", Arrays.stream(row).mapToObj(Double::toString).toList()));
    }
    writer.metadata(key, line.toString());
  }

  /**
   * Returns rows of numbers from the metadata.
   *
   * @param opened this file
   * @param key of the line
   * @param width numbers a row
   * @throws IOException if they are missing or are no such rows
   */
  public List<double[]> numbers(Safetensors opened, String key, int width) throws IOException {
    List<double[]> rows = new ArrayList<>();
    String line = text(opened, key);
    try {
      for (String row : line.isEmpty() ? new String[0] : line.split(" ")) {
        rows.add(Arrays.stream(row.split(",")).mapToDouble(Double::parseDouble).toArray());
      }
    } catch (NumberFormatException e) {
      throw damaged(key);
    }
    if (rows.stream().anyMatch(row -> row.length != width)) {
      throw damaged(key);
    }
    return rows;
  }

  private String text(Safetensors opened, String key) throws IOException {
    String text = opened.metadata().get(key);
    if (text == null) {
      throw damaged(key);
    }
    return text;
  }

  private IOException damaged(String key) {
    return new IOException(
        file + ": key __metadata__." + key + ": it is missing, or no such thing" + ADVICE);
  }
}

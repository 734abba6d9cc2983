package dev.resid.train;

import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * The file in which a training writes down how far it is: {@value #NAME} in a folder, and beside it
 * the one before, {@value #PREVIOUS}. It is replaced whole or not at all, and ends in a checksum,
 * so that a disk that returns other bits never leads to another result: the training then goes on
 * from the one before, and where that is damaged too, it is an error.
 */
public final class CheckpointFile {
  /** Its name in the folder. */
  public static final String NAME = "state.safetensors";

  /** The name of the one before. */
  public static final String PREVIOUS = "previous.safetensors";

  private static final String PLAN = "plan";
  private static final String STEP = "step";
  private static final String ADVICE =
      ". Delete this checkpoint, and the same training starts anew";
  private static final String ADVICE_FOR_BOTH =
      ". Delete both checkpoints, and the same training starts anew";

  private final Path newest;
  private final Path previous;

  /** The one that was opened. */
  private Path file;

  private Optional<String> passedOver = Optional.empty();

  /**
   * Names the files; nothing is read or made.
   *
   * @param folder where they are or will be
   */
  public CheckpointFile(Path folder) {
    this.newest = folder.resolve(NAME);
    this.previous = folder.resolve(PREVIOUS);
    this.file = newest;
  }

  /** Returns whether there is a checkpoint. */
  public boolean exists() {
    return Files.exists(newest) || Files.exists(previous);
  }

  /**
   * Returns a sentence about a damaged checkpoint that {@link #open} passed over in favour of the
   * one before; empty if it did not.
   */
  public Optional<String> passedOver() {
    return passedOver;
  }

  /**
   * Writes a checkpoint. The newest so far becomes the one before, unless it is damaged; at every
   * moment one of the two is whole.
   *
   * @param writer with everything but plan, step and checksum
   * @param plan one line that two trainings share only if they do the same
   * @param step steps done
   * @throws IOException if it cannot be written; the newest so far stays, under one of the names
   */
  public void write(SafetensorsWriter writer, String plan, long step) throws IOException {
    Files.createDirectories(newest.toAbsolutePath().getParent());
    keepNewest();
    writer.metadata(PLAN, plan).metadata(STEP, Long.toString(step)).withChecksum().write(newest);
  }

  /**
   * Makes the newest the one before. It is moved before the next is written, and not after, so that
   * no disk needs room for three.
   */
  private void keepNewest() throws IOException {
    // A link to another disk stays one.
    if (!Files.isRegularFile(newest, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try {
      whole(newest).close();
    } catch (IOException e) {
      return; // the one before may be the last that is whole
    }
    try {
      Files.move(newest, previous, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      throw new FileSystemException(
          previous.toString(), null, e.getReason() == null ? "cannot be replaced" : e.getReason());
    }
  }

  /**
   * Returns the open file, after reading all of it: the newest, or the one before if the newest is
   * damaged or was never written.
   *
   * @param plan of the training that is to go on
   * @throws IOException if no checkpoint can be read without damage
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
    file = Files.exists(newest) ? newest : previous;
    IOException damage;
    try {
      return whole(file);
    } catch (IOException e) {
      if (file.equals(previous) || !Files.exists(previous)) {
        throw new IOException(e.getMessage() + ADVICE, e);
      }
      damage = e;
    }
    file = previous;
    try {
      Safetensors opened = whole(previous);
      passedOver =
          Optional.of(
              damage.getMessage()
                  + ". The training goes on from the checkpoint before it, "
                  + previous
                  + "; the result is the same");
      if (!Files.isRegularFile(newest, LinkOption.NOFOLLOW_LINKS)) {
        Files.delete(newest); // a folder or a link, which no file could take the place of
      }
      return opened;
    } catch (IOException e) {
      throw new IOException(damage.getMessage() + "; and " + e.getMessage() + ADVICE_FOR_BOTH, e);
    }
  }

  private static Safetensors whole(Path file) throws IOException {
    Safetensors opened = Safetensors.open(file);
    try {
      opened.requireChecksum();
      return opened;
    } catch (IOException e) {
      opened.close();
      throw e;
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

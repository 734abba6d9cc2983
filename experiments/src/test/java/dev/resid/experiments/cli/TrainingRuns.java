package dev.resid.experiments.cli;

import dev.resid.io.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A training command with its fixed words, for the tests of both. */
record TrainingRuns(String words, List<Path> inputs) {
  /** Text that is learnt in a few steps. */
  static final String TEXT =
      "The cat sat on the mat and the dog sat on the log.\n".repeat(20)
          + "<|endoftext|>\n"
          + "A cat and a dog sat on a mat, and the mat was flat.\n".repeat(20);

  /**
   * Names the words.
   *
   * @param words the command with options that make it small
   * @param inputs options and paths, one after the other
   */
  static TrainingRuns of(String words, Object... inputs) {
    return new TrainingRuns(
        words, Arrays.stream(inputs).map(input -> Path.of(input.toString())).toList());
  }

  /** Trains with more options. */
  CliRun train(Path out, String options, Object... more) {
    return CliRun.of(line(out, options, more));
  }

  private String[] line(Path out, String options, Object... more) {
    return Stream.of(
            Arrays.stream((words + " " + options).split(" ")),
            Stream.concat(inputs.stream(), Stream.of("--out", out)),
            Arrays.stream(more))
        .flatMap(each -> each)
        .map(String::valueOf)
        .toArray(String[]::new);
  }

  /** Returns the checkpoint of a training. */
  static Path state(Path out) {
    return out.resolve("checkpoint/state.safetensors");
  }

  /** Returns the checkpoint before it. */
  static Path previous(Path out) {
    return out.resolve("checkpoint/previous.safetensors");
  }

  /** Returns the record of a training. */
  static JsonNode record(Path out) throws IOException {
    return new JsonMapper().readTree(Files.readString(out.resolve("training.json")));
  }

  /**
   * Starts a training in a process of its own, kills it, and returns the steps of its checkpoint.
   */
  long stepsWhenKilled(Path out, String options) throws IOException, InterruptedException {
    Path log = out.resolveSibling("log.txt");
    ChildRun child = ChildRun.start(0, log, line(out, options));
    child.await(state(out));
    child.killAfter(0);
    if (!Files.exists(state(out))) {
      throw new AssertionError(Files.readString(log));
    }
    try (Safetensors file = Safetensors.open(state(out))) {
      return Long.parseLong(file.metadata().get("step"));
    }
  }

  /** Requires that a finished training with any one bit of its checkpoint changed is refused. */
  void requireEveryBitCounts(Path out, String options, long seed) throws IOException {
    Path state = state(out);
    byte[] sound = Files.readAllBytes(state);
    Files.deleteIfExists(previous(out)); // there by the clock, where the machine was slow
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 12; i++) {
      byte[] damaged = sound.clone();
      // The beginning and the end, and ten places between them.
      int at = i == 0 ? 0 : i == 1 ? sound.length - 1 : random.nextInt(sound.length);
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      Files.write(state, damaged);
      try {
        train(out, options).refused(state + ": ", "Delete this checkpoint");
      } catch (AssertionError e) {
        throw new AssertionError("a bit of byte " + at + ", seed " + seed, e);
      }
    }
    Files.write(state, Arrays.copyOf(sound, sound.length - 9));
    train(out, options).refused(state + ": ", "Delete this checkpoint");
    Files.delete(state);
    train(out, options).ok();
    if (!Arrays.equals(sound, Files.readAllBytes(state))) {
      throw new AssertionError("a training that started anew ends in another checkpoint");
    }
  }

  /**
   * Requires that a training whose newest checkpoint is damaged or lost goes on from the one before
   * to the same bytes, says so, and is refused where both are damaged.
   *
   * @param options with at least two checkpoints
   */
  void requireTheOneBeforeIsTakenUp(Path out, String options) throws IOException {
    train(out, options).ok();
    Path state = state(out);
    Path previous = previous(out);
    byte[] sound = Files.readAllBytes(state);
    byte[] before = Files.readAllBytes(previous);
    byte[] changed = sound.clone();
    changed[sound.length / 2] ^= 1;
    for (byte[] damaged : List.of(changed, Arrays.copyOf(sound, sound.length - 9), new byte[0])) {
      Files.write(state, damaged);
      train(out, options)
          .noted(state + ": ", "goes on from the checkpoint before it, " + previous + "; ");
      requireBytes(sound, state);
      requireBytes(before, previous);
    }
    for (Unreadable way : Unreadable.here()) {
      way.make(state);
      CliRun run = train(out, options);
      if (run.exitCode() != ResidCommand.OK) {
        throw new AssertionError(way + ": " + run);
      }
      requireBytes(sound, state);
    }
    Files.delete(state);
    train(out, options).ok(); // a process that is killed while it writes leaves it like that
    requireBytes(sound, state);
    before[before.length - 1] ^= 1;
    Files.write(previous, before);
    train(out, options).ok();
    Files.write(state, changed);
    train(out, options).refused(state + ": ", previous + ": ", "Delete both checkpoints");
  }

  private static void requireBytes(byte[] expected, Path file) throws IOException {
    if (!Arrays.equals(expected, Files.readAllBytes(file))) {
      throw new AssertionError(file + " has other bytes");
    }
  }
}

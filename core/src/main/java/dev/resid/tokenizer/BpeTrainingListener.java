package dev.resid.tokenizer;

import java.nio.file.Path;

/** Hears how far a {@link BpeTrainer} is. Called on the training thread; does nothing by itself. */
public interface BpeTrainingListener {
  /**
   * A file was read and its words counted.
   *
   * @param file the file
   * @param bytes bytes read so far, of all files
   * @param distinctWords distinct words so far, of all files
   */
  default void fileCounted(Path file, long bytes, int distinctWords) {}

  /**
   * A merge was learnt.
   *
   * @param merges merges so far
   * @param tokens tokens so far, without the end-of-text token
   * @param frequency how often the pair occurred
   */
  default void merged(int merges, int tokens, long frequency) {}
}

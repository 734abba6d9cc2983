package dev.resid.tokenizer;

import dev.resid.io.ReadFailure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where tokenizer files are read from: a directory, a jar, anything that has files by name. */
@FunctionalInterface
public interface TokenizerSource {
  /**
   * Returns a stream of the file, which the caller closes, or null if there is no such file.
   *
   * @param name plain file name, for example {@code vocab.json}
   * @throws IOException if the file is there but cannot be opened
   */
  InputStream open(String name) throws IOException;

  /**
   * Returns what errors call a file.
   *
   * @param name plain file name
   */
  default String describe(String name) {
    return name;
  }

  /**
   * Returns the files of a directory.
   *
   * @param directory need not exist; then it has no files
   */
  static TokenizerSource directory(Path directory) {
    return new TokenizerSource() {
      @Override
      public InputStream open(String name) throws IOException {
        Path file = directory.resolve(name);
        // What is there and cannot be opened is an error, and nothing else is read in its place.
        return Files.notExists(file) ? null : ReadFailure.open(file);
      }

      @Override
      public String describe(String name) {
        return directory.resolve(name).toString();
      }
    };
  }

  /**
   * Returns the resources of a folder on the class path.
   *
   * @param anchor a class of the jar or module that holds the resources
   * @param folder as in {@link Class#getResourceAsStream}: absolute with a leading slash, else
   *     relative to the package of {@code anchor}
   */
  static TokenizerSource classpath(Class<?> anchor, String folder) {
    return new TokenizerSource() {
      @Override
      public InputStream open(String name) {
        return anchor.getResourceAsStream(folder + "/" + name);
      }

      @Override
      public String describe(String name) {
        return "class path " + folder + "/" + name;
      }
    };
  }
}

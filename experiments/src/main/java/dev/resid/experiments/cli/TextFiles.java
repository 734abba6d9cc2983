package dev.resid.experiments.cli;

import dev.resid.io.ReadFailure;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Text given as files and folders on a command line. */
final class TextFiles {
  private TextFiles() {}

  /**
   * Returns the text of a UTF-8 file.
   *
   * @throws IOException if it cannot be read or is not UTF-8
   */
  static String read(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a folder; name a file in it.");
    }
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new IOException(file + " is not UTF-8; convert it first.", e);
    } catch (IOException e) {
      throw ReadFailure.of(file, e);
    }
  }

  /**
   * Returns the files, with each folder replaced by the {@code .txt} files directly in it, by name.
   *
   * @throws IOException if one does not exist, or a folder holds no such file
   */
  static List<Path> expand(List<Path> given) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path path : given) {
      if (Files.isDirectory(path)) {
        try (Stream<Path> inside = Files.list(path)) {
          List<Path> texts =
              inside
                  .filter(file -> file.toString().endsWith(".txt") && Files.isRegularFile(file))
                  .sorted()
                  .toList();
          if (texts.isEmpty()) {
            throw new IOException("the folder " + path + " holds no .txt file.");
          }
          files.addAll(texts);
        }
      } else if (Files.exists(path)) {
        files.add(path);
      } else {
        throw new NoSuchFileException(path.toString());
      }
    }
    return files;
  }
}

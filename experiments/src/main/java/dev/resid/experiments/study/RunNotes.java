package dev.resid.experiments.study;

import dev.resid.experiments.result.RunFiles;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.Settings;
import java.io.IOException;
import java.nio.file.Path;

/** The file with what results need besides the record and the numbers of the rows. */
final class RunNotes {
  static final String FILE = "notes.json";

  private RunNotes() {}

  static void write(RunFolder out, Settings notes) throws IOException {
    RunFiles.writeLine(out.work(FILE), notes.toString());
  }

  static Settings read(Path folder) throws IOException {
    Path file = RunFolder.work(folder, FILE);
    try {
      return Settings.parse(RunFiles.line(file));
    } catch (IllegalArgumentException e) {
      throw new IOException(
          file + ": is damaged (" + e.getMessage() + "); delete it and run its part again", e);
    }
  }
}

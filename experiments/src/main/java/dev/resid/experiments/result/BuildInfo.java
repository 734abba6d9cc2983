package dev.resid.experiments.result;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * Which build of Resid is running; goes into every run record.
 *
 * @param version the Maven version
 * @param commit the git commit it was built from, with {@code -dirty} where the working tree had
 *     changes, or {@code unknown} where it was built outside git
 */
public record BuildInfo(String version, String commit) {
  /** Returns what the build wrote down about itself. */
  public static BuildInfo current() {
    Properties properties = new Properties();
    try (InputStream in = BuildInfo.class.getResourceAsStream("build.properties")) {
      if (in == null) {
        throw new IllegalStateException(
            "build.properties is missing beside " + BuildInfo.class.getName() + "; rebuild Resid");
      }
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String commit = value(properties, "commit");
    boolean dirty = value(properties, "dirty").equals("true");
    return new BuildInfo(value(properties, "version"), dirty ? commit + "-dirty" : commit);
  }

  private static String value(Properties properties, String key) {
    String value = properties.getProperty(key, "").strip();
    return value.isEmpty() || value.startsWith("${") ? "unknown" : value;
  }
}

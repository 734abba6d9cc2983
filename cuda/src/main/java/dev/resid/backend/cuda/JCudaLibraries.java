package dev.resid.backend.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;

/**
 * Loads JCuda's native libraries. JCuda 12.6 unpacks them into the temporary directory and takes a
 * file that lies there already without looking into it; so that nobody else's file is loaded, its
 * classes are initialised while that directory is a new one which only this user can open.
 */
final class JCudaLibraries {
  private static final String TEMPORARY = "java.io.tmpdir";

  private JCudaLibraries() {}

  /** Returns why JCuda's driver classes cannot be used, or nothing if they can. */
  static Optional<String> driverProblem() {
    return problemOf(() -> JCudaDriver.setExceptionsEnabled(true));
  }

  /** Returns why JCuda's cuBLAS classes cannot be used, or nothing if they can. */
  static Optional<String> cublasProblem() {
    return problemOf(() -> JCublas2.setExceptionsEnabled(true));
  }

  private static Optional<String> problemOf(Runnable initialiser) {
    return inPrivateDirectory(
        () -> {
          try {
            initialiser.run();
            return Optional.empty();
          } catch (LinkageError e) {
            return Optional.of(reason(e));
          }
        });
  }

  // The first line of the innermost message that names a library, without JCuda's stack traces.
  private static String reason(LinkageError error) {
    String found = null;
    for (Throwable e = error; e != null; e = e.getCause()) {
      Optional<String> line =
          String.valueOf(e.getMessage())
              .lines()
              .filter(l -> l.contains(".so") && (l.contains(": ") || found(l)))
              .reduce((first, second) -> second.contains("cannot open") ? second : first);
      found = line.orElse(found == null ? e.toString() : found);
    }
    int path = found.indexOf(".so: ");
    return (path < 0 ? found : found.substring(path + 5)).strip();
  }

  private static boolean found(String line) {
    return line.contains("not found");
  }

  private static synchronized <T> T inPrivateDirectory(Supplier<T> work) {
    String before = System.getProperty(TEMPORARY);
    Path directory = null;
    try {
      directory = Files.createTempDirectory("resid-jcuda");
      System.setProperty(TEMPORARY, directory.toString());
      return work.get();
    } catch (IOException e) {
      throw new CudaFailureException(
          "CUDA_ERROR_FILE_NOT_FOUND",
          "cuda: cannot unpack JCuda's libraries into " + before + ": " + e.getMessage());
    } finally {
      System.setProperty(TEMPORARY, before);
      if (directory != null) {
        delete(directory);
      }
    }
  }

  // A loaded library stays mapped; where a system keeps the files open they stay, in a folder of
  // this user's own.
  private static void delete(Path directory) {
    List<Path> inside;
    try (Stream<Path> files = Files.list(directory)) {
      inside = files.toList();
      for (Path file : inside) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      System.getLogger(JCudaLibraries.class.getName())
          .log(System.Logger.Level.DEBUG, "left behind: " + directory, e);
    }
  }
}

package dev.resid.backend.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds a cuBLAS for {@link ForeignBlas}: the file that the property or the variable names, else
 * libcublas.so.13, .12 and .11 where the system looks for libraries, then where CUDA and PyTorch
 * put them. The library of the same major version that it needs, cublasLt, is opened first.
 */
final class BlasLibraries {
  /** System property that names a file. */
  static final String PROPERTY = "resid.cuda.cublas";

  /** Environment variable that names a file. */
  static final String VARIABLE = "RESID_CUDA_CUBLAS";

  private static final int[] MAJORS = {13, 12, 11};

  private final List<String> steps;
  private final Optional<String> named;

  /**
   * What was found.
   *
   * @param functions its functions
   * @param name what it was opened as
   */
  record Found(SymbolLookup functions, String name) {}

  BlasLibraries(List<String> steps) {
    this.steps = steps;
    this.named =
        Optional.ofNullable(System.getProperty(PROPERTY))
            .or(() -> Optional.ofNullable(System.getenv(VARIABLE)));
  }

  /** Returns why JCuda's binding, which is linked to cuBLAS 12, cannot be tried. */
  static Optional<String> problemOfCublas12() {
    return lookup("libcublas.so.12").isPresent()
        ? Optional.empty()
        : Optional.of("libcublas.so.12 not found");
  }

  Optional<Found> find() {
    if (named.isPresent()) {
      return open(named.get(), Optional.empty());
    }
    for (int major : MAJORS) {
      Optional<Found> found = open("libcublas.so." + major, Optional.of("libcublasLt.so." + major));
      if (found.isPresent()) {
        return found;
      }
    }
    for (Path folder : folders("cublas")) {
      for (int major : MAJORS) {
        Path file = folder.resolve("libcublas.so." + major);
        if (Files.exists(file)) {
          Optional<Found> found =
              open(
                  file.toString(),
                  Optional.of(folder.resolve("libcublasLt.so." + major).toString()));
          if (found.isPresent()) {
            return found;
          }
        }
      }
    }
    steps.add("cuBLAS in the usual folders of CUDA and PyTorch: none");
    return Optional.empty();
  }

  private Optional<Found> open(String name, Optional<String> neededFirst) {
    try {
      neededFirst.flatMap(BlasLibraries::lookup);
      SymbolLookup library =
          lookup(name).orElseThrow(() -> new IllegalArgumentException("not found"));
      List<String> missing = CublasSymbols.missing(library);
      if (!missing.isEmpty()) {
        steps.add(name + ": opened, but it lacks " + String.join(", ", missing));
        return Optional.empty();
      }
      steps.add(name + ": opened");
      return Optional.of(new Found(library, name));
    } catch (IllegalArgumentException e) {
      steps.add(name + ": not found");
      return Optional.empty();
    }
  }

  @SuppressWarnings("restricted") // opening a library runs its code, as is wanted
  static Optional<SymbolLookup> lookup(String name) {
    try {
      return Optional.of(
          name.contains("/")
              ? SymbolLookup.libraryLookup(Path.of(name), Arena.global())
              : SymbolLookup.libraryLookup(name, Arena.global()));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Returns where CUDA and PyTorch put libraries; theirs of one package besides. */
  static List<Path> folders(String ofPackage) {
    List<Path> folders = new ArrayList<>();
    matching(Path.of("/usr/local"), "cuda*")
        .forEach(
            cuda -> {
              folders.add(cuda.resolve("lib64"));
              folders.add(cuda.resolve("targets/x86_64-linux/lib"));
              folders.add(cuda.resolve("lib"));
            });
    folders.add(Path.of("/usr/local/nvidia/lib64"));
    for (String lib : new String[] {"/usr/local/lib", "/usr/lib", "/opt/conda/lib"}) {
      for (Path python : matching(Path.of(lib), "python3*")) {
        for (String packages : new String[] {"dist-packages", "site-packages"}) {
          Path nvidia = python.resolve(packages).resolve("nvidia");
          folders.add(nvidia.resolve("cu13/lib"));
          folders.add(nvidia.resolve(ofPackage + "/lib"));
        }
      }
    }
    return folders;
  }

  /** Returns what a folder has of a pattern, in order; nothing where it cannot be read. */
  static List<Path> matching(Path folder, String pattern) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
        entries.forEach(found::add);
      } catch (IOException e) {
        return List.of(); // a folder that cannot be read holds nothing for us
      }
    }
    found.sort(null);
    return found;
  }
}

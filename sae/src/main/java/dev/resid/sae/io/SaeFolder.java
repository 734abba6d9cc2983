package dev.resid.sae.io;

import dev.resid.io.FileHash;
import dev.resid.io.ReadFailure;
import dev.resid.io.Safetensors;
import dev.resid.io.TensorFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** Where the files of an SAE lie: on a disk or in a jar. */
sealed interface SaeFolder {
  /** Larger than any configuration by far; a file beyond it is none. */
  int MAX_JSON_BYTES = 4 << 20;

  /** Returns what error messages call a file of this folder. */
  Path path(String file);

  /** Returns whether there is such a file. */
  boolean has(String file);

  /** Returns the content of a configuration file. */
  byte[] json(String file) throws IOException;

  /** Opens a file of tensors; the caller closes it. */
  TensorFile tensors(String file) throws IOException;

  /** Returns the SHA-256 of a file, hexadecimal. */
  String sha256(String file) throws IOException;

  private static byte[] limited(Path name, InputStream in) throws IOException {
    byte[] content = in.readNBytes(MAX_JSON_BYTES + 1);
    if (content.length > MAX_JSON_BYTES) {
      throw new SaeCheckpointException(
          name
              + ": is longer than "
              + MAX_JSON_BYTES
              + " bytes, which no configuration is. Fetch it again");
    }
    return content;
  }

  /** A folder of the machine. */
  record Disk(Path dir) implements SaeFolder {
    @Override
    public Path path(String file) {
      return dir.resolve(file);
    }

    @Override
    public boolean has(String file) {
      return Files.isRegularFile(dir.resolve(file));
    }

    @Override
    public byte[] json(String file) throws IOException {
      try (InputStream in = ReadFailure.open(dir.resolve(file))) {
        return limited(dir.resolve(file), in);
      }
    }

    @Override
    public TensorFile tensors(String file) throws IOException {
      return TensorFile.open(dir.resolve(file));
    }

    /** Returns the names of all files that could hold tensors, sorted. */
    List<String> tensorFiles() throws IOException {
      try (Stream<Path> files = Files.list(dir)) {
        return files
            .filter(Files::isRegularFile)
            .map(file -> file.getFileName().toString())
            .filter(name -> name.endsWith(".pt") || name.endsWith(".safetensors"))
            .sorted()
            .toList();
      }
    }

    @Override
    public String sha256(String file) throws IOException {
      return FileHash.sha256(dir.resolve(file));
    }
  }

  /**
   * A folder of the class path, which may be a jar.
   *
   * @param loader finds it
   * @param prefix its path there, with a slash at the end and none at the beginning
   * @param name what error messages call it
   */
  record Resource(ClassLoader loader, String prefix, Path name) implements SaeFolder {
    @Override
    public Path path(String file) {
      return name.resolve(file);
    }

    @Override
    public boolean has(String file) {
      return loader.getResource(prefix + file) != null;
    }

    @Override
    public byte[] json(String file) throws IOException {
      try (InputStream in = stream(file)) {
        return limited(path(file), in);
      }
    }

    @Override
    public TensorFile tensors(String file) throws IOException {
      return Safetensors.of(path(file), content(file));
    }

    @Override
    public String sha256(String file) throws IOException {
      try {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content(file)));
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("every Java runtime has SHA-256", e);
      }
    }

    private byte[] content(String file) throws IOException {
      try (InputStream in = stream(file)) {
        return in.readAllBytes();
      }
    }

    private InputStream stream(String file) throws IOException {
      InputStream in = loader.getResourceAsStream(prefix + file);
      if (in == null) {
        throw new SaeCheckpointException(
            "this build of resid-sae lacks " + prefix + file + ". Install it again");
      }
      return in;
    }
  }
}

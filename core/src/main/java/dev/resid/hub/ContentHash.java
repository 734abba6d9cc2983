package dev.resid.hub;

import dev.resid.io.ReadFailure;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The hash that is the name of a content: SHA-256 of a large file, git's of a small one. Other
 * names say nothing about what is in it.
 */
final class ContentHash {
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
  private static final int BUFFER_BYTES = 1 << 16;

  /** From here on, reading takes long enough to be shown. */
  private static final long LARGE_BYTES = 1L << 28;

  private ContentHash() {}

  /** Returns whether the name of a content is a hash. */
  static boolean isHash(String etag) {
    return HASH.matcher(etag).matches();
  }

  /**
   * Returns the hash of a content, of the kind that its name is; empty if that is none.
   *
   * @throws IOException if it cannot be read
   */
  static Optional<String> of(Path content, String etag) throws IOException {
    return of(content, etag, content.getFileName().toString(), Progress.none());
  }

  /**
   * Returns what is wrong with a content, in words; empty if nothing is, or its name is no hash.
   *
   * @param file what it is called in the repository
   * @param progress is told the bytes of a large file
   */
  static Optional<String> damage(Path content, String etag, String file, Progress progress) {
    try {
      return of(content, etag, file, progress)
          .filter(found -> !found.equals(etag))
          .map(found -> "it has the hash " + found + ", expected " + etag);
    } catch (IOException e) {
      return Optional.of("it cannot be read: " + e.getMessage());
    }
  }

  private static Optional<String> of(Path content, String etag, String file, Progress progress)
      throws IOException {
    if (!isHash(etag)) {
      return Optional.empty();
    }
    boolean git = etag.length() == 40;
    MessageDigest digest = digest(git ? "SHA-1" : "SHA-256");
    long bytes = Files.size(content);
    if (git) {
      digest.update(("blob " + bytes + "\0").getBytes(StandardCharsets.US_ASCII));
    }
    Progress told = bytes < LARGE_BYTES ? Progress.none() : progress;
    byte[] buffer = new byte[BUFFER_BYTES];
    long done = 0;
    try (Progress.Task task = told.begin("checking " + file, "bytes", 0, bytes);
        InputStream in = ReadFailure.open(content)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
        done += n;
        task.advanceTo(done);
      }
    }
    return Optional.of(HexFormat.of().formatHex(digest.digest()));
  }

  private static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has " + algorithm, e);
    }
  }
}

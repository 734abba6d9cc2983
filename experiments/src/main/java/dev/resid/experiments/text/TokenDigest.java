package dev.resid.experiments.text;

import dev.resid.tokenizer.TokenBatch;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A fingerprint of rows of tokens, by which a run knows its data again. */
public final class TokenDigest {
  private TokenDigest() {}

  /** Returns the SHA-256 of lengths and ids of all rows, in hexadecimal digits. */
  public static String sha256(TokenBatch tokens) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (int row = 0; row < tokens.rows(); row++) {
        int[] ids = tokens.row(row);
        ByteBuffer bytes = ByteBuffer.allocate((ids.length + 1) * Integer.BYTES);
        bytes.putInt(ids.length);
        bytes.asIntBuffer().put(ids);
        digest.update(bytes.array());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}

package dev.resid.experiments.text;

import dev.resid.tokenizer.TokenBatch;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A fingerprint of rows of tokens, or of a text, by which a run knows its data again. */
public final class TokenDigest {
  private TokenDigest() {}

  /** Returns the SHA-256 of lengths and ids of all rows, in hexadecimal digits. */
  public static String sha256(TokenBatch tokens) {
    MessageDigest digest = digest();
    for (int row = 0; row < tokens.rows(); row++) {
      int[] ids = tokens.row(row);
      ByteBuffer bytes = ByteBuffer.allocate((ids.length + 1) * Integer.BYTES);
      bytes.putInt(ids.length);
      bytes.asIntBuffer().put(ids);
      digest.update(bytes.array());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Returns the SHA-256 of a text in UTF-8, for what would be too long for a record. */
  public static String sha256(String text) {
    return HexFormat.of().formatHex(digest().digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}

package dev.resid.tokenizer;

import com.knuddels.jtokkit.Encodings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * GPT-2's vocabulary, derived from the rank file that jtokkit's jar carries, so that every test of
 * GPT-2's ids runs on a machine that has only the project. A rank is an id; a token of several
 * bytes comes from the merge of the two parts into which the merges before it take it.
 */
final class Gpt2FromRanks {
  private static final String RANKS = "/com/knuddels/jtokkit/r50k_base.tiktoken";

  private static ByteLevelBpe shared;

  private Gpt2FromRanks() {}

  /** Returns GPT-2's tokenizer; loaded once. */
  static synchronized ByteLevelBpe tokenizer() {
    if (shared == null) {
      try {
        shared = ByteLevelBpe.load(source());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return shared;
  }

  /** Returns vocab.json and merges.txt. */
  static MemorySource source() throws IOException {
    List<String> tokens = new ArrayList<>();
    Map<String, Integer> ranks = new HashMap<>();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                Encodings.class.getResourceAsStream(RANKS), StandardCharsets.US_ASCII))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        String[] parts = line.split(" ");
        String token = alphabet(Base64.getDecoder().decode(parts[0]));
        if (Integer.parseInt(parts[1]) != tokens.size()) {
          throw new IllegalStateException("ranks are not consecutive at " + line);
        }
        ranks.put(token, tokens.size());
        tokens.add(token);
      }
    }
    StringBuilder merges = new StringBuilder("#version: 0.2\n");
    for (int rank = 0; rank < tokens.size(); rank++) {
      if (tokens.get(rank).length() > 1) {
        List<String> parts = mergeBelow(tokens.get(rank), ranks, rank);
        merges.append(parts.get(0)).append(' ').append(parts.get(1)).append('\n');
      }
    }
    StringBuilder vocabulary = new StringBuilder("{");
    for (int id = 0; id < tokens.size(); id++) {
      String escaped = tokens.get(id).replace("\\", "\\\\").replace("\"", "\\\"");
      vocabulary.append('"').append(escaped).append("\": ").append(id).append(", ");
    }
    vocabulary.append("\"<|endoftext|>\": ").append(tokens.size()).append("}");
    return new MemorySource()
        .with("vocab.json", vocabulary.toString())
        .with("merges.txt", merges.toString());
  }

  /** Written out here, not taken from the code under test. */
  private static String alphabet(byte[] bytes) {
    StringBuilder out = new StringBuilder();
    for (byte signed : bytes) {
      int b = signed & 0xFF;
      if (b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE) {
        out.append((char) b);
      } else if (b <= 0x20) {
        out.append((char) (0x100 + b));
      } else if (b <= 0xA0) {
        out.append((char) (0x121 + b - 0x7F));
      } else {
        out.append((char) 0x143);
      }
    }
    return out.toString();
  }

  private static List<String> mergeBelow(String token, Map<String, Integer> ranks, int limit) {
    List<String> parts = new ArrayList<>();
    for (char c : token.toCharArray()) {
      parts.add(String.valueOf(c));
    }
    while (true) {
      int best = limit;
      int at = -1;
      for (int i = 0; i + 1 < parts.size(); i++) {
        int rank = ranks.getOrDefault(parts.get(i) + parts.get(i + 1), Integer.MAX_VALUE);
        if (rank < best) {
          best = rank;
          at = i;
        }
      }
      if (at < 0) {
        if (parts.size() != 2) {
          throw new IllegalStateException("rank " + limit + " is no merge of two: " + parts);
        }
        return parts;
      }
      parts.set(at, parts.get(at) + parts.remove(at + 1));
    }
  }
}

package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.tokenizer.BpeTrainer;
import dev.resid.tokenizer.ByteLevelBpe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainTokenizerCommandTest {
  private static final String TEXT = "The cat sat on the mat; the rat sat on the cat.\n".repeat(3);

  @TempDir private Path folder;

  @Test
  void whatItWritesIsTheTokenizerOfTheTrainer() throws IOException {
    Path text = Files.writeString(folder.resolve("a.txt"), TEXT);
    Path out = folder.resolve("new/tokenizer");
    CliRun run = train("--vocab-size", "270", "--text", text.toString(), "--out", out.toString());
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertEquals("270 tokens from 144 bytes of text, written to " + out, run.out().strip());
    ByteLevelBpe learnt = ByteLevelBpe.load(out);
    ByteLevelBpe expected = new BpeTrainer(270).train(List.of(text));
    assertEquals(270, learnt.vocabularySize());
    assertArrayEquals(expected.encodeToIds(TEXT), learnt.encodeToIds(TEXT));
  }

  @Test
  void aFolderStandsForTheTextFilesInIt() throws IOException {
    Path texts = Files.createDirectory(folder.resolve("texts"));
    Files.writeString(texts.resolve("b.txt"), TEXT);
    Files.writeString(texts.resolve("a.txt"), TEXT);
    Files.writeString(texts.resolve("notes.md"), "not read");
    Path out = folder.resolve("out");
    CliRun run = train("--vocab-size", "260", "--text", texts.toString(), "--out", out.toString());
    assertEquals("260 tokens from 288 bytes of text, written to " + out, run.out().strip());
  }

  @Test
  void fewerTokensThanWantedAreSaid() throws IOException {
    Path text = Files.writeString(folder.resolve("a.txt"), "abab");
    Path out = folder.resolve("out");
    CliRun run = train("--vocab-size", "999", "--text", text.toString(), "--out", out.toString());
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertTrue(run.out().strip().endsWith("no more pairs occur 2 times"), run.out());
  }

  @Test
  void aTokenizerThatIsThereIsNotOverwritten() throws IOException {
    Path text = Files.writeString(folder.resolve("a.txt"), TEXT);
    Path merges = Files.writeString(folder.resolve("merges.txt"), "mine");
    CliRun run =
        train("--vocab-size", "260", "--text", text.toString(), "--out", folder.toString());
    assertEquals(ResidCommand.FAILED, run.exitCode());
    assertTrue(run.err().contains(merges + " exists already"), run.err());
    assertEquals("mine", Files.readString(merges));
    assertFalse(Files.exists(folder.resolve("vocab.json")));
  }

  @Test
  void aFileThatCannotBeReadIsNamedOrMadeAgain() throws IOException {
    Path text = Files.writeString(folder.resolve("a.txt"), TEXT);
    Path out = folder.resolve("out");
    String[] line = {"--vocab-size", "265", "--text", text.toString(), "--out", out.toString()};
    train(line).ok();
    Path merges = out.resolve("merges.txt");
    byte[] sound = Files.readAllBytes(merges);
    for (Unreadable way : Unreadable.here()) {
      way.make(merges);
      CliRun run = train(line);
      if (run.exitCode() == ResidCommand.OK) {
        assertArrayEquals(sound, Files.readAllBytes(merges));
      } else {
        run.refused(merges.toString());
      }
      Files.delete(merges);
      Files.write(merges, sound);
    }
  }

  @Test
  void whatAStoppedRunLeftIsGoneOnFrom() throws IOException {
    Path text = Files.writeString(folder.resolve("a.txt"), TEXT);
    Path out = folder.resolve("out");
    String[] line = {"--vocab-size", "265", "--text", text.toString(), "--out", out.toString()};
    train(line).ok();
    byte[] tokenizer = Files.readAllBytes(out.resolve("tokenizer.json"));
    Files.delete(out.resolve("tokenizer.json"));
    Files.delete(out.resolve("merges.txt"));
    train(line).ok();
    train(line).ok();
    assertArrayEquals(tokenizer, Files.readAllBytes(out.resolve("tokenizer.json")));
    line[1] = "264";
    train(line).refused(out.resolve("vocab.json") + " exists already");
    assertArrayEquals(tokenizer, Files.readAllBytes(out.resolve("tokenizer.json")));
  }

  @Test
  void missingTextIsNamed() {
    Path missing = folder.resolve("missing.txt");
    CliRun run =
        train("--vocab-size", "260", "--text", missing.toString(), "--out", folder.toString());
    assertEquals(ResidCommand.FAILED, run.exitCode());
    assertEquals("resid: there is no file or folder " + missing + ".", run.err().strip());
  }

  @Test
  void aVocabularyTooSmallIsWrongUsage() {
    CliRun run = train("--vocab-size", "256", "--text", "a.txt", "--out", folder.toString());
    assertEquals(ResidCommand.WRONG_USAGE, run.exitCode());
  }

  private static CliRun train(String... args) {
    String[] all = new String[args.length + 2];
    all[0] = "train";
    all[1] = "tokenizer";
    System.arraycopy(args, 0, all, 2, args.length);
    return CliRun.of(all);
  }
}

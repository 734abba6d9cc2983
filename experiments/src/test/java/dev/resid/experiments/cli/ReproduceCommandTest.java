package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.experiments.reproduce.PublishedNumber;
import dev.resid.experiments.reproduce.PublishedTable;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.model.Gpt2;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReproduceCommandTest {
  private static final String FACTS =
      """
      fact\tlayers\t2
      fact\twidth\t16
      fact\tlong_row\t52
      fact\tshort_row\t8
      fact\tlayer\t1
      fact\tprompt\t4
      fact\tprompts\t4
      fact\tplateau_layer\t1
      sae\ttiny/early\tlocal\t-\tblocks.0.hook_resid_pre\t48\tnowhere
      sae\ttiny/many\tlocal\t-\tblocks.1.hook_resid_pre\t48\tnowhere
      """;
  private static final String BOS = "point=blocks.1.hook_resid_pre;from=1;to=1";

  /** A number of every kind of part, as {@link #number} takes them. */
  private static final String EVERY_KIND =
      """
      norm|bos|-|clean|point=blocks.1.hook_resid_pre;from=1;to=1|norm|1|rounding
      l1|short-rows|tiny/many|ranges|sae=@;from=1;to=7|l1|9|sample
      right|lambada|-|results|sae=none|accuracy|7|items
      twice|lambada-as-published|tiny/many|prompts|sae=@|normalized_mse|99|items
      nats|lambada|-|prompts|sae=none|ce_nats|-9|items
      alive|errors|tiny/many|statistics|quantity=alive @|value|9|shown
      error|errors|tiny/many|results|direction=sae-error;sae=@;length=2|kl_nats|9|sample
      error further away|errors|tiny/many|results|direction=sae-error;sae=@;length=4|kl_nats|\
      99|sample
      zero|substitution|tiny/many|results|subject=@;substitute=sae|kl_nats|9|sample
      nats of an isotropic change|substitution|tiny/many|results|\
      subject=@;substitute=isotropic|ce_nats|99|sample
      ablation|substitution|-|results|\
      subject=blocks.1.hook_resid_pre;substitute=mean-with-first|kl_nats|9|sample
      step|plateau|-|steps|role=target;kind=random;regime=relative;statistic=ms_l2|ks|9|sample
      further down|propagation|tiny/early,tiny/many|results|first=@;second=@2;quantity=norm|\
      change|99|sample
      all items|lambada-whole|-|results|sae=none|accuracy|7|sample
      power|errors|tiny/many|exponents|direction=sae-error;sae=@;from=2;to=4|kl|99|sample
      alive there|evaluation-atoms|tiny/many|statistics|quantity=alive @|value|9|shown
      cbt|cbt|-|results|sae=none|accuracy|0|items
      """;

  @TempDir private Path temporary;
  private Path model;

  @BeforeEach
  void saveModel() throws IOException {
    model = TinyModel.saveWithTokenizer(temporary.resolve("model"), 5, 64);
  }

  /**
   * Returns a line for a number, given as: name, part, SAE, table, cells, column, printed, rule.
   */
  private static String number(String... cells) {
    String size = cells[1].startsWith("lambada") ? "2" : "9";
    return "number\ttest\t" + String.join("\t", cells) + "\t" + size + "\t0\t-\n";
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(temporary.resolve(name), text);
  }

  private Path text() throws IOException {
    return write(
        "text.txt",
        IntStream.range(0, 12)
            .mapToObj(i -> "number " + i + " of " + i * i)
            .collect(Collectors.joining("\n<|endoftext|>\n")));
  }

  private Path sae() throws IOException {
    Path folder = temporary.resolve("sae");
    SaeCheckpoint.save(TinySaes.both().getLast().sae(), DType.F32, folder);
    return folder;
  }

  private Path earlySae() throws IOException {
    Path folder = temporary.resolve("early");
    SaeCheckpoint.save(TinySaes.at(HookPoint.residPre(0)).sae(), DType.F32, folder);
    return folder;
  }

  private String bosNorm() throws IOException {
    HookPoint point = HookPoint.residPre(1);
    try (Backend backend = Backends.named("scalar", BackendOptions.defaults())) {
      float[] x =
          Gpt2.load(model, backend)
              .capture(TokenBatch.of(new int[] {TinyModel.END}), point.capture())
              .get(point)
              .toArray();
      double squares = IntStream.range(0, x.length).mapToDouble(i -> x[i] * (double) x[i]).sum();
      return String.format(Locale.ROOT, "%.4f", Math.sqrt(squares));
    }
  }

  @Test
  void studiesRunAndTheirNumbersStandBesideThePublishedOnes() throws IOException {
    Path passages = write("lambada.txt", "a b c d\na b c e\n");
    Path numbers =
        write(
            "numbers.tsv",
            EVERY_KIND
                .lines()
                .map(line -> number(line.split("[|]")))
                .collect(Collectors.joining("", FACTS, "")));
    Path out = temporary.resolve("out");
    CliRun run =
        CliRun.line(
            "reproduce -q --rows 4 --long-rows 3 --model",
            model,
            "--numbers",
            numbers,
            "--text",
            text(),
            "--lambada",
            passages,
            "--out",
            out,
            "--saes",
            "tiny/many=" + sae(),
            "tiny/early=" + earlySae(),
            "--tokens",
            write("rows.json", "[[5, 6, 7, 8], [9, 10, 11, 12], [1, 2, 3, 4]]"));
    assertEquals(ResidCommand.FAILED, run.exitCode(), run.err());
    ResultTable table = ResultTable.read(out, "numbers");
    assertEquals(16, table.rows().size());
    for (List<Object> row : table.rows()) {
      assertFalse(row.get(5).equals(""), row.toString());
      assertEquals(
          row.get(3).toString().startsWith("alive") ? "not decidable here" : "does not hold",
          row.get(7),
          row.toString());
    }
    assertTrue(run.out().contains("short-rows: l1"), run.out());
    assertTrue(run.out().contains("Not checked: 1 numbers of cbt: --cbt FILE: cbtest_CN_valid"));
    assertTrue(
        run.out().contains("0 published numbers hold, 14 do not, 2 are not decidable here."));
    requireColumns(out.resolve("parts"));
  }

  /** Every number that ships stands in a column that its study writes. */
  private static void requireColumns(Path parts) throws IOException {
    int found = 0;
    for (PublishedNumber number : PublishedTable.load().numbers()) {
      Path own = parts.resolve(number.part().word());
      if (Files.exists(own)) {
        ResultTable table = ResultTable.read(own, number.table());
        List<String> names = table.columns().stream().map(ResultTable.Column::name).toList();
        assertTrue(names.contains(number.column()), number + " in " + names);
        assertTrue(names.containsAll(number.where().keySet()), number + " in " + names);
        found++;
      }
    }
    assertTrue(found > 400, found + " numbers");
  }

  @Test
  void theExitCodeIsZeroWhereAllHold() throws IOException {
    Path numbers =
        write(
            "numbers.tsv",
            FACTS + number("norm", "bos", "-", "clean", BOS, "norm", bosNorm(), "rounding"));
    CliRun run =
        CliRun.line(
            "reproduce -q --model", model, "--numbers", numbers, "--out", temporary.resolve("o"));
    assertTrue(run.ok().out().contains("1 published numbers hold, 0 do not"), run.out());
  }

  @Test
  void wrongFilesAndOptionsAreRefusedBeforeAnythingIsWritten() throws IOException {
    Path out = temporary.resolve("out");
    String line = "reproduce -q --out " + out + " --model";
    CliRun.line(line, model).refused("a model of 12 blocks and width 768", "has 2 blocks");
    CliRun.line(line, model, "--text", "nothing.txt").refused("no file or folder nothing.txt");
    CliRun.line(line, model, "--saes", sae()).refused("which published SAE", "NAME=");
    CliRun.line(line, model, "--parts", "bos,all").wrongUsage("no part is called \"all\"");
    CliRun.line(line, model, "--rows", "1").wrongUsage("at least 2");
    CliRun.of("language", "lambada", "--quality", "both").wrongUsage("must be activation or");
    Path bad = write("bad.tsv", "number\n");
    CliRun.line(line, model, "--numbers", bad).refused("bad.tsv, line 1");
    CliRun.of("reproduce").wrongUsage("--model");
    assertFalse(Files.exists(out));
    write("file.txt", "");
    CliRun.line("reproduce -q --model", model, "--out", temporary).refused("holds other files");
  }

  @Test
  void tooFewItemsAreRefusedWithTheFileToGet() throws IOException {
    Path numbers =
        write(
            "numbers.tsv",
            FACTS + number("n", "lambada", "-", "results", "sae=none", "accuracy", "1", "items"));
    CliRun.line(
            "reproduce -q --model",
            model,
            "--numbers",
            numbers,
            "--lambada",
            write("one.txt", "a b c\n"),
            "--out",
            temporary.resolve("o"))
        .refused("has 1 items, the published numbers are over 2", "the test split of LAMBADA");
  }
}

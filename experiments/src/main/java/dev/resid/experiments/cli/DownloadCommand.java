package dev.resid.experiments.cli;

import dev.resid.hub.HubCache;
import dev.resid.hub.HubFiles;
import dev.resid.hub.HubName;
import dev.resid.hub.HubSnapshot;
import dev.resid.hub.HubSnapshot.Origin;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.sae.io.SaeCatalogue;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code resid download}: models and SAEs from the Hugging Face hub. */
@Command(
    name = "download",
    description = {
      "Fetch models and SAEs from the Hugging Face hub into its cache on this machine.",
      "Python's tools use the same cache: what they fetched is not fetched again, and they find"
          + " what is fetched here. Interrupted, the same command goes on where it stopped. Hashes"
          + " and lengths are checked, those of files that were there too; what is damaged is"
          + " fetched again."
    },
    footer = {
      "",
      "HF_HOME or HF_HUB_CACHE say where the cache is, HF_TOKEN is shown to the hub and to nobody"
          + " else,",
      "HF_ENDPOINT names another hub, HF_HUB_OFFLINE=1 forbids to ask any.",
      "",
      "Examples:",
      "  resid download openai-community/gpt2",
      "  resid download distilbert/distilgpt2 --revision main",
      "  resid download --sae gpt2-small-res-jb/blocks.8.hook_resid_pre",
      "",
      "Then name it so: --model openai-community/gpt2,"
          + " --sae gpt2-small-res-jb/blocks.8.hook_resid_pre."
    })
final class DownloadCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ProgressMixin progress;

  @Parameters(
      paramLabel = "MODEL",
      arity = "0..*",
      description = "A GPT-2 on the hub, for example openai-community/gpt2-medium.")
  private List<String> models = List.of();

  @Option(
      names = "--sae",
      paramLabel = "RELEASE/ID",
      description = "A published SAE, as 'resid sae list' names it; may be given several times.")
  private List<String> saes = List.of();

  @Option(
      names = "--revision",
      paramLabel = "REV",
      description = "Branch, tag or commit; main if left out.")
  private String revision;

  /** Called by picocli. */
  DownloadCommand() {}

  @Override
  public Integer call() throws IOException {
    if (models.isEmpty() && saes.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "name a model, or an SAE with --sae");
    }
    SaeCatalogue catalogue = SaeCatalogue.load();
    List<HubName> names = models.stream().map(model -> name(model, catalogue)).toList();
    List<SaeCatalogue.Entry> entries = saes.stream().map(sae -> entry(sae, catalogue)).toList();
    HubCache cache = HubCache.fromEnvironment();
    for (HubName name : names) {
      HubSnapshot snapshot = download(cache, name, Gpt2Checkpoint.hubFiles());
      if (snapshot.has("pytorch_model.bin")) {
        out().println("  It has no safetensors; the weights are read from pytorch_model.bin.");
      }
      out().println("  Use it with --model " + name + ".");
    }
    for (SaeCatalogue.Entry entry : entries) {
      download(cache, revised(HubName.parse(entry.repository())), entry.hubFiles());
      out().println("  Use it with --sae " + entry.name() + ".");
    }
    return ResidCommand.OK;
  }

  private HubSnapshot download(HubCache cache, HubName name, HubFiles files) throws IOException {
    HubSnapshot snapshot = cache.download(name, files, progress.progress());
    out().println(name + ", commit " + snapshot.commit());
    for (HubSnapshot.File file : snapshot.files()) {
      out()
          .printf(
              Locale.ROOT,
              "  %,15d bytes  %-12s %s%n",
              file.bytes(),
              switch (file.origin()) {
                case CACHED -> "was there";
                case VERIFIED -> "hash agrees";
                case REPLACED -> "was damaged";
                case UNVERIFIED -> "no hash";
              },
              file.name());
    }
    if (snapshot.files().stream().anyMatch(file -> file.origin() == Origin.REPLACED)) {
      out().println("  What was damaged in the cache was fetched again; its hash agrees now.");
    }
    out().println("  in " + snapshot.folder());
    return snapshot;
  }

  private HubName name(String text, SaeCatalogue catalogue) {
    if (catalogue.named(text).isPresent()) {
      throw new ParameterException(
          spec.commandLine(), text + " is an SAE; ask for it with --sae " + text);
    }
    return revised(HubName.parse(text));
  }

  private HubName revised(HubName name) {
    if (revision == null) {
      return name;
    }
    if (!name.revision().equals(HubName.MAIN)) {
      throw new ParameterException(
          spec.commandLine(), name + " states a revision already; leave --revision out");
    }
    return new HubName(name.repository(), revision);
  }

  private SaeCatalogue.Entry entry(String text, SaeCatalogue catalogue) {
    Optional<SaeCatalogue.Entry> entry = catalogue.named(text);
    if (entry.isEmpty()) {
      String release = text.contains("/") ? text.substring(0, text.indexOf('/')) : text;
      throw new IllegalArgumentException(
          "\""
              + text
              + "\" is no published SAE; "
              + (catalogue.releases().contains(release)
                  ? "'resid sae list --release " + release + "' lists those of this release."
                  : "'resid sae list' lists them."));
    }
    return entry.get();
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}

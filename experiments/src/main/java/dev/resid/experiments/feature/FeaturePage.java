package dev.resid.experiments.feature;

import dev.resid.experiments.report.Numbers;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import dev.resid.sae.dictionary.FeatureLens.TokenLogit;
import dev.resid.sae.dictionary.FeatureLens.View;
import dev.resid.sae.dictionary.MaxCosineSimilarity.Neighbour;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The page about a feature: one HTML file that needs nothing else, works without a script, in the
 * dark, on paper and with a keyboard.
 */
final class FeaturePage {
  private static final String NEURONPEDIA = "https://www.neuronpedia.org/";

  private final FeatureFacts facts;
  private final TokenText text;
  private final StringBuilder html = new StringBuilder();

  FeaturePage(FeatureFacts facts, TokenText text) {
    this.facts = facts;
    this.text = text;
  }

  /** Returns the page. */
  String html() {
    String title = "Feature " + facts.options().index() + " of " + facts.sae();
    html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
    html.append("style-src 'unsafe-inline'\">\n<title>").append(escape(title));
    html.append("</title>\n<style>\n").append(css()).append("</style>\n</head>\n<body>\n");
    header(title);
    html.append("<main>\n");
    overview();
    lens();
    examples(
        "top",
        "Where it is most active",
        "The largest activations, at most one of each row of text. The stronger a token is marked,"
            + " the larger the activation there, against the largest one; the outlined token is the"
            + " one that is listed.",
        facts.top());
    examples(
        "bins",
        "Across its range",
        "One position of each of "
            + facts.options().examples()
            + " equally wide bins between the smallest and the largest activation, drawn at random:"
            + " what the feature does where it is weak says as much about it as the top examples.",
        facts.binned());
    attribution();
    neighbours();
    about();
    html.append("</main>\n</body>\n</html>\n");
    return html.toString();
  }

  private void header(String title) {
    html.append("<header>\n<h1>").append(escape(title)).append("</h1>\n<p class=\"lead\">");
    html.append("A ").append(escape(architecture())).append(" feature at <code>");
    html.append(escape(facts.config().outputPoint().name())).append("</code> of ");
    html.append(escape(facts.model())).append(", looked for in ");
    html.append(Numbers.grouped(facts.activations().tokens().tokenCount()));
    html.append(" tokens of ").append(escape(facts.options().text())).append(".</p>\n");
    facts
        .config()
        .provenance()
        .neuronpediaId()
        .ifPresent(
            id -> {
              String url = NEURONPEDIA + id + "/" + facts.options().index();
              html.append("<p><a rel=\"noreferrer\" href=\"").append(escape(url)).append("\">");
              html.append("This feature on Neuronpedia</a></p>\n");
            });
    html.append("<nav aria-label=\"Sections\"><ul>\n");
    for (String[] link :
        new String[][] {
          {"overview", "Overview"},
          {"lens", "Tokens it promotes"},
          {"top", "Most active"},
          {"bins", "Across its range"},
          {"attribution", "What it depends on"},
          {"near", "Nearest features"},
          {"about", "About"}
        }) {
      html.append("<li><a href=\"#").append(link[0]).append("\">").append(link[1]);
      html.append("</a></li>\n");
    }
    html.append("</ul></nav>\n</header>\n");
  }

  private String architecture() {
    return facts.config().architecture().name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private void overview() {
    open("overview", "Overview", "");
    html.append("<div class=\"columns\">\n<dl class=\"facts\">\n");
    var activations = facts.activations();
    fact(
        "Active on",
        activations.activeTokens() == 0
            ? "no token here"
            : Numbers.significant(100 * activations.frequency(), 3)
                + " % of the tokens ("
                + Numbers.grouped(activations.activeTokens())
                + ")");
    if (activations.activeTokens() > 0) {
      fact("Largest activation", Numbers.significant(activations.largest(), 4));
      fact("Mean where active", Numbers.significant(activations.meanWhereActive(), 4));
    }
    facts
        .encoderDecoderCosine()
        .ifPresent(c -> fact("Encoder and decoder", "cosine " + Numbers.significant(c, 3)));
    facts
        .effect()
        .ifPresent(
            effect ->
                fact(
                    "Taking it out",
                    "changes the log-probability of the next token by "
                        + Numbers.significant(effect.meanNats(), 3)
                        + " nats on average where it is active ("
                        + Numbers.grouped(effect.positions())
                        + " positions of "
                        + effect.rows()
                        + " rows), and by "
                        + Numbers.significant(effect.meanElsewhereNats(), 3)
                        + " elsewhere in these rows"));
    html.append("</dl>\n");
    html.append(HistogramDrawing.of(activations.histogram(HistogramDrawing.BINS)));
    html.append("</div>\n");
    close();
  }

  private void fact(String name, String value) {
    html.append("<dt>").append(escape(name)).append("</dt><dd>").append(escape(value));
    html.append("</dd>\n");
  }

  private void lens() {
    if (facts.lens().isEmpty()) {
      open("lens", "Tokens it promotes", "What this SAE writes does not go to the unembedding.");
      close();
      return;
    }
    String masked =
        facts.maskedTokens() == 0
            ? ""
            : " Left out are "
                + facts.maskedTokens()
                + " tokens that the model hardly learnt, told by the norms of their unembeddings.";
    open(
        "lens",
        "Tokens it promotes",
        "What the feature's direction adds to each token's logit on its way straight to the"
            + " unembedding, for an activation of 1, without the final layer norm."
            + masked);
    View view = facts.lens().get();
    double scale =
        Math.max(
            view.promoted().stream().mapToDouble(t -> Math.abs(t.logit())).max().orElse(1),
            view.suppressed().stream().mapToDouble(t -> Math.abs(t.logit())).max().orElse(1));
    html.append("<div class=\"columns\">\n");
    tokens("Promoted", "up", view.promoted(), scale);
    tokens("Suppressed", "down", view.suppressed(), scale);
    html.append("</div>\n");
    close();
  }

  private void tokens(String caption, String kind, List<TokenLogit> tokens, double scale) {
    html.append("<table class=\"tokens ").append(kind).append("\"><caption>").append(caption);
    html.append("</caption><thead><tr><th scope=\"col\">token</th><th scope=\"col\">logit</th>");
    html.append("</tr></thead><tbody>\n");
    for (TokenLogit token : tokens) {
      html.append("<tr><td><code>").append(escape(text.alone(token.token())));
      html.append("</code></td><td class=\"bar\" style=\"--part:");
      html.append(part(Math.abs(token.logit()) / scale)).append("\">");
      html.append(Numbers.significant(token.logit(), 3)).append("</td></tr>\n");
    }
    html.append("</tbody></table>\n");
  }

  private void examples(String id, String heading, String intro, List<Example> examples) {
    open(id, heading, examples.isEmpty() ? "The feature is active on no token here." : intro);
    if (!examples.isEmpty()) {
      ExampleList list = new ExampleList(facts.activations(), text);
      html.append(list.html(examples));
    }
    close();
  }

  private void attribution() {
    facts
        .attribution()
        .ifPresent(
            attribution -> {
              open(
                  "attribution",
                  "What it depends on",
                  "The text of the most active example, up to its token. Each token was removed in"
                      + " turn and the model run again: orange where the activation at the last"
                      + " token falls without it, blue where it rises. Two tokens of which either"
                      + " is enough do not show.");
              html.append(
                  new ExampleList(facts.activations(), text)
                      .attribution(attribution.row(), attribution.scores()));
              close();
            });
  }

  private void neighbours() {
    open(
        "near",
        "Nearest features",
        "By the cosine of decoder directions within this SAE, with the tokens they promote most.");
    html.append("<div class=\"scroll\" tabindex=\"0\" role=\"region\" ");
    html.append("aria-label=\"Nearest features\">\n<table class=\"near\"><thead><tr>");
    html.append("<th scope=\"col\">feature</th><th scope=\"col\">cosine</th>");
    html.append("<th scope=\"col\">promotes</th></tr></thead><tbody>\n");
    for (int i = 0; i < facts.neighbours().size(); i++) {
      Neighbour neighbour = facts.neighbours().get(i);
      html.append("<tr><td class=\"number\">").append(neighbour.feature());
      html.append("</td><td class=\"number\">");
      html.append(Numbers.significant(neighbour.cosine(), 3)).append("</td><td>");
      if (!facts.neighbourLenses().isEmpty()) {
        html.append(
            facts.neighbourLenses().get(i).promoted().stream()
                .map(t -> "<code>" + escape(text.alone(t.token())) + "</code>")
                .collect(Collectors.joining(" ")));
      }
      html.append("</td></tr>\n");
    }
    html.append("</tbody></table>\n</div>\n");
    close();
  }

  private void about() {
    open("about", "About", "");
    html.append("<dl>\n");
    var config = facts.config();
    fact(
        "SAE",
        facts.sae()
            + ": "
            + architecture()
            + ", d_in "
            + config.dIn()
            + ", "
            + Numbers.grouped(config.dSae())
            + " features, reads "
            + config.point().name());
    fact("Model", facts.model() + ", weights " + facts.weights());
    fact(
        "Text",
        facts.options().text()
            + ": "
            + Numbers.grouped(facts.activations().tokens().rows())
            + " rows of up to "
            + facts.activations().tokens().maxLength()
            + " tokens");
    fact("Seed of the drawn examples", String.valueOf(facts.options().seed()));
    html.append("</dl>\n");
    close();
  }

  private void open(String id, String heading, String intro) {
    html.append("<section id=\"").append(id).append("\">\n<h2>").append(escape(heading));
    html.append("</h2>\n");
    if (!intro.isEmpty()) {
      html.append("<p>").append(escape(intro)).append("</p>\n");
    }
  }

  private void close() {
    html.append("</section>\n");
  }

  /** Returns a part from 0 to 1 for a style. */
  static String part(double value) {
    return String.format(Locale.ROOT, "%.3f", Math.clamp(value, 0.0, 1.0));
  }

  static String escape(String text) {
    StringBuilder escaped = new StringBuilder(text.length());
    for (char ch : text.toCharArray()) {
      switch (ch) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        default -> escaped.append(ch < ' ' && ch != '\n' && ch != '\t' ? '\ufffd' : ch);
      }
    }
    return escaped.toString();
  }

  private static String css() {
    try (InputStream in = FeaturePage.class.getResourceAsStream("feature.css")) {
      if (in == null) {
        throw new IllegalStateException("the resource feature.css is missing; rebuild Resid");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

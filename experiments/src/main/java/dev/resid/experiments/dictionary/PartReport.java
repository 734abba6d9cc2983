package dev.resid.experiments.dictionary;

import dev.resid.experiments.report.Section.Cards;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.result.ResultTable;
import java.util.List;
import java.util.Map;

/**
 * What a part of the study adds to the page.
 *
 * @param figures what is drawn; those without a figure are left out
 * @param cards things looked at one by one
 * @param findings what was expected, and what was found
 * @param definitions words that are used
 * @param remarks what differs from the source
 * @param shown tables on the page
 * @param tables files by name
 */
record PartReport(
    List<Figures> figures,
    List<Cards> cards,
    List<Finding> findings,
    List<Term> definitions,
    List<String> remarks,
    List<Table> shown,
    Map<String, ResultTable> tables) {}

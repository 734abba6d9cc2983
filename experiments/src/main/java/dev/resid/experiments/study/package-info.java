/**
 * What studies have in common whose data are rows and whose results are numbers of each row: a
 * folder that a run goes on in, intervals over rows, and a page. Start at {@link
 * dev.resid.experiments.study.Study}. May depend on {@code direction}, {@code report}, {@code
 * result} and {@code sweep}.
 */
package dev.resid.experiments.study;

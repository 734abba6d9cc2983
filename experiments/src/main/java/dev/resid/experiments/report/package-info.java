/**
 * Figures and the report page. A {@link dev.resid.experiments.report.Chart} is laid out once as a
 * {@link dev.resid.experiments.report.Drawing}, which is written as SVG and as PNG, so that both
 * agree. PNG text is drawn with strokes of the project's own, so that pictures are the same bytes
 * on every machine, also on one without fonts. Start at {@link dev.resid.experiments.report.Chart}.
 * May depend on {@code core} and {@code result}.
 */
package dev.resid.experiments.report;

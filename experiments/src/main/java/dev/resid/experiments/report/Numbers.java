package dev.resid.experiments.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as people read them. */
public final class Numbers {
  private static final String SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

  private Numbers() {}

  /** Returns a number with as many decimals as its step has, and a true minus sign. */
  static String rounded(double value, double step) {
    int decimals = Math.max(0, (int) Math.ceil(-Math.log10(step) - 1e-9));
    // 2.5 and 0.25 need one more decimal than their power of ten
    double scaled = step * Math.pow(10, decimals);
    if (Math.abs(scaled - Math.rint(scaled)) > 1e-6) {
      decimals++;
    }
    return minus(String.format(Locale.ROOT, "%." + decimals + "f", value));
  }

  /**
   * Returns a positive number of one digit: plain from 0.001 to 9,999, else with a power of ten.
   */
  static String power(double value) {
    int exponent = (int) Math.floor(Math.log10(value) + 1e-9);
    long digit = Math.round(value / Math.pow(10, exponent));
    if (exponent >= -3 && exponent <= 3) {
      return exponent >= 0
          ? String.valueOf(Math.round(value))
          : String.format(Locale.ROOT, "%." + -exponent + "f", value);
    }
    return (digit == 1 ? "" : digit + "·") + "10" + superscript(exponent);
  }

  /**
   * Returns a number with some significant digits, zeros at the end included: plain where that is
   * short, else with a power of ten.
   *
   * @param value any finite number
   * @param digits at least 1
   */
  public static String significant(double value, int digits) {
    if (value == 0) {
      return "0";
    }
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(digits));
    int exponent = rounded.precision() - rounded.scale() - 1;
    int decimals = Math.max(0, digits - 1 - exponent);
    if (exponent >= -4 && exponent < 6) {
      return minus(rounded.setScale(decimals, RoundingMode.HALF_EVEN).toPlainString());
    }
    BigDecimal mantissa = rounded.movePointLeft(exponent);
    return minus(mantissa.setScale(digits - 1, RoundingMode.HALF_EVEN).toPlainString())
        + "·10"
        + superscript(exponent);
  }

  /** Returns a number with at most four significant digits and no zeros at the end. */
  public static String brief(double value) {
    String text = significant(value, 4);
    int power = text.indexOf('·');
    String digits = power < 0 ? text : text.substring(0, power);
    String shortened =
        digits.contains(".") ? digits.replaceAll("0+$", "").replaceAll("\\.$", "") : digits;
    return shortened + (power < 0 ? "" : text.substring(power));
  }

  /** Returns a whole number with narrow no-break spaces between groups of three digits. */
  public static String grouped(long value) {
    return minus(String.format(Locale.ROOT, "%,d", value).replace(',', '\u202f'));
  }

  private static String minus(String text) {
    return text.replace('-', '\u2212');
  }

  private static String superscript(int exponent) {
    StringBuilder text = new StringBuilder(exponent < 0 ? "⁻" : "");
    for (char digit : String.valueOf(Math.abs(exponent)).toCharArray()) {
      text.append(SUPERSCRIPTS.charAt(digit - '0'));
    }
    return text.toString();
  }
}

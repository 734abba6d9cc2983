package dev.resid.backend.cuda;

import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.logging.StreamHandler;

/** What a class writes to the log, also what is not shown. */
final class Said {
  private Said() {}

  /** Returns the messages of a class while something runs. */
  static List<String> by(Class<?> speaker, Runnable work) {
    List<String> said = new ArrayList<>();
    Logger logger = Logger.getLogger(speaker.getName());
    Handler handler =
        new StreamHandler(OutputStream.nullOutputStream(), new SimpleFormatter()) {
          @Override
          public void publish(LogRecord entry) {
            said.add(new SimpleFormatter().formatMessage(entry));
          }
        };
    Level before = logger.getLevel();
    logger.setLevel(Level.ALL);
    logger.addHandler(handler);
    try {
      work.run();
    } finally {
      logger.removeHandler(handler);
      logger.setLevel(before);
    }
    return said;
  }
}

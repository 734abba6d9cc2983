package dev.resid.tokenizer;

import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Steps through one JSON file; each step says what it expects and complains with file and place.
 */
final class JsonCursor {
  private final JsonParser parser;
  private final String file;

  JsonCursor(JsonParser parser, String file) {
    this.parser = parser;
    this.file = file;
  }

  /** Returns what errors call the file. */
  String file() {
    return file;
  }

  /** Goes to the next token, which must open an object. */
  void enterObject(String where) throws TokenizerFormatException {
    expect(parser.nextToken(), JsonToken.START_OBJECT, where, "an object");
  }

  /** Goes to the next token, which must open an array. */
  void enterArray(String where) throws TokenizerFormatException {
    expect(parser.nextToken(), JsonToken.START_ARRAY, where, "an array");
  }

  /** Returns the next key of the object the cursor is in, or null after the last one. */
  String nextKey() {
    return parser.nextToken() == JsonToken.END_OBJECT ? null : parser.currentName();
  }

  /** Goes to the next element of the array the cursor is in; returns false after the last one. */
  boolean nextElement() {
    return parser.nextToken() != JsonToken.END_ARRAY;
  }

  /** Returns whether the cursor stands at the beginning of an array. */
  boolean atArray() {
    return parser.currentToken() == JsonToken.START_ARRAY;
  }

  /** Returns whether the cursor stands at the beginning of an object. */
  boolean atObject() {
    return parser.currentToken() == JsonToken.START_OBJECT;
  }

  /** Returns whether the cursor stands at null. */
  boolean atNull() {
    return parser.currentToken() == JsonToken.VALUE_NULL;
  }

  /** Goes to the value of the key the cursor stands at. */
  void enterValue() {
    parser.nextToken();
  }

  /** Passes over the value of the key the cursor stands at. */
  void skipValue() {
    parser.nextToken();
    parser.skipChildren();
  }

  /** Returns the string the cursor stands at. */
  String string(String where) throws TokenizerFormatException {
    expect(parser.currentToken(), JsonToken.VALUE_STRING, where, "a string");
    return parser.getString();
  }

  /** Returns the string that is the value of the key the cursor stands at; null for null. */
  String stringOrNullValue(String where) throws TokenizerFormatException {
    return parser.nextToken() == JsonToken.VALUE_NULL ? null : string(where);
  }

  /** Returns the boolean that is the value of the key the cursor stands at; false for null. */
  boolean booleanValue(String where) throws TokenizerFormatException {
    return switch (parser.nextToken()) {
      case VALUE_TRUE -> true;
      case VALUE_FALSE, VALUE_NULL -> false;
      default -> throw unexpected(where, "true or false");
    };
  }

  /** Returns the id that is the value of the key the cursor stands at. */
  int idValue(String where) throws TokenizerFormatException {
    if (parser.nextToken() != JsonToken.VALUE_NUMBER_INT
        || parser.getNumberType() != JsonParser.NumberType.INT
        || parser.getIntValue() < 0) {
      throw unexpected(where, "an id from 0 to " + Integer.MAX_VALUE);
    }
    return parser.getIntValue();
  }

  /** Checks that nothing follows. */
  void end() throws TokenizerFormatException {
    if (parser.nextToken() != null) {
      throw unexpected("after the end", "nothing");
    }
  }

  /** Returns the exception for what the cursor stands at. */
  TokenizerFormatException unexpected(String where, String expected) {
    JsonToken token = parser.currentToken();
    String found =
        switch (token) {
          case null -> "the end of the file";
          case START_OBJECT -> "an object";
          case START_ARRAY -> "an array";
          case VALUE_STRING -> "the string '" + parser.getString() + "'";
          default -> parser.getString();
        };
    return new TokenizerFormatException(
        file,
        where + ", " + Json.place(parser),
        "expected " + expected + ", found " + found,
        "Fetch or write the file again");
  }

  private void expect(JsonToken found, JsonToken wanted, String where, String words)
      throws TokenizerFormatException {
    if (found != wanted) {
      throw unexpected(where, words);
    }
  }
}

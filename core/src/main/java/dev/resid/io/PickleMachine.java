package dev.resid.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs the part of Python's pickle language that tensors, dictionaries, lists and scalars need.
 * Opcodes that create objects, import or call anything are refused; the few calls a checkpoint
 * consists of are handed to {@link Calls}, which knows them by name.
 */
// The language is a stack machine: see CPython's Lib/pickletools.py for every opcode. A mark is
// kept as a stack height. Work and memory are bounded by the number of opcodes.
final class PickleMachine {
  private static final int MAX_STEPS = 4_000_000;
  private static final int MAX_PROTOCOL = 5;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private static final Map<Integer, String> REFUSED =
      Map.ofEntries(
          Map.entry((int) 'i', "INST, which creates an object"),
          Map.entry((int) 'o', "OBJ, which creates an object"),
          Map.entry(0x81, "NEWOBJ, which creates an object"),
          Map.entry(0x92, "NEWOBJ_EX, which creates an object"),
          Map.entry(0x82, "EXT1, which imports by number"),
          Map.entry(0x83, "EXT2, which imports by number"),
          Map.entry(0x84, "EXT4, which imports by number"),
          Map.entry((int) 'P', "PERSID"),
          Map.entry((int) 'I', "INT of protocol 0"),
          Map.entry((int) 'L', "LONG of protocol 0"),
          Map.entry((int) 'S', "STRING of Python 2"),
          Map.entry((int) 'T', "BINSTRING of Python 2"),
          Map.entry((int) 'U', "SHORT_BINSTRING of Python 2"),
          Map.entry((int) 'V', "UNICODE of protocol 0"),
          Map.entry((int) 'B', "BINBYTES"),
          Map.entry((int) 'C', "SHORT_BINBYTES"),
          Map.entry(0x8e, "BINBYTES8"),
          Map.entry(0x8b, "LONG4"),
          Map.entry(0x8f, "EMPTY_SET"),
          Map.entry(0x96, "BYTEARRAY8"),
          Map.entry(0x97, "NEXT_BUFFER"));

  private final Path file;
  private final String entry;
  private final MemorySegment bytes;
  private final Calls calls;
  private final List<PickleValue> stack = new ArrayList<>();
  private final List<Integer> marks = new ArrayList<>();
  private final Map<Long, PickleValue> memo = new HashMap<>();
  private long at;
  private long opcodeAt;

  /** What the two opcodes that reach outside the language mean. */
  interface Calls {
    /**
     * Returns what a known function makes of its arguments.
     *
     * @throws BadPickle if it cannot
     */
    PickleValue reduce(TorchGlobal function, List<PickleValue> arguments) throws BadPickle;

    /**
     * Returns what a persistent id stands for.
     *
     * @throws BadPickle if it stands for nothing
     */
    PickleValue persistent(PickleValue id) throws BadPickle;
  }

  /** Says which rule is broken; the machine adds the place. */
  static final class BadPickle extends Exception {
    private static final long serialVersionUID = 1L;

    BadPickle(String rule) {
      super(rule);
    }
  }

  private PickleMachine(Path file, String entry, MemorySegment bytes, Calls calls) {
    this.file = file;
    this.entry = entry;
    this.bytes = bytes;
    this.calls = calls;
  }

  /**
   * Returns the value a pickle describes.
   *
   * @param file for messages
   * @param entry name of the archive's entry, for messages
   * @param bytes the pickle and nothing else
   * @param calls meaning of calls and persistent ids
   * @throws TensorFileException if the pickle is damaged or wants more than data
   */
  static PickleValue run(Path file, String entry, MemorySegment bytes, Calls calls)
      throws TensorFileException {
    PickleMachine machine = new PickleMachine(file, entry, bytes, calls);
    try {
      return machine.run();
    } catch (BadPickle e) {
      TensorFileException refusal =
          new TensorFileException(
              file,
              "zip entry " + Printable.quoted(entry) + ", byte " + machine.opcodeAt,
              e.getMessage(),
              "Nothing of it was run. Load the file in Python with weights_only=True and save the"
                  + " tensors as safetensors");
      refusal.initCause(e);
      throw refusal;
    }
  }

  private PickleValue run() throws BadPickle {
    for (int steps = 0; steps < MAX_STEPS; steps++) {
      opcodeAt = at;
      int opcode = u8();
      if (opcode == '.') {
        if (stack.size() != 1 || !marks.isEmpty()) {
          throw new BadPickle("the pickle stops with " + stack.size() + " values, expected 1");
        }
        if (at != bytes.byteSize()) {
          throw new BadPickle((bytes.byteSize() - at) + " bytes follow the end of the pickle");
        }
        return stack.getFirst();
      }
      if (!pushData(opcode) && !buildContainer(opcode) && !useMemo(opcode)) {
        reachOut(opcode);
      }
    }
    throw new BadPickle("the pickle has more than " + MAX_STEPS + " opcodes");
  }

  /** Opcodes that push a constant. */
  private boolean pushData(int opcode) throws BadPickle {
    switch (opcode) {
      case 'N' -> stack.add(PickleValue.None.NONE);
      case 0x88 -> scalar(true);
      case 0x89 -> scalar(false);
      case 'K' -> scalar((long) u8());
      case 'M' -> scalar((long) (u8() | u8() << 8));
      case 'J' -> scalar((long) bytes.get(INT, take(4)));
      case 0x8a -> scalar(longOfLength(u8()));
      case 'G' -> scalar(bytes.get(DOUBLE, take(8)));
      case 'X' -> scalar(text(bytes.get(INT, take(4)) & 0xFFFFFFFFL));
      case 0x8c -> scalar(text(u8()));
      case 0x8d -> scalar(text(bytes.get(LONG, take(8))));
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Opcodes that make and fill lists, tuples and dictionaries. */
  private boolean buildContainer(int opcode) throws BadPickle {
    switch (opcode) {
      case '(' -> marks.add(stack.size());
      case ']', ')' -> stack.add(new PickleValue.Sequence(List.of()));
      case '}' -> stack.add(new PickleValue.Dictionary());
      case 't', 'l' -> stack.add(new PickleValue.Sequence(popToMark()));
      case 0x85, 0x86, 0x87 -> stack.add(new PickleValue.Sequence(pop(opcode - 0x84)));
      case 'd' -> {
        List<PickleValue> items = popToMark();
        PickleValue.Dictionary dictionary = new PickleValue.Dictionary();
        fill(dictionary, items);
        stack.add(dictionary);
      }
      case 'a' -> {
        List<PickleValue> items = pop(1);
        append(items);
      }
      case 'e' -> append(popToMark());
      case 's' -> {
        List<PickleValue> items = pop(2);
        fill(top(), items);
      }
      case 'u' -> {
        List<PickleValue> items = popToMark();
        fill(top(), items);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Opcodes that remember and recall values. */
  private boolean useMemo(int opcode) throws BadPickle {
    switch (opcode) {
      case 'q' -> memo.put((long) u8(), top());
      case 'r' -> memo.put(bytes.get(INT, take(4)) & 0xFFFFFFFFL, top());
      case 0x94 -> memo.put((long) memo.size(), top());
      case 'h' -> stack.add(recall(u8()));
      case 'j' -> stack.add(recall(bytes.get(INT, take(4)) & 0xFFFFFFFFL));
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Frames, names, calls and persistent ids; everything else is refused. */
  private void reachOut(int opcode) throws BadPickle {
    switch (opcode) {
      case 0x80 -> {
        int protocol = u8();
        if (protocol > MAX_PROTOCOL) {
          throw new BadPickle("pickle protocol " + protocol + ", expected 2 to " + MAX_PROTOCOL);
        }
      }
      case 0x95 -> {
        long length = bytes.get(LONG, take(8));
        if (length < 0 || length > bytes.byteSize() - at) {
          throw new BadPickle("a frame of " + length + " bytes reaches past the end");
        }
      }
      case 'c' -> global(line(), line());
      case 0x93 -> {
        List<PickleValue> names = pop(2);
        if (!(names.get(0) instanceof PickleValue.Scalar(String module))
            || !(names.get(1) instanceof PickleValue.Scalar(String name))) {
          throw new BadPickle("a global must be named by two strings");
        }
        global(module, name);
      }
      case 'R' -> {
        List<PickleValue> call = pop(2);
        if (!(call.get(0) instanceof PickleValue.Known(TorchGlobal function))
            || !(call.get(1) instanceof PickleValue.Sequence arguments)) {
          throw new BadPickle("it calls what is not a known function");
        }
        stack.add(calls.reduce(function, List.copyOf(arguments.items())));
      }
      case 'Q' -> stack.add(calls.persistent(pop(1).getFirst()));
      case 'b' -> {
        // state_dict() hangs version numbers on its OrderedDict; they have no use here.
        PickleValue state = pop(1).getFirst();
        if (!(top() instanceof PickleValue.Dictionary)
            || !(state instanceof PickleValue.Dictionary)) {
          throw new BadPickle("it sets the state of what is no OrderedDict");
        }
      }
      default ->
          throw new BadPickle(
              String.format(
                  "opcode 0x%02x %s is not one of those that data needs",
                  opcode, REFUSED.containsKey(opcode) ? "(" + REFUSED.get(opcode) + ")" : ""));
    }
  }

  private void global(String module, String name) throws BadPickle {
    TorchGlobal global = TorchGlobal.named(module, name).orElse(null);
    if (global == null) {
      throw new BadPickle(
          "it refers to "
              + Printable.quoted(module + "." + name)
              + ", which is not one of the names that tensors need");
    }
    if (global.isDtype()) {
      scalar(global.dotted());
    } else {
      stack.add(new PickleValue.Known(global));
    }
  }

  private void append(List<PickleValue> items) throws BadPickle {
    if (!(top() instanceof PickleValue.Sequence list)) {
      throw new BadPickle("it appends to what is no list");
    }
    list.items().addAll(items);
  }

  private static void fill(PickleValue target, List<PickleValue> items) throws BadPickle {
    if (!(target instanceof PickleValue.Dictionary dictionary)) {
      throw new BadPickle("it sets items of what is no dictionary");
    }
    if (items.size() % 2 != 0) {
      throw new BadPickle("a key of a dictionary has no value");
    }
    for (int i = 0; i < items.size(); i += 2) {
      if (!(items.get(i) instanceof PickleValue.Scalar key)) {
        throw new BadPickle("a key of a dictionary is neither a string nor a number");
      }
      dictionary.items().put(key, items.get(i + 1));
    }
  }

  private PickleValue recall(long index) throws BadPickle {
    PickleValue value = memo.get(index);
    if (value == null) {
      throw new BadPickle("it recalls value " + index + ", which was never stored");
    }
    return value;
  }

  private PickleValue top() throws BadPickle {
    if (stack.size() <= floor()) {
      throw new BadPickle("it uses a value that is not there");
    }
    return stack.getLast();
  }

  private List<PickleValue> pop(int count) throws BadPickle {
    if (stack.size() - count < floor()) {
      throw new BadPickle("it uses a value that is not there");
    }
    List<PickleValue> tail = stack.subList(stack.size() - count, stack.size());
    List<PickleValue> popped = List.copyOf(tail);
    tail.clear();
    return popped;
  }

  private List<PickleValue> popToMark() throws BadPickle {
    if (marks.isEmpty()) {
      throw new BadPickle("it uses a mark that is not there");
    }
    List<PickleValue> popped = pop(stack.size() - floor());
    marks.removeLast();
    return popped;
  }

  private int floor() {
    return marks.isEmpty() ? 0 : marks.getLast();
  }

  private void scalar(Object value) {
    stack.add(new PickleValue.Scalar(value));
  }

  private long longOfLength(int length) throws BadPickle {
    if (length > 8) {
      throw new BadPickle("an integer of " + length + " bytes does not fit in 64 bits");
    }
    long from = take(length);
    long value = 0;
    for (int i = length - 1; i >= 0; i--) {
      int b = bytes.get(ValueLayout.JAVA_BYTE, from + i);
      value = i == length - 1 ? b : value << 8 | b & 0xFF;
    }
    return value;
  }

  private String text(long length) throws BadPickle {
    MemorySegment text = bytes.asSlice(take(length), length);
    if (Utf8.firstInvalid(text) >= 0) {
      throw new BadPickle("a string is not UTF-8");
    }
    if (length > Integer.MAX_VALUE - 8) {
      throw new BadPickle("a string has " + length + " bytes");
    }
    return new String(text.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }

  private String line() throws BadPickle {
    long from = at;
    while (u8() != '\n') {
      if (at - from > 1000) {
        throw new BadPickle("a name has more than 1000 bytes");
      }
    }
    MemorySegment text = bytes.asSlice(from, at - 1 - from);
    if (Utf8.firstInvalid(text) >= 0) {
      throw new BadPickle("a name is not UTF-8");
    }
    return new String(text.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }

  private int u8() throws BadPickle {
    return bytes.get(ValueLayout.JAVA_BYTE, take(1)) & 0xFF;
  }

  /** Moves on by some bytes and returns where they begin. */
  private long take(long length) throws BadPickle {
    if (length < 0 || length > bytes.byteSize() - at) {
      throw new BadPickle("the pickle ends too early");
    }
    long from = at;
    at += length;
    return from;
  }
}

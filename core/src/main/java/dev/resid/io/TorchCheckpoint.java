package dev.resid.io;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An open file of PyTorch's {@code torch.save}, zip format (version 1.6 and later). Its pickle is
 * read as data by a machine that knows some forty opcodes and the few names tensors need; anything
 * else, a module or configuration object among them, is refused by name, and nothing is ever run or
 * constructed. Nested dictionaries and lists become names joined by dots: {@code {"model": {"w":
 * ...}, "list": [...]}} gives {@code model.w} and {@code list.0}.
 *
 * <p>Strides and offsets are honoured: a transposed or expanded view reads as the tensor it is.
 * PyTorch does not compare checksums, and lets them be wrong, so this class does not either.
 */
public final class TorchCheckpoint extends TensorFile {
  private static final String PICKLE = "data.pkl";
  private static final int MAX_DEPTH = 64;
  private static final int MAX_VALUES = 2_000_000;
  private static final int MAX_CHARACTERS = 20_000_000;

  /** How the format before 1.6 begins: protocol 2 and its ten-byte magic number. */
  private static final String LEGACY_MAGIC =
      "\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019";

  private final ZipArchive zip;
  private final ByteOrder order;
  private final Map<String, PickleValue.View> views;
  private final Map<String, Object> scalars;

  private TorchCheckpoint(
      MappedFile mapped,
      Map<String, TensorInfo> table,
      ZipArchive zip,
      ByteOrder order,
      Collector found) {
    super(mapped, table);
    this.zip = zip;
    this.order = order;
    this.views = found.views;
    this.scalars = Collections.unmodifiableMap(found.scalars);
  }

  /**
   * Returns the open file.
   *
   * @param file path of the file
   * @throws TensorFileException if it is damaged, of the format before PyTorch 1.6, or holds
   *     anything but dictionaries, lists, tensors, numbers, strings, booleans and None
   * @throws IOException if it cannot be read
   */
  public static TorchCheckpoint open(Path file) throws IOException {
    return open(MappedFile.open(file));
  }

  /** Takes over a mapped file, which is closed with the result or if there is none. */
  static TorchCheckpoint open(MappedFile mapped) throws TensorFileException {
    Path file = mapped.file();
    try {
      checkZip(file, mapped.bytes());
      ZipArchive zip = ZipArchive.parse(file, mapped.bytes());
      ZipArchive.Entry pickle = pickle(file, zip);
      String prefix = pickle.name().substring(0, pickle.name().length() - PICKLE.length());
      PickleValue root =
          PickleMachine.run(file, pickle.name(), zip.content(pickle), new TorchCalls(zip, prefix));
      Collector found = new Collector(file, pickle.name());
      found.collect("", root, 0);
      Map<String, TensorInfo> table = new LinkedHashMap<>();
      found.views.forEach((name, view) -> table.put(name, info(name, view)));
      return new TorchCheckpoint(mapped, table, zip, byteOrder(file, zip, prefix), found);
    } catch (InternalError e) {
      mapped.close();
      throw mapped.cutShort(e);
    } catch (TensorFileException | RuntimeException | Error e) {
      mapped.close();
      throw e;
    }
  }

  /** Returns whether an entry of a zip file is the pickle of a checkpoint, by its name. */
  static boolean isPickle(String entry) {
    return entry.equals(PICKLE) || entry.endsWith("/" + PICKLE);
  }

  @Override
  public String format() {
    return "torch";
  }

  /**
   * Returns the numbers, booleans and strings beside the tensors by name: Long, Double, Boolean or
   * String; dtypes and devices are strings. None is left out.
   */
  public Map<String, Object> scalars() {
    return scalars;
  }

  @Override
  Numbers values(TensorInfo info) throws TensorFileException {
    PickleValue.View view = views.get(info.name());
    PickleValue.Storage storage = view.storage();
    MemorySegment content = zip.content(storage.entry());
    long bytes = storage.dtype().bytes();
    if (view.isContiguous()) {
      long length = info.elements() * bytes;
      MemorySegment data = content.asSlice(length == 0 ? 0 : view.offset() * bytes, length);
      return new RawNumbers(file(), info.name(), storage.dtype(), data, order);
    }
    RawNumbers all =
        new RawNumbers(
            file(),
            info.name(),
            storage.dtype(),
            content.asSlice(0, storage.count() * bytes),
            order);
    return new StridedNumbers(
        all,
        view.offset(),
        view.sizes().stream().mapToLong(Long::longValue).toArray(),
        view.strides().stream().mapToLong(Long::longValue).toArray());
  }

  private static TensorInfo info(String name, PickleValue.View view) {
    PickleValue.Storage storage = view.storage();
    long begin = storage.entry().begin();
    long end = storage.entry().end();
    if (storage.entry().isStored()) {
      int bytes = storage.dtype().bytes();
      begin += view.offset() * bytes;
      end = begin + view.span() * bytes;
    }
    return new TensorInfo(name, storage.dtype(), view.sizes(), begin, end);
  }

  private static void checkZip(Path file, MemorySegment bytes) throws TensorFileException {
    if (FileKind.startsWith(bytes, ZipArchive.MAGIC)) {
      return;
    }
    String found =
        FileKind.startsWith(bytes, LEGACY_MAGIC)
            ? "this is torch.save's format from before PyTorch 1.6, which is not supported"
            : FileKind.startsWith(bytes, "\u0080")
                ? "this is a bare pickle, which is not supported"
                : "expected a zip file as torch.save writes it";
    throw new TensorFileException(
        file,
        "byte 0",
        found,
        "Load it in Python with weights_only=True and save the tensors as safetensors");
  }

  private static ZipArchive.Entry pickle(Path file, ZipArchive zip) throws TensorFileException {
    List<ZipArchive.Entry> found =
        zip.entries().values().stream().filter(e -> isPickle(e.name())).toList();
    if (found.size() != 1) {
      throw new TensorFileException(
          file,
          "zip directory",
          "expected one entry " + PICKLE + ", found " + found.size(),
          "Name a file written by torch.save");
    }
    return found.getFirst();
  }

  private static ByteOrder byteOrder(Path file, ZipArchive zip, String prefix)
      throws TensorFileException {
    ZipArchive.Entry entry = zip.entries().get(prefix + "byteorder");
    if (entry == null) {
      return ByteOrder.LITTLE_ENDIAN; // written since PyTorch 2.1 only
    }
    byte[] text = zip.start(entry, 16).toArray(ValueLayout.JAVA_BYTE);
    return switch (new String(text, StandardCharsets.ISO_8859_1)) {
      case "little" -> ByteOrder.LITTLE_ENDIAN;
      case "big" -> ByteOrder.BIG_ENDIAN;
      default ->
          throw new TensorFileException(
              file,
              "zip entry " + Printable.quoted(entry.name()),
              "the byte order must be little or big",
              SafetensorsException.DAMAGED);
    };
  }

  /** Gives every tensor and scalar of a tree its name. */
  private static final class Collector {
    private final Path file;
    private final String entry;
    private final Map<String, PickleValue.View> views = new LinkedHashMap<>();
    private final Map<String, Object> scalars = new LinkedHashMap<>();
    private int visited;
    private long characters;

    Collector(Path file, String entry) {
      this.file = file;
      this.entry = entry;
    }

    void collect(String name, PickleValue value, int depth) throws TensorFileException {
      characters += name.length();
      // Shared lists make a tree of any size out of few bytes, a list in itself an endless one.
      if (depth > MAX_DEPTH || ++visited > MAX_VALUES || characters > MAX_CHARACTERS) {
        throw fail(
            "key " + Printable.quoted(name),
            "the data is nested deeper than "
                + MAX_DEPTH
                + " or has more than "
                + MAX_VALUES
                + " values");
      }
      switch (value) {
        case PickleValue.None none -> {}
        case PickleValue.Scalar scalar -> put(scalars, name, scalar.value());
        case PickleValue.View view -> put(views, name, view);
        case PickleValue.Sequence sequence -> {
          List<PickleValue> items = sequence.items();
          for (int i = 0; i < items.size(); i++) {
            collect(join(name, Integer.toString(i)), items.get(i), depth + 1);
          }
        }
        case PickleValue.Dictionary dictionary -> {
          for (Map.Entry<PickleValue.Scalar, PickleValue> item : dictionary.items().entrySet()) {
            collect(join(name, item.getKey().value().toString()), item.getValue(), depth + 1);
          }
        }
        case PickleValue.Known known ->
            throw fail(
                "key " + Printable.quoted(name),
                "it is the class " + known.global().dotted() + ", expected data");
        case PickleValue.Storage storage ->
            throw fail("key " + Printable.quoted(name), "it is a storage, expected a tensor");
      }
    }

    private <T> void put(Map<String, T> target, String name, T value) throws TensorFileException {
      if (views.containsKey(name) || scalars.containsKey(name)) {
        throw fail(
            "key " + Printable.quoted(name),
            "two values have this name once keys are joined by dots");
      }
      target.put(name, value);
    }

    private static String join(String prefix, String key) {
      return prefix.isEmpty() ? key : prefix + "." + key;
    }

    private TensorFileException fail(String where, String rule) {
      return new TensorFileException(
          file,
          "zip entry " + Printable.quoted(entry) + ", " + where,
          rule,
          "Save a dictionary of tensors, or convert it to safetensors");
    }
  }
}

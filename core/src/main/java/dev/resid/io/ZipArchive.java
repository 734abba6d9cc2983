package dev.resid.io;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The directory of a zip file, checked as a whole. The JDK's own reader gives streams; this one
 * gives the place of stored entries, so that they can be used where they lie.
 *
 * @param file for messages
 * @param bytes the whole file
 * @param entries by name, in the order of the directory
 */
// Layout (PKWARE APPNOTE 6.3.10, section 4.3): entries, each behind a local header; the central
// directory; with zip64 its 64-bit end record and a locator; the end record and a comment.
record ZipArchive(Path file, MemorySegment bytes, Map<String, Entry> entries) {
  /** What a zip file with entries begins with. */
  static final String MAGIC = "PK\u0003\u0004";

  /** What a zip file without entries begins with. */
  static final String EMPTY_MAGIC = "PK\u0005\u0006";

  /** Deflate makes at most 1032 bytes of one (zlib's technical notes). */
  private static final long MAX_INFLATION = 1032;

  /** A byte buffer holds less than 2 GiB. */
  private static final long PIECE = 1 << 16;

  private static final int LOCAL = 0x04034b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int END = 0x06054b50;
  private static final int END_64 = 0x06064b50;
  private static final int LOCATOR_64 = 0x07064b50;
  private static final int LOCAL_BYTES = 30;
  private static final int CENTRAL_BYTES = 46;
  private static final int END_BYTES = 22;
  private static final int LOCATOR_BYTES = 20;
  private static final int END_64_BYTES = 56;
  private static final int MAX_COMMENT = 0xFFFF;
  private static final int ZIP64_EXTRA = 1;
  private static final int STORED = 0;
  private static final int DEFLATED = 8;
  private static final int FLAG_ENCRYPTED = 1;
  private static final int FLAG_UTF8 = 1 << 11;
  private static final long ALL_32 = 0xFFFFFFFFL;
  private static final int ALL_16 = 0xFFFF;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * One entry.
   *
   * @param name path in the archive
   * @param method 0 stored, 8 deflated
   * @param crc CRC-32 of the content
   * @param size bytes of the content
   * @param begin offset in the file of the first byte as it lies there
   * @param end offset in the file after the last
   */
  record Entry(String name, int method, int crc, long size, long begin, long end) {
    boolean isStored() {
      return method == STORED;
    }
  }

  private record Directory(long begin, long end, long count) {}

  /**
   * Returns the directory of a file.
   *
   * @throws TensorFileException if it is damaged or uses encryption, several disks or another
   *     compression than deflate
   */
  static ZipArchive parse(Path file, MemorySegment bytes) throws TensorFileException {
    Directory directory = directory(file, bytes);
    Map<String, Entry> entries = new LinkedHashMap<>();
    long at = directory.begin();
    for (long i = 0; i < directory.count(); i++) {
      if (directory.end() - at < CENTRAL_BYTES || bytes.get(INT, at) != CENTRAL) {
        throw error(file, at, "expected entry " + i + " of the zip directory");
      }
      long length = CENTRAL_BYTES + u16(bytes, at + 28) + u16(bytes, at + 30) + u16(bytes, at + 32);
      if (length > directory.end() - at) {
        throw error(file, at, "entry " + i + " of the zip directory is cut short");
      }
      Entry entry = entry(file, bytes, at, directory.begin());
      if (entries.putIfAbsent(entry.name(), entry) != null) {
        throw error(
            file,
            at,
            "the name " + Printable.quoted(entry.name()) + " occurs twice in the zip file");
      }
      at += length;
    }
    if (at != directory.end()) {
      throw error(file, at, "the zip directory goes on after its last entry");
    }
    checkOverlap(file, entries);
    return new ZipArchive(file, bytes, Collections.unmodifiableMap(entries));
  }

  private static Directory directory(Path file, MemorySegment bytes) throws TensorFileException {
    long size = bytes.byteSize();
    long end = -1;
    for (long at = size - END_BYTES; at >= Math.max(0, size - END_BYTES - MAX_COMMENT); at--) {
      if (bytes.get(INT, at) == END && u16(bytes, at + 20) == size - END_BYTES - at) {
        end = at;
        break;
      }
    }
    if (end < 0) {
      throw error(file, Math.max(0, size), "the zip file has no end record: it is cut short");
    }
    long disks = u16(bytes, end + 4) | u16(bytes, end + 6);
    long count = u16(bytes, end + 10);
    long length = u32(bytes, end + 12);
    long begin = u32(bytes, end + 16);
    long directoryEnd = end;
    // PyTorch writes the zip64 records whatever the size.
    if (end >= LOCATOR_BYTES && bytes.get(INT, end - LOCATOR_BYTES) == LOCATOR_64) {
      long end64 = bytes.get(LONG, end - LOCATOR_BYTES + 8);
      if (end64 < 0
          || end64 > end - LOCATOR_BYTES - END_64_BYTES
          || bytes.get(INT, end64) != END_64) {
        throw error(file, end - LOCATOR_BYTES, "the locator points to no zip64 end record");
      }
      disks = bytes.get(INT, end64 + 16) | bytes.get(INT, end64 + 20);
      count = bytes.get(LONG, end64 + 32);
      length = bytes.get(LONG, end64 + 40);
      begin = bytes.get(LONG, end64 + 48);
      directoryEnd = end64;
    }
    if (disks != 0) {
      throw error(file, end, "the zip file is a part of several");
    }
    if (begin < 0 || length < 0 || begin > directoryEnd || length != directoryEnd - begin) {
      throw error(
          file,
          end,
          "the zip directory is said to be at byte "
              + begin
              + " with "
              + length
              + " bytes, which does not end where the end record begins");
    }
    if (count < 0 || count > length / CENTRAL_BYTES) {
      throw error(file, end, "the zip directory is too small for " + count + " entries");
    }
    return new Directory(begin, directoryEnd, count);
  }

  private static Entry entry(Path file, MemorySegment bytes, long at, long limit)
      throws TensorFileException {
    int flags = u16(bytes, at + 8);
    int method = u16(bytes, at + 10);
    int nameLength = u16(bytes, at + 28);
    long extraAt = at + CENTRAL_BYTES + nameLength;
    long extraEnd = extraAt + u16(bytes, at + 30);
    String name = name(file, bytes.asSlice(at + CENTRAL_BYTES, nameLength), flags, at);
    String what = "zip entry " + Printable.quoted(name);
    long size = u32(bytes, at + 24);
    long packed = u32(bytes, at + 20);
    long local = u32(bytes, at + 42);
    if (size == ALL_32 || packed == ALL_32 || local == ALL_32) {
      long[] large = zip64(file, bytes, extraAt, extraEnd, new long[] {size, packed, local}, what);
      size = large[0];
      packed = large[1];
      local = large[2];
    }
    if ((flags & FLAG_ENCRYPTED) != 0) {
      throw error(file, at, what + " is encrypted");
    }
    if (method != STORED && method != DEFLATED) {
      throw error(file, at, what + " is compressed by method " + method + ", expected 0 or 8");
    }
    if (local < 0 || local > limit - LOCAL_BYTES || bytes.get(INT, local) != LOCAL) {
      throw error(file, at, what + " has no local header at byte " + local);
    }
    long begin = local + LOCAL_BYTES + u16(bytes, local + 26) + u16(bytes, local + 28);
    if (packed < 0 || begin > limit || packed > limit - begin) {
      throw error(file, at, what + " would reach into the zip directory");
    }
    boolean plausible =
        method == STORED ? size == packed : size >= 0 && size / MAX_INFLATION <= packed;
    if (!plausible) {
      throw error(
          file, at, what + " claims " + size + " bytes, which its " + packed + " cannot hold");
    }
    return new Entry(name, method, bytes.get(INT, at + 16), size, begin, begin + packed);
  }

  /** Replaces the fields that are all ones by those of the zip64 extra field, in its order. */
  private static long[] zip64(
      Path file, MemorySegment bytes, long from, long end, long[] fields, String what)
      throws TensorFileException {
    long at = from;
    while (end - at >= 4) {
      int id = u16(bytes, at);
      long next = at + 4 + u16(bytes, at + 2);
      if (next > end) {
        break;
      }
      if (id == ZIP64_EXTRA) {
        at += 4;
        for (int i = 0; i < fields.length; i++) {
          if (fields[i] == ALL_32 && next - at >= 8) {
            fields[i] = bytes.get(LONG, at);
            at += 8;
          }
        }
        return fields;
      }
      at = next;
    }
    throw error(file, from, what + " is marked as zip64 but has no zip64 field");
  }

  private static String name(Path file, MemorySegment bytes, int flags, long at)
      throws TensorFileException {
    boolean utf8 = Utf8.firstInvalid(bytes) < 0;
    if ((flags & FLAG_UTF8) != 0 && !utf8) {
      throw error(file, at, "the name of a zip entry is not UTF-8");
    }
    Charset charset = utf8 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
    return new String(bytes.toArray(ValueLayout.JAVA_BYTE), charset);
  }

  /** Entries that share bytes let a small file claim any size. */
  private static void checkOverlap(Path file, Map<String, Entry> entries)
      throws TensorFileException {
    List<Entry> ordered = new ArrayList<>(entries.values());
    ordered.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long end = 0;
    for (Entry entry : ordered) {
      if (entry.begin() < end) {
        throw error(
            file,
            entry.begin(),
            "zip entry " + Printable.quoted(entry.name()) + " overlaps another");
      }
      end = entry.end();
    }
  }

  /** Returns the bytes of an entry as they lie in the file. */
  MemorySegment raw(Entry entry) {
    return bytes.asSlice(entry.begin(), entry.end() - entry.begin());
  }

  /**
   * Returns the content of an entry: a part of the file if it is stored, else inflated to memory
   * outside the Java heap, which is freed with the last reference.
   *
   * @throws TensorFileException if the compressed bytes are damaged
   */
  MemorySegment content(Entry entry) throws TensorFileException {
    return entry.isStored() ? raw(entry) : inflate(entry, entry.size());
  }

  /** Returns the first bytes of the content, {@code limit} or all if there are fewer. */
  MemorySegment start(Entry entry, long limit) throws TensorFileException {
    long length = Math.min(limit, entry.size());
    return entry.isStored() ? raw(entry).asSlice(0, length) : inflate(entry, length);
  }

  /**
   * Checks the content against the checksum of the directory.
   *
   * @throws TensorFileException if they differ
   */
  void checkCrc(Entry entry, MemorySegment content) throws TensorFileException {
    CRC32 crc = new CRC32();
    byte[] piece = new byte[(int) Math.min(PIECE, content.byteSize())];
    for (long at = 0; at < content.byteSize(); at += PIECE) {
      int n = (int) Math.min(PIECE, content.byteSize() - at);
      MappedFile.copy(file, content, at, piece, n);
      crc.update(piece, 0, n);
    }
    if ((int) crc.getValue() != entry.crc()) {
      throw error(
          file,
          entry.begin(),
          "the checksum of zip entry " + Printable.quoted(entry.name()) + " does not match");
    }
  }

  private MemorySegment inflate(Entry entry, long length) throws TensorFileException {
    MemorySegment target = Arena.ofAuto().allocate(length);
    Inflater inflater = new Inflater(true);
    try {
      MemorySegment packed = raw(entry);
      byte[] input = new byte[(int) Math.min(PIECE, packed.byteSize())];
      byte[] output = new byte[1 << 15];
      long fed = 0;
      long done = 0;
      while (done < length && !inflater.finished()) {
        if (inflater.needsInput() && fed < packed.byteSize()) {
          int piece = (int) Math.min(PIECE, packed.byteSize() - fed);
          MappedFile.copy(file, packed, fed, input, piece);
          inflater.setInput(input, 0, piece);
          fed += piece;
        }
        int n = inflater.inflate(output, 0, (int) Math.min(output.length, length - done));
        boolean starved = inflater.needsInput() && fed == packed.byteSize();
        if (n == 0 && (starved || inflater.needsDictionary())) {
          break;
        }
        MemorySegment.copy(output, 0, target, ValueLayout.JAVA_BYTE, done, n);
        done += n;
      }
      if (done < length) {
        throw error(
            file,
            entry.begin(),
            "zip entry "
                + Printable.quoted(entry.name())
                + " holds "
                + done
                + " bytes when inflated, expected "
                + entry.size());
      }
      return target;
    } catch (DataFormatException e) {
      throw error(
          file,
          entry.begin(),
          "zip entry " + Printable.quoted(entry.name()) + " cannot be inflated: " + e.getMessage());
    } finally {
      inflater.end();
    }
  }

  private static TensorFileException error(Path file, long at, String rule) {
    return new TensorFileException(file, "byte " + at, rule, SafetensorsException.DAMAGED);
  }

  private static int u16(MemorySegment bytes, long at) {
    return bytes.get(SHORT, at) & 0xFFFF;
  }

  private static long u32(MemorySegment bytes, long at) {
    return bytes.get(INT, at) & ALL_32;
  }
}

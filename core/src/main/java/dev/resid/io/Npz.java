package dev.resid.io;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An open npz file, as {@code numpy.savez} and {@code numpy.savez_compressed} write it.
 * Uncompressed arrays are used where they lie; compressed ones are inflated whole, outside the Java
 * heap, whenever they are asked for. An array's checksum is compared when it is first asked for.
 */
public final class Npz extends TensorFile {
  private static final String SUFFIX = ".npy";

  private final ZipArchive zip;
  private final Map<String, Member> members;
  private final Set<String> checked = ConcurrentHashMap.newKeySet();

  private record Member(ZipArchive.Entry entry, NpyHeader header) {}

  private Npz(
      MappedFile mapped,
      Map<String, TensorInfo> table,
      ZipArchive zip,
      Map<String, Member> members) {
    super(mapped, table);
    this.zip = zip;
    this.members = members;
  }

  /**
   * Returns the open file. Entries of the archive that are not named {@code *.npy} are left out.
   *
   * @param file path of the file
   * @throws TensorFileException if the archive or the header of an array breaks a rule
   * @throws IOException if it cannot be read
   */
  public static Npz open(Path file) throws IOException {
    return open(MappedFile.open(file));
  }

  /** Takes over a mapped file, which is closed with the result or if there is none. */
  static Npz open(MappedFile mapped) throws TensorFileException {
    Path file = mapped.file();
    try {
      ZipArchive zip = ZipArchive.parse(file, mapped.bytes());
      Map<String, TensorInfo> table = new LinkedHashMap<>();
      Map<String, Member> members = new HashMap<>();
      for (ZipArchive.Entry entry : zip.entries().values()) {
        if (!entry.name().endsWith(SUFFIX)) {
          continue;
        }
        String name = entry.name().substring(0, entry.name().length() - SUFFIX.length());
        NpyHeader header = header(file, zip, entry);
        table.put(
            name, new TensorInfo(name, header.dtype(), header.shape(), entry.begin(), entry.end()));
        members.put(name, new Member(entry, header));
      }
      if (table.isEmpty() && !zip.entries().isEmpty()) {
        throw new TensorFileException(
            file,
            "zip directory",
            "no entry is named *.npy; found " + Printable.names(zip.entries().keySet()),
            "Name a file written by numpy.savez");
      }
      return new Npz(mapped, table, zip, members);
    } catch (InternalError e) {
      mapped.close();
      throw mapped.cutShort(e);
    } catch (TensorFileException | RuntimeException | Error e) {
      mapped.close();
      throw e;
    }
  }

  private static NpyHeader header(Path file, ZipArchive zip, ZipArchive.Entry entry)
      throws TensorFileException {
    String where = "zip entry " + Printable.quoted(entry.name()) + ", ";
    NpyHeader header = NpyHeader.parse(file, where, zip.start(entry, NpyHeader.MAX_BYTES));
    if (header.dataBytes() != entry.size() - header.bytes()) {
      throw new TensorFileException(
          file,
          where + "byte " + header.bytes(),
          "shape "
              + Printable.numbers(header.shape())
              + " of "
              + header.dtype()
              + " needs "
              + header.dataBytes()
              + " bytes, found "
              + (entry.size() - header.bytes()),
          SafetensorsException.DAMAGED);
    }
    return header;
  }

  @Override
  public String format() {
    return "npz";
  }

  @Override
  Numbers values(TensorInfo info) throws TensorFileException {
    Member member = members.get(info.name());
    MemorySegment content = zip.content(member.entry());
    if (!checked.contains(info.name())) {
      zip.checkCrc(member.entry(), content);
      checked.add(info.name());
    }
    NpyHeader header = member.header();
    return header.numbers(file(), info.name(), content.asSlice(header.bytes()));
  }
}

package io.github.hmm4j.demos.bundle;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/// Copies the jars of a folder as a bundle wants them, and collects their licences.
///
/// A slim jar has no native code for machines other than Linux on x86-64, and nothing in it is compressed, so that what compresses the whole bundle sees the bytes themselves.
/// Folders stay: who looks for the classes of a package asks for its folder. A copy depends on the contents of the jar alone, not on the time or on the order of entries: the manifest comes first, as readers of streams want it, then names in order.
public final class SlimJars {
    private static final Pattern NATIVE = Pattern.compile("\\.(so|dll|dylib|jnilib|a)$");
    private static final Pattern OURS = Pattern.compile("(^|[-_/.])linux[-_/](amd64|x64|x86[-_]64)([-_/.]|$)");
    private static final Pattern LICENCE = Pattern.compile("(META-INF/)?(LICENSE|LICENCE|NOTICE|COPYING)[^/]*");
    private static final Pattern VERSION = Pattern.compile("-\\d.*$");
    private static final String MANIFEST = "META-INF/MANIFEST.MF";
    private static final LocalDateTime TIME = LocalDateTime.of(2026, 1, 1, 0, 0);

    private SlimJars() {}

    /// `FROM TO LICENCES KNOWN`: the jars of `FROM` are written to `TO` and their licences to `LICENCES/NAME/`; `KNOWN` has those of jars that do not bring their own, as
    /// `NAME.txt`, where `NAME` is a jar's without version.
    ///
    /// @throws IOException if a file cannot be read or written, or a jar has no licence
    public static void main(String[] args) throws IOException {
        if (args.length != 4) {
            throw new IllegalArgumentException("usage: FROM TO LICENCES KNOWN, found arguments=" + List.of(args));
        }
        Path to = Files.createDirectories(Path.of(args[1]));
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(Path.of(args[0]), "*.jar")) {
            for (Path jar : jars) {
                copy(jar, to.resolve(jar.getFileName()));
                licence(jar, Path.of(args[2]), Path.of(args[3]));
            }
        }
    }

    /// Writes a slim copy of a jar.
    static void copy(Path from, Path to) throws IOException {
        try (ZipFile jar = new ZipFile(from.toFile()); ZipOutputStream slim = new ZipOutputStream(Files.newOutputStream(to))) {
            slim.setMethod(ZipOutputStream.STORED);
            for (ZipEntry entry : inOrder(jar.stream().filter(entry -> isWanted(entry.getName())))) {
                byte[] bytes = bytes(jar, entry);
                ZipEntry stored = new ZipEntry(entry.getName());
                stored.setTimeLocal(TIME);
                stored.setSize(bytes.length);
                stored.setCrc(checksum(bytes));
                slim.putNextEntry(stored);
                slim.write(bytes);
                slim.closeEntry();
            }
        }
    }

    /// Everything but native code for other machines.
    static boolean isWanted(String entry) {
        String name = entry.toLowerCase(Locale.ROOT);
        return !NATIVE.matcher(name).find() || OURS.matcher(name).find();
    }

    /// Copies what a jar says of its licence, or what is known of it.
    static void licence(Path jar, Path licences, Path known) throws IOException {
        String name = VERSION.matcher(String.valueOf(jar.getFileName()).replaceAll("\\.jar$", "")).replaceFirst("");
        Path folder = Files.createDirectories(licences.resolve(name));
        List<ZipEntry> own;
        try (ZipFile file = new ZipFile(jar.toFile())) {
            own = inOrder(file.stream().filter(entry -> LICENCE.matcher(entry.getName()).matches()));
            for (ZipEntry entry : own) {
                Files.write(folder.resolve(entry.getName().replaceFirst("^META-INF/", "")), bytes(file, entry));
            }
        }
        Optional<Path> text = Optional.of(known.resolve(name + ".txt")).filter(Files::isRegularFile);
        if (text.isPresent()) {
            Files.write(folder.resolve(name + ".txt"), Files.readAllBytes(text.get()));
        } else if (own.isEmpty()) {
            throw new IOException("nothing says under which licence jar=" + jar.getFileName() + " is: it has none inside, and there is no file=" + known.resolve(name + ".txt"));
        }
    }

    private static List<ZipEntry> inOrder(Stream<? extends ZipEntry> entries) {
        return entries.<ZipEntry>map(entry -> entry)
            .sorted(Comparator.comparing((ZipEntry entry) -> !entry.getName().equals(MANIFEST)).thenComparing(ZipEntry::getName))
            .toList();
    }

    private static byte[] bytes(ZipFile jar, ZipEntry entry) throws IOException {
        try (InputStream in = jar.getInputStream(entry)) {
            return in.readAllBytes();
        }
    }

    private static long checksum(byte[] bytes) {
        CRC32 checksum = new CRC32();
        checksum.update(bytes);
        return checksum.getValue();
    }
}

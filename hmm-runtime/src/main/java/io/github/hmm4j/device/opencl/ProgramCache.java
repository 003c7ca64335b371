package io.github.hmm4j.device.opencl;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A folder in which compiled programs are kept from one run to the next, so that a program is compiled once for each
/// device, driver, source and set of options.
///
/// A file appears as a whole or not at all, also for other processes; one that is damaged, or that the driver does not
/// take, is compiled and written anew. What lies there longest unused goes when all of it is larger than 256 MiB. A
/// folder that cannot be written, or is full, is no error: programs are compiled as without it. Who can write there can
/// make a driver run code of theirs, so it is made for its owner alone, and one that
/// others may write to, or that is another user's, is left alone.
///
/// Not kept are programs that a change elsewhere could make stale: those for which the compiler still finds headers by
/// itself ([io.github.hmm4j.kernels.Source#leavesIncludes]), or that ask for the time.
///
/// Immutable; threads and processes: any.
public final class ProgramCache {

    /// What `-Dhmm.programCache=FOLDER` or `=off` says; else `hmm4j` in `$XDG_CACHE_HOME` or `~/.cache`, and there not
    /// for POCL. That keeps what it compiles itself; what it hands out takes it as long again to make, and is code for
    /// work-groups of any size: with POCL 3.1 three programs were there as fast as without (170 ms, 1.5 s on the first
    /// day, 5 s with this), and a product of matrices took twice as long.
    public static final ProgramCache STANDARD = new ProgramCache(null, true);

    /// Keeps nothing.
    public static final ProgramCache NONE = new ProgramCache(null, false);

    private static final Logger LOG = LoggerFactory.getLogger(ProgramCache.class);
    private static final String SETTING = "hmm.programCache";
    private static final String OFF = "off";
    private static final String POCL = "Portable Computing Language";

    private static final String SUFFIX = ".program";
    private static final String UNFINISHED = ".unfinished";
    private static final long MOST_BYTES = 256L << 20;
    private static final Duration STALE = Duration.ofHours(1); // for a file that nobody finishes writing
    private static final Set<PosixFilePermission> OTHERS_WRITE =
            Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);

    private static final String USER = "unix:uid";
    private static final Object SUPERUSER = 0;
    private static final Path THIS_PROCESS = Path.of("/proc/self");

    private final @Nullable Path folder;
    private final boolean standard;
    private final long mostBytes;
    private final Clock clock;

    private ProgramCache(@Nullable Path folder, boolean standard) {
        this(folder, standard, MOST_BYTES, Clock.systemUTC());
    }

    private ProgramCache(@Nullable Path folder, boolean standard, long mostBytes, Clock clock) {
        this.folder = folder;
        this.standard = standard;
        this.mostBytes = mostBytes;
        this.clock = clock;
    }

    /// Keeps what any driver compiles in `folder`, which is made when it is needed.
    public static ProgramCache in(Path folder) {
        return new ProgramCache(Objects.requireNonNull(folder, "folder").toAbsolutePath(), false);
    }

    /// For tests.
    static ProgramCache in(Path folder, long mostBytes, Clock clock) {
        return new ProgramCache(folder, false, mostBytes, clock);
    }

    /// What this is for the devices of one platform: a folder, or nothing.
    ProgramCache on(String platformName) {
        if (!standard) {
            return this;
        }
        String said = System.getProperty(SETTING, "");
        if (said.equals(OFF)) {
            return NONE;
        }
        if (!said.isEmpty()) {
            return in(Path.of(said));
        }
        if (platformName.equals(POCL)) {
            return NONE;
        }
        return standardFolder(System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home"))
                .map(ProgramCache::in)
                .orElse(NONE);
    }

    /// Empty where a user has no home.
    static Optional<Path> standardFolder(@Nullable String cacheHome, @Nullable String home) {
        // others are to be ignored, as its specification says
        return absolute(cacheHome).or(() -> absolute(home).map(path -> path.resolve(".cache")))
                .map(path -> path.resolve("hmm4j"));
    }

    private static Optional<Path> absolute(@Nullable String folder) {
        try {
            return Optional.ofNullable(folder).map(Path::of).filter(Path::isAbsolute);
        } catch (InvalidPathException e) {
            LOG.debug("compiled programs are not kept there", e); // a name that this locale has no characters for
            return Optional.empty();
        }
    }

    /// False if there is no folder to look in.
    boolean isOn() {
        return folder != null;
    }

    /// A program that was kept under `key`; damaged ones are none.
    Optional<StoredProgram> find(String key) {
        if (folder == null) {
            return Optional.empty();
        }
        Path file = folder.resolve(key + SUFFIX);
        try {
            if (isOpenToOthers(folder)) {
                return Optional.empty();
            }
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            if (!attributes.isRegularFile() || attributes.size() > mostBytes / 4) { // nothing that was kept
                LOG.debug("{} is damaged, bytes={}", file, attributes.size());
                return Optional.empty();
            }
            Optional<StoredProgram> program = StoredProgram.of(Files.readAllBytes(file));
            if (program.isPresent()) {
                noteUse(file);
            } else {
                LOG.debug("{} is damaged", file);
            }
            return program;
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException | UnsupportedOperationException e) {
            LOG.debug("{} cannot be read", file, e);
            return Optional.empty();
        }
    }

    private void noteUse(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(clock.instant()));
        } catch (IOException e) {
            LOG.trace("{} cannot be written", file, e); // a folder that somebody has filled for readers
        }
    }

    /// Keeps a program under `key`, in place of what was there. If that fails, nothing is kept.
    void keep(String key, StoredProgram program) {
        if (folder == null) {
            return;
        }
        try {
            byte[] bytes = program.toBytes();
            if (bytes.length > mostBytes / 4) {
                return;
            }
            Files.createDirectories(folder,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            if (isOpenToOthers(folder)) {
                LOG.warn("compiled programs are not kept in {}: others may write there, or own it; take that right"
                        + " away, or name another folder with -D{}", folder, SETTING);
                return;
            }
            Path unfinished = Files.createTempFile(folder, key, UNFINISHED);
            try {
                Files.write(unfinished, bytes);
                moveTo(unfinished, folder.resolve(key + SUFFIX));
            } finally {
                Files.deleteIfExists(unfinished);
            }
            trim(folder);
        } catch (IOException | UncheckedIOException | UnsupportedOperationException e) {
            LOG.debug("{} keeps no compiled programs", folder, e);
        }
    }

    private static void moveTo(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            LOG.debug("{} is not kept", to, e);
        }
    }

    /// Whose folder it is may write there, whatever its permissions say; the superuser may anyway.
    private static boolean isOpenToOthers(Path folder) throws IOException {
        Object owner = Files.getAttribute(folder, USER);
        return Files.getPosixFilePermissions(folder).stream().anyMatch(OTHERS_WRITE::contains)
                || !(owner.equals(SUPERUSER) || owner.equals(Files.getAttribute(THIS_PROCESS, USER)));
    }

    /// @param abandoned whether nobody is going to finish writing it
    private record Kept(Path file, long bytes, Instant used, boolean abandoned) {}

    private void trim(Path all) throws IOException {
        List<Kept> kept = new ArrayList<>();
        try (Stream<Path> files = Files.list(all)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                add(file, kept);
            }
        }
        long bytes = kept.stream().mapToLong(Kept::bytes).sum();
        kept.sort(Comparator.comparing(Kept::abandoned).reversed().thenComparing(Kept::used));
        for (Kept each : kept) {
            if (bytes > mostBytes || each.abandoned()) {
                Files.deleteIfExists(each.file());
                bytes -= each.bytes();
            }
        }
    }

    /// Only files of this class: somebody may have named a folder with other things in it.
    private void add(Path file, List<Kept> kept) throws IOException {
        String name = Objects.requireNonNull(file.getFileName()).toString();
        if (name.endsWith(SUFFIX) || name.endsWith(UNFINISHED)) {
            try {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                if (!attributes.isRegularFile()) {
                    return;
                }
                Instant used = attributes.lastModifiedTime().toInstant();
                boolean abandoned = name.endsWith(UNFINISHED) && used.isBefore(clock.instant().minus(STALE));
                kept.add(new Kept(file, attributes.size(), used, abandoned));
            } catch (NoSuchFileException _) {
                return; // another process was faster
            }
        }
    }

    @Override
    public String toString() {
        return "ProgramCache[" + (standard ? "standard" : folder == null ? OFF : folder.toString()) + "]";
    }
}

package io.github.hmm4j.pager;

import io.github.hmm4j.device.Device;
import io.github.hmm4j.error.Errno;
import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.space.NativeCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// Chooses how a heap's memory is reached: the best rung that proves itself with a real fault; views only if there is none.
///
/// `-Dhmm.hostAccess=uffd|sigsegv|uffd_in_thread|checked` forces one where the program does not. Each rung is tried once per process. Threads: any.
public final class Ladder {

    private static final String SETTING = "hmm.hostAccess";
    private static final int REASON_BYTES = 128;
    private static final int EPERM = 1;
    private static final Map<Rung, Optional<String>> TRIED = new EnumMap<>(Rung.class); // empty: it works

    /// What a heap opens with.
    record Choice(Rung rung, HostAccess access) {}

    private Ladder() {}

    /// What a heap would get here, for people.
    ///
    /// @throws HostAccessUnavailableException if none can be opened
    public static HostAccess best() {
        return choose(null, List.of()).access();
    }

    /// @param wanted null: the best
    /// @throws HostAccessUnavailableException if what is wanted cannot be had, or native code cannot serve a heap with these devices at all
    static Choice choose(HostAccess.@Nullable Mode wanted, List<Device> devices) {
        String setting = System.getProperty(SETTING);
        HostAccess.Mode mode = wanted != null || setting == null ? wanted : parse(setting);
        requireNativePart();
        obstacle(devices).ifPresent(Ladder::refuse);
        if (mode == HostAccess.Mode.CHECKED) {
            return checked("it was asked for", "");
        }
        List<String> failures = new ArrayList<>();
        for (Rung rung : Rung.values()) {
            if (rung == Rung.CHECKED || (mode == null ? rung.onlyAsked() : rung.mode() != mode)) {
                continue;
            }
            Optional<String> failure = tried(rung);
            if (failure.isEmpty()) {
                String why = rung.text() + (mode == null ? " works here" : " was asked for")
                        + (failures.isEmpty() ? "" : "; " + String.join("; ", failures));
                return new Choice(rung, new HostAccess(rung.mode(), rung.fromSystemCalls(), why, better(rung, mode)));
            }
            failures.add(failure.get());
        }
        if (mode != null) {
            throw new HostAccessUnavailableException("hostAccess=%s cannot be had: %s".formatted(mode, String.join("; ", failures)));
        }
        return checked(String.join("; ", failures), "a Linux with userfaultfd (5.7 and later; 6.4 for write protection of shared memory)");
    }

    /// @throws HostAccessUnavailableException if it is not there, or of another build
    static void requireNativePart() {
        if (NativeCode.load().symbols().isEmpty()) {
            refuse(NativeCode.load().whyNot());
        }
        PagerCalls.mismatch().ifPresent(Ladder::refuse);
    }

    private static void refuse(String obstacle) {
        throw new HostAccessUnavailableException("no heap can be opened here: " + obstacle);
    }

    private static HostAccess.Mode parse(String setting) {
        try {
            return HostAccess.Mode.valueOf(setting.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(SETTING + "=" + setting + ", must be uffd, sigsegv, uffd_in_thread or checked", e);
        }
    }

    /// What keeps native code from serving a heap with these devices.
    private static Optional<String> obstacle(List<Device> devices) {
        for (Device device : devices) {
            if (device.nativeHandles().isEmpty()) {
                return Optional.of("device " + device.info().name() + " cannot be driven by native code (Device.nativeHandles)");
            }
        }
        return devices.isEmpty() ? Optional.empty() : PagerCalls.missingOpenClFunction();
    }

    private static Choice checked(String why, String better) {
        return new Choice(Rung.CHECKED, new HostAccess(HostAccess.Mode.CHECKED, false, why, better));
    }

    private static String better(Rung rung, HostAccess.@Nullable Mode wanted) {
        return rung.fromSystemCalls() || wanted != null
                ? ""
                : "for system calls on managed memory: sysctl vm.unprivileged_userfaultfd=1, access to /dev/userfaultfd, or CAP_SYS_PTRACE";
    }

    /// Why a rung does not work, once found out.
    private static Optional<String> tried(Rung rung) {
        synchronized (TRIED) {
            return TRIED.computeIfAbsent(rung, Ladder::tryOut);
        }
    }

    private static Optional<String> tryOut(Rung rung) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment what = arena.allocate(REASON_BYTES);
            int result = PagerCalls.probe(rung.ordinal(), what);
            if (result == 0) {
                return Optional.empty();
            }
            String reason = (-result == EPERM ? "not permitted, errno=" : "errno=") + Errno.text(-result);
            return Optional.of(new StringJoiner(" ").add(rung.text()).add("failed at").add(what.getString(0)).add("(" + reason + ")").toString());
        }
    }
}

package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.error.HostAccessUnavailableException;
import io.github.hmm4j.migrate.Steps;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostPin;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.opentest4j.TestAbortedException;

/// A pin that comes when pages have just been claimed for a device: the move is too late, and must not take the mapping away that the pin promises to system calls.
@Timeout(60)
class PinsAgainstMigrationTest {

    private static final int PAGE = 4096;
    private static final int PAGES = 4;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(names = {"UFFD", "SIGSEGV"})
    void aSystemCallReachesWhatWasPinnedInTheMiddleOfAMove(Mode mode) throws IOException {
        AtomicReference<HostPin> pin = new AtomicReference<>();
        AtomicReference<Runnable> onClaimed = new AtomicReference<>(() -> { });
        Steps steps = step -> {
            if (step == Steps.Step.CLAIMED) {
                onClaimed.getAndSet(() -> { }).run();
            }
        };
        try (Hmm hmm = open(mode, steps); FileChannel file = FileChannel.open(folder.resolve("file"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            MemorySegment a = hmm.heap().allocate(PAGES * PAGE, PAGE);
            a.fill((byte) 7);
            onClaimed.set(() -> Background.run(() -> pin.set(hmm.heap().pin(a, Access.WRITE))).join());
            hmm.heap().prefetch(a, hmm.device());
            try (HostPin held = pin.get()) {
                assertThat(held).isNotNull();
                assertThat(file.write(a.asByteBuffer())).isEqualTo(PAGES * PAGE);
            }
            assertThat(a.get(JAVA_INT, 0)).isEqualTo(0x07070707);
        }
    }

    private static Hmm open(Mode mode, Steps steps) {
        try {
            return Hmm.builder().heap(ByteSize.mib(16)).pageSize(PAGE).faultAround(0).hostAccess(mode).steps(steps).open();
        } catch (HostAccessUnavailableException e) {
            throw new TestAbortedException(e.getMessage(), e);
        }
    }
}

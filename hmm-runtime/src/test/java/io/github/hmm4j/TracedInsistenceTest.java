package io.github.hmm4j;

import static io.github.hmm4j.timeline.TraceEvents.number;
import static io.github.hmm4j.timeline.TraceEvents.some;
import static io.github.hmm4j.timeline.TraceEvents.sum;
import static io.github.hmm4j.timeline.TraceEvents.text;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.migrate.Steps;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.timeline.TraceEvents;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a trace shows of a launch that loses a page to the host three times and then insists: each loss, and what it moved itself.
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TracedInsistenceTest {

    private static final int PAGE = 4096;
    private static final int PAGES = 4;
    private static final int INTS = PAGES * PAGE / 4;

    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "SIGSEGV"})
    void showsEachLossAndWhatWasInsistedOn(Mode mode, @TempDir Path folder) throws IOException {
        Path file = folder.resolve("trace.json");
        AtomicReference<MemorySegment> contested = new AtomicReference<>();
        Steps thief = step -> {
            MemorySegment pages = contested.get();
            if (step == Steps.Step.COPIED && pages != null) {
                pages.set(JAVA_INT, 0, 1);
            }
        };
        Report report;
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(4)).pageSize(PAGE).budget(16L * PAGE).hostAccess(mode).steps(thief).trace(file).open()) {
            MemorySegment pages = hmm.heap().allocate(PAGES * PAGE, 1).fill((byte) 1);
            Kernel add = hmm.program(Source.resource("access.cl")).kernel("add_ints");
            contested.set(pages);
            add.args(pages, 5, INTS).launch(NDRange.of(INTS)).await();
            contested.set(null);
            report = hmm.report();
        }
        List<Map<String, Object>> events = TraceEvents.of(file);
        assertThat(some(events, "launch", "i")).extracting(event -> text(event, "reason")).containsExactly("PAGE_LOST", "PAGE_LOST", "PAGE_LOST");
        assertThat(some(events, "launch", "i")).extracting(event -> text(event, "insistsNext")).containsExactly("false", "false", "true");
        assertThat(some(events, "launch", "X")).singleElement().satisfies(launch -> assertThat(number(launch, "rounds")).isEqualTo(4));

        List<Map<String, Object>> migrations = some(events, "migration", "X").stream().filter(event -> text(event, "cause").equals("LAUNCH")).toList();
        List<Map<String, Object>> insisted = migrations.stream().filter(event -> text(event, "engine").equals("native")).toList();
        List<Map<String, Object>> batches = some(events, "native", "b").stream().filter(event -> event.get("name").equals("insist") && event.containsKey("args")).toList();
        assertThat(insisted).hasSize(1);
        assertThat(sum(insisted, "movedPages")).isPositive().isEqualTo(sum(batches, "pages"));
        Report.Moved moved = report.moves().stream().filter(each -> each.cause() == Cause.LAUNCH && each.direction() == Direction.TO_DEVICE).findFirst().orElseThrow();
        assertThat(sum(migrations, "movedPages")).isEqualTo(moved.pages());
        assertThat(sum(migrations, "copiedBytes")).isEqualTo(moved.bytes());
    }
}

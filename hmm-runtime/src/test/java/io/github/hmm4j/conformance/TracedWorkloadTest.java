package io.github.hmm4j.conformance;

import static io.github.hmm4j.timeline.TraceEvents.micros;
import static io.github.hmm4j.timeline.TraceEvents.number;
import static io.github.hmm4j.timeline.TraceEvents.some;
import static io.github.hmm4j.timeline.TraceEvents.sum;
import static io.github.hmm4j.timeline.TraceEvents.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import io.github.hmm4j.timeline.TraceEvents;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a trace shows of a workload whose moves are known: all of it, once, with the bytes that the heap itself has counted.
@Timeout(120)
class TracedWorkloadTest {

    private static final int PAGE = 4096;
    private static final int BUDGET_PAGES = 16;

    /// Moves pages in every way there is but insisting: launches, views, touches, prefetches, evictions.
    static void work(Rig rig) {
        HmmDevice device = rig.device(0);
        MemorySegment a = rig.ramp(6, 0);
        MemorySegment b = rig.pages(6);
        for (int round = 0; round < 3; round++) {
            rig.launchCopy(device, a, Arg.out(b)).await();
        }
        Rig.assertSame(rig.read(b), Rig.rampOf(b.byteSize(), 0));
        rig.launchAdd(device, rig.page(a, 1, 4), 5).await();
        try (var view = rig.heap.view(rig.page(a, 0, 3), Access.WRITE)) {
            view.segment().fill((byte) 1);
        }
        MemorySegment c = rig.ramp(10, 100);
        rig.heap.prefetch(c, device); // there is no room beside a and b
        rig.launchAdd(device, c, 1).await();
        rig.touch(c);
        rig.heap.prefetchHost(a);
        rig.launchAdd(device, a, 1).await();
        rig.writeRamp(rig.page(a, 2, 2), 7);
        rig.heap.free(b);
    }

    /// A touch goes on a moment before it is counted as served: waits until each page that a fault has dealt with has its fault. One thread touches, and each touch brings its page only.
    static Report settledReport(Rig rig) {
        while (true) {
            Report report = rig.hmm.report();
            long pages = report.count(Counter.FAULT_FIRST_TOUCHES) + report.count(Counter.FAULT_FETCHED_PAGES) + report.count(Counter.FAULT_UPGRADES)
                    + report.count(Counter.FAULT_REMAPPED) + report.count(Counter.FAULT_ABORTS);
            if (report.count(Counter.FAULTS_READ) + report.count(Counter.FAULTS_WRITE) == pages) {
                return report;
            }
            Thread.onSpinWait();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"IN_PLACE_.*", "FAULTING_.*", "EMULATED_.*"}) // nothing moves in place, and what kernels fault for is counted by itself
    void showsEveryMoveOnce(Backend backend, @TempDir Path folder) throws IOException {
        Path file = folder.resolve("trace.json");
        Report report;
        try (Rig rig = new Rig(backend.builder(1).pageSize(PAGE).heap(64 << 20).budget((long) BUDGET_PAGES * PAGE).trace(file))) {
            work(rig);
            report = settledReport(rig);
        }
        List<Map<String, Object>> events = TraceEvents.of(file);
        assertThat(report.count(Counter.TRACE_LOST)).isZero();
        movesAddUp(events, report);
        launchesLeadToKernels(events, report);
        evictionsAddUp(events, report);
        viewsAndFaultsAddUp(events, report);
        timesMakeSense(events);
        slicesNest(events);
        assertThat(some(events, "residency", "C")).extracting(event -> event.get("name")).contains("bytes on host").hasSizeGreaterThan(1);
    }

    private static void movesAddUp(List<Map<String, Object>> events, Report report) {
        List<Map<String, Object>> migrations = some(events, "migration", "X");
        List<Report.Moved> shown = new ArrayList<>();
        for (Report.Moved moved : report.moves()) {
            List<Map<String, Object>> those = migrations.stream()
                    .filter(event -> text(event, "cause").equals(moved.cause().name()) && text(event, "direction").equals(moved.direction().name())).toList();
            long pages = sum(those, "movedPages");
            long bytes = sum(those, "copiedBytes");
            if (moved.cause() == Cause.FAULT) {
                List<Map<String, Object>> faults = served(events);
                pages = sum(faults, "copiedPages") + sum(faults, "upgradedPages");
                bytes = sum(faults, "copiedBytes");
            }
            shown.add(new Report.Moved(moved.cause(), moved.direction(), pages, bytes));
        }
        assertThat(shown).isEqualTo(report.moves());
        assertThat(report.moves()).extracting(Report.Moved::cause).contains(Cause.LAUNCH, Cause.PREFETCH);

        assertThat(sum(commands(events, "COPY_TO_DEVICE"), "bytes")).as("bytes of DMA to the device").isEqualTo(report.bytes(Direction.TO_DEVICE));
        long home = sum(commands(events, "COPY_TO_HOST"), "bytes") + sum(served(events), "copiedBytes") + sum(some(events, "native", "b").stream()
                .filter(event -> event.get("name").equals("native fetch")).toList(), "copiedBytes");
        assertThat(home).as("bytes of DMA to the host, commands and native copies").isEqualTo(report.bytes(Direction.TO_HOST));
        assertThat(report.bytes(Direction.TO_HOST)).isPositive();
    }

    private static void launchesLeadToKernels(List<Map<String, Object>> events, Report report) {
        List<Map<String, Object>> launches = some(events, "launch", "X").stream().filter(event -> event.get("name").toString().startsWith("launch ")).toList();
        List<Map<String, Object>> kernels = commands(events, "KERNEL");
        assertThat(launches).hasSize(Math.toIntExact(report.count(Counter.LAUNCHES)));
        assertThat(kernels).hasSameSizeAs(launches);
        Map<Long, Map<String, Object>> byNumber = kernels.stream().collect(Collectors.toMap(event -> number(event, "command"), event -> event));
        for (Map<String, Object> launch : launches) {
            Map<String, Object> kernel = byNumber.get(number(launch, "command"));
            assertThat(kernel).as("kernel of %s", launch).isNotNull();
            assertThat(launch.get("name")).isEqualTo("launch " + kernel.get("name"));
            double error = number(kernel, "clockErrorNanos") / 1000.0;
            assertThat(micros(kernel, "ts") + error).as("start of %s, launched by %s", kernel, launch).isGreaterThanOrEqualTo(micros(launch, "ts"));
        }
        assertThat(some(events, "launch", "f")).extracting(event -> event.get("id"))
                .containsExactlyInAnyOrderElementsOf(some(events, "launch", "s").stream().map(event -> event.get("id")).toList());
        assertThat(some(events, "launch", "f")).hasSameSizeAs(launches);
    }

    private static void evictionsAddUp(List<Map<String, Object>> events, Report report) {
        List<Map<String, Object>> evictions = some(events, "eviction", "X");
        assertThat(sum(evictions, "cleanPages")).isEqualTo(report.count(Counter.EVICTED_CLEAN_PAGES));
        assertThat(sum(evictions, "dirtyPages")).isEqualTo(report.count(Counter.EVICTED_DIRTY_PAGES));
        assertThat(evictions).isNotEmpty();
    }

    private static void viewsAndFaultsAddUp(List<Map<String, Object>> events, Report report) {
        List<Map<String, Object>> views = some(events, "view", "X");
        assertThat(views).hasSize(Math.toIntExact(report.count(Counter.VIEWS_OPENED)));
        assertThat(sum(views, "copiedBytes")).isEqualTo(report.count(Counter.VIEW_FETCHED_PAGES) * PAGE);
        List<Map<String, Object>> touches = some(events, "fault", "X").stream().filter(event -> event.get("name").toString().startsWith("fault ")).toList();
        assertThat(touches).hasSize(Math.toIntExact(report.count(Counter.FAULTS_READ) + report.count(Counter.FAULTS_WRITE)));
    }

    private static void timesMakeSense(List<Map<String, Object>> events) {
        double last = 0;
        for (Map<String, Object> event : events) {
            if (event.get("ph").equals("X")) {
                assertThat(micros(event, "dur")).as("%s", event).isNotNegative();
                last = Math.max(last, micros(event, "ts") + micros(event, "dur"));
            }
            assertThat(micros(event, "ts")).as("%s", event).isNotNegative();
        }
        assertThat(last).isPositive().isLessThan(600e6);
        List<Object> begun = some(events, "native", "b").stream().map(event -> event.get("id")).toList();
        assertThat(some(events, "native", "e")).extracting(event -> event.get("id")).containsExactlyInAnyOrderElementsOf(begun);
    }

    /// Viewers show slices of one track inside each other, and make nonsense of such that overlap.
    private static void slicesNest(List<Map<String, Object>> events) {
        Map<Object, List<Map<String, Object>>> tracks = events.stream().filter(event -> event.get("ph").equals("X"))
                .collect(Collectors.groupingBy(event -> event.get("tid")));
        for (List<Map<String, Object>> track : tracks.values()) {
            Deque<Long> ends = new ArrayDeque<>();
            for (Map<String, Object> slice : track.stream().sorted(Comparator.comparing(TracedWorkloadTest::begin)
                    .thenComparing(TracedWorkloadTest::end, Comparator.reverseOrder())).toList()) {
                while (!ends.isEmpty() && ends.getLast() <= begin(slice)) {
                    ends.removeLast();
                }
                assertThat(ends.isEmpty() || end(slice) <= ends.getLast()).as("%s ends within the one it begins in", slice).isTrue();
                ends.addLast(end(slice));
            }
        }
    }

    private static long begin(Map<String, Object> slice) {
        return Math.round(micros(slice, "ts") * 1000);
    }

    private static long end(Map<String, Object> slice) {
        return Math.round((micros(slice, "ts") + micros(slice, "dur")) * 1000);
    }

    private static List<Map<String, Object>> commands(List<Map<String, Object>> events, String kind) {
        return some(events, "device", "X").stream().filter(event -> text(event, "kind").equals(kind)).toList();
    }

    /// The faults themselves, without their steps.
    private static List<Map<String, Object>> served(List<Map<String, Object>> events) {
        return some(events, "fault", "X").stream().filter(event -> event.containsKey("args")).toList();
    }
}

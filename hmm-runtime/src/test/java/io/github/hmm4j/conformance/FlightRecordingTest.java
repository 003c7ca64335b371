package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.Access;
import io.github.hmm4j.Arg;
import io.github.hmm4j.Report;
import io.github.hmm4j.account.Cause;
import io.github.hmm4j.account.Counter;
import java.io.IOException;
import java.io.Reader;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a flight recording with the example settings shows of a workload whose moves are known.
@Timeout(120)
class FlightRecordingTest {

    private static final int PAGE = 4096;
    private static final int BUDGET_PAGES = 16;

    private static Recording recording() throws IOException, ParseException {
        try (Reader settings = Files.newBufferedReader(Path.of(System.getProperty("hmm.test.jfc", "docs/hmm4j.jfc")))) { // a bundle has it elsewhere
            return new Recording(Configuration.create(settings));
        }
    }

    private static Rig rig(Backend backend) {
        return new Rig(backend.builder(1).pageSize(PAGE).heap(64 << 20).budget((long) BUDGET_PAGES * PAGE));
    }

    private static Map<String, List<RecordedEvent>> eventsOf(Recording recording, Path folder) throws IOException {
        Path file = folder.resolve("run.jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream().filter(event -> event.getEventType().getName().startsWith("hmm4j."))
                .collect(Collectors.groupingBy(event -> event.getEventType().getName()));
    }

    /// A touch goes on a moment before its record is written.
    private static void awaitFaults(Recording recording, Path folder, long count) throws IOException {
        await(recording, folder, "hmm4j.Fault", count);
    }

    private static void await(Recording recording, Path folder, String name, long count) throws IOException {
        while (eventsOf(recording, folder).getOrDefault(name, List.of()).size() < count) {
            Thread.onSpinWait();
        }
    }

    private static long sum(Map<String, List<RecordedEvent>> events, String name, String field) {
        return events.getOrDefault(name, List.of()).stream().mapToLong(event -> event.getLong(field)).sum();
    }

    /// The recording ends before the heap does, and starts after it was opened.
    @ParameterizedTest
    @EnumSource(names = {"OPENCL_LWJGL", "UFFD_LWJGL", "SIGSEGV_JOCL"})
    void showsEveryMoveOnce(Backend backend, @TempDir Path folder) throws IOException, ParseException {
        try (Rig rig = rig(backend); Recording recording = recording()) {
            recording.start();
            TracedWorkloadTest.work(rig);
            Report report = TracedWorkloadTest.settledReport(rig);
            long faults = report.count(Counter.FAULTS_READ) + report.count(Counter.FAULTS_WRITE);
            awaitFaults(recording, folder, faults);
            await(recording, folder, "hmm4j.Residency", 1); // of a thread that looks now and then
            recording.stop();
            Map<String, List<RecordedEvent>> events = eventsOf(recording, folder);
            assertThat(events.getOrDefault("hmm4j.Fault", List.of())).hasSize(Math.toIntExact(faults));
            assertThat(events.get("hmm4j.Launch")).hasSize(Math.toIntExact(report.count(Counter.LAUNCHES))).allSatisfy(event -> {
                assertThat(event.getString("deviceName")).isEqualTo(rig.device(0).info().name());
                assertThat(event.getBoolean("launched")).isTrue();
                assertThat(event.getLong("usedBytes")).isPositive();
                assertThat(event.getDuration().toNanos()).isPositive();
                assertThat(event.getThread().getJavaName()).isEqualTo(Thread.currentThread().getName());
                assertThat(event.getStackTrace().getFrames()).isNotEmpty();
            });
            assertThat(events.get("hmm4j.Launch").stream().map(event -> event.getString("kernel")).distinct()).containsExactlyInAnyOrder("copy_ints", "add_ints");
            long faultPages = sum(events, "hmm4j.Fault", "copiedPages") + sum(events, "hmm4j.Fault", "upgradedPages");
            assertThat(sum(events, "hmm4j.Migration", "movedPages") + faultPages).isEqualTo(report.pages());
            assertThat(sum(events, "hmm4j.Migration", "copiedBytes") + sum(events, "hmm4j.Fault", "copiedBytes"))
                    .isEqualTo(report.moves().stream().mapToLong(Report.Moved::bytes).sum());
            assertThat(report.moves().stream().anyMatch(moved -> moved.cause() == Cause.FAULT)).isEqualTo(backend.isTransparent());
            assertThat(sum(events, "hmm4j.Eviction", "freedBytes")).isPositive();
            assertThat(events.get("hmm4j.Fetch")).hasSize(Math.toIntExact(report.count(Counter.VIEWS_OPENED)));
            assertThat(events.get("hmm4j.Command")).allSatisfy(event -> assertThat(event.getDuration("deviceNanos").toNanos()).isNotNegative());
            assertThat(events.get("hmm4j.Residency")).isNotEmpty();
            assertThat(report.count(Counter.TRACE_LOST)).isZero();
        }
    }

    /// Touches from just before the end of a recording are in it, and those from before and after it are not.
    @ParameterizedTest
    @EnumSource(names = {"UFFD_LWJGL", "SIGSEGV_JOCL"})
    void seesTheFaultsOfItsOwnTime(Backend backend, @TempDir Path folder) throws IOException, ParseException {
        try (Rig rig = rig(backend); Recording recording = recording()) {
            MemorySegment a = rig.ramp(4, 0);
            recording.start();
            rig.launchAdd(rig.device(0), a, 1).await();
            rig.touch(rig.page(a, 1, 2));
            awaitFaults(recording, folder, 2);
            recording.stop();
            rig.touch(a);
            List<RecordedEvent> faults = eventsOf(recording, folder).get("hmm4j.Fault");
            assertThat(faults).hasSize(2).allSatisfy(fault -> {
                assertThat(fault.getString("found")).isEqualTo("DEVICE");
                assertThat(fault.getBoolean("write")).isFalse();
                assertThat(fault.getLong("pages")).isEqualTo(1);
                assertThat(fault.getLong("copiedBytes")).isEqualTo(PAGE);
                assertThat(fault.getInt("device")).isZero();
                assertThat(fault.getLong("result")).isZero();
                assertThat(fault.getDuration("totalNanos")).isGreaterThanOrEqualTo(fault.getDuration("copyNanos"));
                assertThat(fault.getLong("nativeThread")).isPositive();
            });
            assertThat(faults.stream().map(fault -> fault.getLong("address"))).containsExactlyInAnyOrder(a.address() + PAGE, a.address() + 2 * PAGE);
        }
    }

    /// A launch that has to wait for a view of another thread says so.
    @ParameterizedTest
    @EnumSource(names = {"OPENCL_LWJGL", "UFFD_LWJGL"})
    void aLaunchThatWaitsForAViewIsAReplay(Backend backend, @TempDir Path folder) throws IOException, ParseException, InterruptedException {
        try (Rig rig = rig(backend); Recording recording = recording()) {
            recording.start();
            MemorySegment a = rig.ramp(2, 0);
            var view = rig.heap.sharedView(a, Access.READ);
            Thread launcher = Thread.ofPlatform().start(() -> rig.launchAdd(rig.device(0), Arg.inOut(a), 1).await());
            while (rig.count(Counter.LAUNCH_WAITS) == 0) {
                Thread.onSpinWait();
            }
            view.close();
            launcher.join();
            recording.stop();
            assertThat(eventsOf(recording, folder).get("hmm4j.Replay")).isNotEmpty().anySatisfy(replay -> {
                assertThat(replay.getString("reason")).isEqualTo("VIEW_OPEN");
                assertThat(replay.getString("kernel")).isEqualTo("add_ints");
                assertThat(replay.getDuration().toNanos()).isPositive();
            });
        }
    }
}

package io.github.hmm4j.demos.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.hmm4j.ByteSize;
import io.github.hmm4j.Hmm;
import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.UsageException;
import io.github.hmm4j.demos.report.Json;
import io.github.hmm4j.demos.report.Progress;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.pager.HostAccess;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every benchmark at a size that takes no time. What is measured is not looked at, but that it is measured and reported.
class BenchesTest {
    private static final String HOST_ACCESS = "hmm.hostAccess";

    @TempDir
    private Path target;

    @ParameterizedTest
    @EnumSource
    void copyComparesMigrationWithPlainCopies(Binding binding) throws Exception {
        Bench bench = new CopyBench(new CopyBench.Sizes(ByteSize.mib(3), ByteSize.mib(4), 1, 2));
        List<BenchRow> rows = bench.run(context(binding, Optional.empty()));
        assertNames(rows, "copy.h2d", "copy.d2h", "copy.sparse");
        assertThat(rows).allSatisfy(row -> assertComplete(row, binding.toString(), true));
        assertThat(rows.getLast().sizes()).containsEntry("movedBytes", ByteSize.kib(256));
    }

    @Test
    void copyTakesAnyPageSize() throws Exception {
        DeviceChoice choice = new DeviceChoice(Binding.LWJGL, Optional.empty(), OptionalLong.empty(), OptionalLong.of(4096));
        Bench bench = new CopyBench(new CopyBench.Sizes(ByteSize.mib(3), ByteSize.mib(4), 0, 2));
        List<BenchRow> rows = bench.run(context(choice));
        assertThat(rows).allSatisfy(row -> assertThat(row.sizes()).containsEntry("pageSizeBytes", 4096L));
    }

    @ParameterizedTest
    @EnumSource
    void launchComparesWithBareOpenCl(Binding binding) throws Exception {
        List<BenchRow> rows = new LaunchBench(new LaunchBench.Sizes(5, 1, 2)).run(context(binding, Optional.empty()));
        assertNames(rows, "launch.resident");
        assertThat(rows).allSatisfy(row -> assertComplete(row, binding.toString(), false));
    }

    @ParameterizedTest
    @EnumSource
    void matmulComparesWholePrograms(Binding binding) throws Exception {
        List<BenchRow> rows = new MatmulBench(new MatmulBench.Sizes(70, 1, 2)).run(context(binding, Optional.empty()));
        assertNames(rows, "matmul.managed");
        assertThat(rows).allSatisfy(row -> assertComplete(row, binding.toString(), true));
    }

    @Test
    void pagesNeedNoDevice() throws Exception {
        List<BenchRow> rows = new PagesBench(new PagesBench.Sizes(5_000, 1, 2)).run(context(Binding.LWJGL, Optional.empty()));
        assertNames(rows, "pages.snapshot", "pages.plan");
        assertThat(rows).allSatisfy(row -> {
            assertComplete(row, "none", false);
            assertThat(row.value()).isPositive();
        });
    }

    @Test
    void heapMeasuresEveryRow() throws Exception {
        List<BenchRow> rows = new HeapBench(new HeapBench.Sizes(ByteSize.gib(8), 0, 2, new TableMemory.Sizes(ByteSize.gib(1), 4_096, 512, 0, 2))).run(context(Binding.LWJGL, Optional.empty()));
        assertNames(rows, "heap.open", "heap.resident", "heap.free", "table.memory");
        assertThat(rows).allSatisfy(row -> assertComplete(row, "lwjgl", false));
    }

    /// Of each run: what is taken by pages that lie together, less what the same bytes take in large pages, and both again for pages that lie apart.
    @Test
    void whatPagesTakeIsCountedBesideLargePages() throws Exception {
        long[] taken = {4_096 * 20 + 500, 500, 512 * 3_000 + 70, 70, 4_096 * 24 + 30, 30, 512 * 5_000, 0};
        AtomicInteger looks = new AtomicInteger();
        RunContext context = context(Binding.LWJGL, Optional.empty());
        BenchRow row = new TableMemory(context.device(), new TableMemory.Sizes(ByteSize.gib(1), 4_096, 512, 0, 2), context.progress(), () -> {
            int look = looks.getAndIncrement();
            return look % 2 == 0 ? 1_000_000 : 1_000_000 + taken[look / 2]; // before and after
        }).row();
        assertThat(looks).hasValue(2 * taken.length);
        assertComplete(row, "lwjgl", false);
        assertThat(row.value()).isEqualTo(22);
        assertThat(row.sizes()).containsEntry("sparseBytesPerPage", 4_000L).containsEntry("pages", 4_096L).containsEntry("pageSizeBytes", 4_096L);
        assertThat(row.target()).hasValueSatisfying(bound -> assertThat(bound.met()).isFalse());
    }

    /// In a process whose Java heap stays as it is: elsewhere the collector gives memory back when it likes.
    @Test
    void memoryOfFilesIsNotTheProcesssOwn() throws Exception {
        Path output = target.resolve("output");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xms64m", "-Xmx64m", "-XX:+UseSerialGC", "-XX:+AlwaysPreTouch",
            "-cp", System.getProperty("java.class.path"), FileAndMemory.class.getName(), target.resolve("file").toString()).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        int status = process.waitFor();
        assertThat(status).as(Files.readString(output)).isZero();
    }

    /// The program of that process.
    static final class FileAndMemory {
        private FileAndMemory() {}

        public static void main(String[] args) throws Exception {
            long length = ByteSize.mib(64);
            long before = ProcessMemory.ownBytes();
            try (Arena arena = Arena.ofShared(); FileChannel file = FileChannel.open(Path.of(args[0]), StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                long resident = ProcessMemory.residentBytes();
                file.map(FileChannel.MapMode.READ_WRITE, 0, length, arena).fill((byte) 1);
                assertThat(ProcessMemory.residentBytes() - resident).isGreaterThan(length / 2);
                assertThat(ProcessMemory.ownBytes() - before).isLessThan(length / 2);
                arena.allocate(length).fill((byte) 1);
                assertThat(ProcessMemory.ownBytes() - before).isGreaterThan(length / 2);
            }
        }
    }

    @Test
    void faultNeedsDirectAccess() {
        System.setProperty(HOST_ACCESS, "checked");
        try {
            assertThatThrownBy(() -> new FaultBench(FaultBench.Sizes.FULL).run(context(Binding.LWJGL, Optional.empty())))
                .isInstanceOf(IOException.class).hasMessageContaining("hostAccess=CHECKED");
        } finally {
            System.clearProperty(HOST_ACCESS);
        }
    }

    @Test
    void faultMeasuresEveryRowForEachPageSize() throws Exception {
        try (Hmm hmm = Hmm.builder().hostOnly().open()) {
            assumeTrue(hmm.hostAccess().mode() != HostAccess.Mode.CHECKED, "no direct access: " + hmm.hostAccess().why());
        }
        System.setProperty(Floor.SOURCE_PROPERTY, FloorTest.SOURCE.toString());
        System.setProperty(Floor.COMPILER_PROPERTY, "cc");
        System.setProperty(Floor.TARGET_PROPERTY, target.toString());
        FaultBench bench = new FaultBench(new FaultBench.Sizes(List.of(ByteSize.kib(4), ByteSize.kib(64)), ByteSize.mib(4), ByteSize.mib(8), 20, 40,
            300, 1, 2, new MatmulBench.Sizes(70, 1, 2)));
        List<BenchRow> rows = bench.run(context(Binding.LWJGL, Optional.empty()));
        String[] kinds = {"touch.resident", "touch.first", "fault.read", "fault.write_upgrade", "fault.parallel", "ttsp", "migrate.bulk.h2d",
            "migrate.bulk.d2h", "scan.device", "matmul.transparent"};
        assertNames(rows, Stream.of("4KiB", "64KiB").flatMap(size -> Stream.of(kinds).map(kind -> kind + "." + size)).toArray(String[]::new));
        assertThat(rows).allSatisfy(row -> {
            assertThat(row.value()).isPositive().isFinite();
            assertThat(row.ratio()).hasValueSatisfying(ratio -> assertThat(ratio).isPositive().isFinite());
            assertThat(row.sizes()).containsEntry("pageSizeBytes", row.name().endsWith("64KiB") ? 65536L : 4096L);
            assertThat(row.environment()).containsKey("hostAccess");
            assertThat(row.target()).isPresent();
        });
    }

    @Test
    void cliffsMeasureEveryRow() throws Exception {
        try (Hmm hmm = Hmm.builder().hostOnly().open()) {
            assumeTrue(hmm.hostAccess().mode() != HostAccess.Mode.CHECKED, "no direct access: " + hmm.hostAccess().why());
        }
        CliffBench bench = new CliffBench(new CliffBench.Sizes(16, ByteSize.kib(256), 4, 2, ByteSize.mib(4), 5, 1, 2));
        List<BenchRow> rows = bench.run(context(Binding.LWJGL, Optional.empty()));
        assertNames(rows, "cliff.alignment", "cliff.one_page_short", "cliff.flag", "cliff.refill", "cliff.refill.views", "cliff.stream_once",
            "cliff.write_after_zero_read.2MiB", "launch.resident.large");
        assertThat(rows).allSatisfy(row -> {
            assertThat(row.value()).isFinite();
            assertThat(row.sizes()).containsKey("pageSizeBytes");
            assertThat(row.target()).isPresent();
        });
        assertThat(rows).filteredOn(row -> !row.name().equals("launch.resident.large")).allSatisfy(row -> {
            assertThat(row.value()).isPositive();
            assertThat(row.ratio()).hasValueSatisfying(ratio -> assertThat(ratio).isPositive().isFinite());
        });
        assertThat(rows.getLast().ratio()).isEmpty(); // its target is a time
    }

    @Test
    void pagedMeasuresEveryRow() throws Exception {
        DeviceChoice choice = new DeviceChoice(Binding.LWJGL, Optional.empty(), OptionalLong.empty(), OptionalLong.of(4096));
        PagedBench bench = new PagedBench(new PagedBench.Sizes(ByteSize.kib(256), ByteSize.kib(512), 1000, 1024, ByteSize.mib(1), ByteSize.mib(2), 1, 2));
        List<BenchRow> rows = bench.run(context(choice));
        List<String> names = new ArrayList<>(List.of("paged.stream.hoisted", "paged.stream.cached", "paged.gather", "aperture.list", "oversub.stream.1.5x", "oversub.stream.4x",
            "oversub.gather", "fault.batch", "replay.overhead"));
        if (kernelsFault()) {
            names.addAll(List.of("trap.resident", "trap.fault.4KiB", "trap.stream.4x"));
        }
        assertNames(rows, names.toArray(String[]::new));
        assertThat(rows).filteredOn(row -> !row.name().equals("fault.batch") && !row.name().startsWith("trap.fault")).allSatisfy(row -> assertComplete(row, "lwjgl", true));
        assertThat(rows).allSatisfy(row -> assertThat(row.sizes()).containsEntry("pageSizeBytes", 4096L));
        assertThat(sizesOf(rows, "oversub.stream.4x").get("movedBytes")).isGreaterThanOrEqualTo(ByteSize.mib(1)); // all in, and all out
        assertThat(sizesOf(rows, "oversub.gather")).containsEntry("touchedBytes", 5 * 4096L);
        assertThat(sizesOf(rows, "replay.overhead")).containsEntry("pages", 128L);
    }

    private static boolean kernelsFault() {
        try (Hmm hmm = Hmm.builder().open()) {
            return hmm.hostAccess().mode() == HostAccess.Mode.UFFD && hmm.device().info().kind() == DeviceInfo.Kind.CPU;
        }
    }

    private static Map<String, Long> sizesOf(List<BenchRow> rows, String name) {
        return rows.stream().filter(row -> row.name().equals(name)).findFirst().orElseThrow().sizes();
    }

    @Test
    void inPlaceMeasuresEveryRow() throws Exception {
        List<BenchRow> rows = new InPlaceBench(new InPlaceBench.Sizes(ByteSize.mib(1), ByteSize.mib(1), 2, 1, 3)).run(context(Binding.LWJGL, Optional.empty()));
        assertNames(rows, "in_place.stream", "in_place.sparse", "in_place.beyond_budget");
        assertThat(rows).allSatisfy(row -> {
            assertThat(row.ratio()).hasValueSatisfying(ratio -> assertThat(ratio).isPositive().isFinite());
            assertThat(row.baseline()).contains("svm.");
            assertThat(row.target()).isPresent();
        });
    }

    @Test
    void discreteMeasuresEveryRow() throws Exception {
        try (Hmm hmm = Hmm.builder().hostOnly().open()) {
            assumeTrue(hmm.hostAccess().mode() != HostAccess.Mode.CHECKED, "no direct access: " + hmm.hostAccess().why());
        }
        DiscreteBench.Sizes sizes = new DiscreteBench.Sizes(ByteSize.mib(1), 4, ByteSize.mib(2), 8, ByteSize.mib(8), 1000, 0, 2);
        List<BenchRow> rows = new DiscreteBench(sizes, true).run(context(Binding.LWJGL, Optional.empty()));
        assertNames(rows, "discrete.h2d", "discrete.d2h", "discrete.duplex", "discrete.scattered.64KiB", "discrete.gathered.64KiB", "discrete.scattered.4KiB", "discrete.gathered.4KiB", "discrete.relocate", "discrete.fault",
            "discrete.fault.busy", "discrete.launch.busy", "evict.scale");
        assertThat(rows).allSatisfy(row -> {
            assertThat(row.value()).isPositive().isFinite();
            assertThat(row.ratio().isPresent()).isEqualTo(!row.name().equals("evict.scale"));
            assertThat(row.target().isPresent()).isEqualTo(!row.name().equals("discrete.relocate"));
            assertThat(row.environment()).containsKeys("copyEngine", "hostAccess");
        });
    }

    @Test
    void discreteRefusesADeviceWithoutABus() {
        assertThatThrownBy(() -> new DiscreteBench(DiscreteBench.Sizes.FULL).run(context(Binding.LWJGL, Optional.empty())))
            .isInstanceOf(UsageException.class).hasMessageContaining("without --device it takes an emulated one");
    }

    /// That it measures is for a machine with two: `POCL_DEVICES="pthread pthread"`.
    @Test
    void peersRefusesOneDeviceAlone() {
        PeersBench bench = new PeersBench(new PeersBench.Sizes(ByteSize.mib(1), 0, 1));
        assumeTrue(System.getenv("POCL_DEVICES") == null, "there may be two");
        assertThatThrownBy(() -> bench.run(context(Binding.LWJGL, Optional.empty()))).isInstanceOf(UsageException.class).hasMessageContaining("needs two devices");
    }

    @Test
    void safepointsAreCountedWhileAThreadTouches() throws Exception {
        try (Hmm hmm = Hmm.builder().heap(ByteSize.mib(4)).hostOnly().open(); Arena arena = Arena.ofShared()) {
            MemorySegment segment = arena.allocate(ByteSize.mib(16));
            Touch.fill(segment);
            RunContext context = context(Binding.LWJGL, Optional.empty());
            SafepointRow.Waits waits = new SafepointRow(hmm, FaultBench.Sizes.FULL, context.progress()).measure(segment, 4096, 20, () -> {}, () -> {});
            assertThat(waits.safepoints().size()).isPositive();
            assertThat(waits.safepoints().percentile(0)).isPositive();
            assertThat(waits.touches().size()).isPositive().matches(size -> size % 4096 == 0);
        }
    }

    @Test
    void whatComparesWithOpenClRefusesADeviceThatIsNotThere() {
        Bench bench = new MatmulBench(new MatmulBench.Sizes(70, 0, 1));
        assertThatThrownBy(() -> bench.run(context(Binding.LWJGL, Optional.of("nosuch"))))
            .hasMessageContaining("device=nosuch");
    }

    @Test
    void allHaveNamesAndQuestions() {
        assertThat(Benches.all()).extracting(Bench::name).containsExactly("copy", "launch", "matmul", "pages", "heap", "fault", "cliffs",
            "paged", "in_place", "discrete", "peers");
        assertThat(Benches.all()).filteredOn(bench -> !bench.isOneOfAll()).extracting(Bench::name).containsExactly("discrete", "peers");
        assertThat(Benches.all()).allSatisfy(bench -> assertThat(bench.question()).endsWith("?"));
    }

    private static RunContext context(Binding binding, Optional<String> device) {
        return context(new DeviceChoice(binding, device, OptionalLong.empty(), OptionalLong.empty()));
    }

    private static RunContext context(DeviceChoice choice) {
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        return new RunContext(choice, nowhere, new Progress(nowhere, false, System::nanoTime));
    }

    private static void assertNames(List<BenchRow> rows, String... names) {
        assertThat(rows).extracting(BenchRow::name).containsExactly(names);
    }

    private static void assertComplete(BenchRow row, String binding, boolean ratio) {
        assertThat(row.binding()).isEqualTo(binding);
        assertThat(row.value()).isFinite();
        assertThat(row.ratio().isPresent()).isEqualTo(ratio);
        row.ratio().ifPresent(value -> assertThat(value).isPositive().isFinite());
        assertThat(row.target()).isPresent();
        assertThat(row.spread()).hasValueSatisfying(spread -> {
            assertThat(spread.runs()).isEqualTo(2);
            assertThat(spread.min()).isLessThanOrEqualTo(spread.max());
        });
        assertThat(row.sizes()).isNotEmpty();
        assertThat(row.environment()).containsKeys("date", "commit", "jdk", "driver", "processors");
        assertThat(Json.line(row)).contains("\"name\": \"" + row.name() + "\"", "\"value\": ", "\"unit\": ", "\"ratio\": ",
            "\"baseline\": ", "\"device\": ", "\"binding\": \"" + binding + "\"", "\"sizes\": {");
    }
}

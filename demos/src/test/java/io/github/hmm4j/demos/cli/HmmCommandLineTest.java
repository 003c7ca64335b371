package io.github.hmm4j.demos.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.demos.harness.DemoResult;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.demos.harness.RunContext;
import io.github.hmm4j.demos.harness.TwinResult;
import io.github.hmm4j.demos.harness.UsageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Option;

class HmmCommandLineTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final List<DeviceChoice> choices = new ArrayList<>();
    private Optional<String> deviceError = Optional.empty();
    private final List<DeviceReport> ignored = new ArrayList<>();
    private final FakeDemo good = new FakeDemo("good");
    private final FakeDemo other = new FakeDemo("other");

    /// A demo that does what its one option says.
    private final class FakeDemo implements Demo {
        private final String name;
        private String does = "";
        private int runs;

        FakeDemo(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String description() {
            return "Describes " + name + ".";
        }

        @Override
        public DemoResult run(RunContext context) throws Exception {
            runs++;
            choices.add(context.device());
            switch (does) {
                case "usage" -> throw new UsageException("--vertex: no such vertex");
                case "io" -> throw new NoSuchFileException("nowhere.txt");
                case "bug" -> throw new IllegalStateException("oops");
                default -> { }
            }
            TwinResult twin = new TwinResult(1_500_000, 2_000_000, 2048, 1024, 2, 3, 4, 17);
            return new DemoResult(name, !does.equals("wrong"), "dev", "lwjgl", "checked", Optional.of(twin),
                Optional.of(twin), Map.of("answer", 42), Optional.empty());
        }
    }

    private static final class FakeBench implements Bench {
        @Option(names = "--runs", defaultValue = "5")
        private int runs;

        @Override
        public String name() {
            return "copy";
        }

        @Override
        public String question() {
            return "How fast?";
        }

        @Override
        public List<BenchRow> run(RunContext context) throws IOException {
            if (runs == 0) {
                throw new IOException("no runs");
            }
            return List.of(new BenchRow("copy.h2d", runs, "GiB/s", Optional.of(0.95), "loop", "dev", "lwjgl",
                Map.of("lengthBytes", 64L), Optional.of(BenchRow.Target.atLeast(0.95, 0.9)), Optional.empty(), Map.of()));
        }
    }

    @Test
    void runsOneDemoAndPrintsATable() {
        assertThat(run("demo", "good")).isZero();
        assertThat(out.toString().lines().map(line -> line.replaceAll(" +", " "))).contains(
            "good explicit ok 1.50 ms 2.00 KiB 1.00 KiB 3 4 17", "good managed ok 1.50 ms 2.00 KiB 1.00 KiB 3 4 17");
        assertThat(other.runs).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "demo all", "demo --device 0", "demo all --device 0"})
    void runsAllDemosWhenNoneIsNamed(String line) {
        assertThat(run(line.split(" "))).isZero();
        assertThat(good.runs).isEqualTo(1);
        assertThat(other.runs).isEqualTo(1);
    }

    @Test
    void passesTheDeviceOptionsOn() {
        run("demo", "good");
        run("demo", "good", "--binding", "jocl", "--device", "Tesla", "--budget", "1.5G", "--page-size=64KiB");
        assertThat(choices).containsExactly(
            new DeviceChoice(Binding.LWJGL, Optional.empty(), OptionalLong.empty(), OptionalLong.empty()),
            new DeviceChoice(Binding.JOCL, Optional.of("Tesla"), OptionalLong.of(3L << 29), OptionalLong.of(1 << 16)));
    }

    @Test
    void aWrongResultExitsWithOneAndIsStillWritten() throws IOException {
        good.does = "wrong";
        Path json = folder.resolve("r.json");
        assertThat(run("demo", "all", "--json", json.toString())).isEqualTo(1);
        assertThat(out.toString()).contains("FAILED");
        assertThat(Files.readAllLines(json)).hasSize(4).satisfies(lines -> {
            assertThat(lines.get(0)).isEqualTo("[");
            assertThat(lines.get(1)).startsWith("{\"name\": \"good\", \"ok\": false,").contains("\"answer\": 42")
                .endsWith("},");
            assertThat(lines.get(2)).startsWith("{\"name\": \"other\", \"ok\": true,").endsWith("}}");
            assertThat(lines.get(3)).isEqualTo("]");
        });
    }

    @Test
    void aFailureExitsWithOneAndTheOthersStillRun() throws IOException {
        good.does = "io";
        Path json = folder.resolve("r.json");
        assertThat(run("demo", "--json", json.toString())).isEqualTo(1);
        assertThat(other.runs).isEqualTo(1);
        assertThat(err.toString()).contains("hmm: NoSuchFileException: nowhere.txt").doesNotContain("\tat ");
        assertThat(Files.readString(json)).contains("\"error\": \"NoSuchFileException: nowhere.txt\"");
    }

    @Test
    void aBugShowsItsStackTrace() {
        good.does = "bug";
        assertThat(run("demo", "good")).isEqualTo(1);
        assertThat(err.toString()).contains("hmm: oops").contains("\tat ");
    }

    @Test
    void anOptionFoundWrongLaterIsAUsageMistake() {
        good.does = "usage";
        assertThat(run("demo", "good")).isEqualTo(2);
        assertThat(err.toString()).contains("hmm: --vertex: no such vertex").contains("Try 'hmm demo good --help'");
    }

    @Test
    void runsBenchmarks() throws IOException {
        Path json = folder.resolve("b.json");
        assertThat(run("bench", "copy", "--runs", "7", "--json", json.toString())).isZero();
        assertThat(Files.readString(json)).isEqualTo("[\n{\"name\": \"copy.h2d\", \"value\": 7.0, \"unit\": \"GiB/s\", "
            + "\"ratio\": 0.95, \"baseline\": \"loop\", \"device\": \"dev\", \"binding\": \"lwjgl\", "
            + "\"sizes\": {\"lengthBytes\": 64}, \"target\": {\"bound\": \">= 0.900\", \"met\": true}, "
            + "\"spread\": null, \"environment\": {}}\n]\n");
        assertThat(out.toString()).contains("copy.h2d");
        assertThat(run("bench", "all", "--runs", "0")).isEqualTo(1);
        assertThat(err.toString()).contains("hmm: no runs");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        demo nosuch                       | unknown demo 'nosuch': choose one of good, other, all
        demo nosuch --json x              | unknown demo 'nosuch': choose one of good, other, all
        bench nosuch                      | unknown benchmark 'nosuch': choose one of copy, svm, report, micro, all
        bench                             | missing benchmark: choose one of copy, svm, report, micro, all
        nosuch                            | unknown command 'nosuch': choose one of devices, demo, bench
        ''                                | missing command: choose one of devices, demo, bench
        demo good extra                   | extra
        demo --device 0 good              | good
        demo good --nosuch                | --nosuch
        demo good --binding opencl        | --binding
        demo good --budget lots           | 'lots' is not a size such as 65536, 64K, 2MiB or 1.5G
        demo good --budget 0              | '0' is no memory at all
        demo good --budget 0.3            | '0.3' is not a whole number of bytes
        demo good --budget 9999999999T    | '9999999999T' is not a whole number of bytes below 2^63
        demo good --page-size 3000        | '3000' is not a power of two from 4K to 2M
        demo good --page-size 4M          | '4M' is not a power of two from 4K to 2M
        demo good --page-size             | --page-size
        demo good --device -1             | device
        demo good --device emulated:arc   | loaded by the script
        demo good --json no/such/folder/f | --json: cannot write a file there
        bench copy --runs many            | --runs
        bench svm                         | --out
        devices --device -1               | device
        bench svm --out t --device sim    | --device: no device matches device=sim
        bench svm --out t --sizes 5K      | --sizes: 5K is not a multiple of 4K up to a third of the memory
        bench svm --out t --sizes abc     | --sizes: 'abc' is not a size such as 65536
        bench svm --out t --sizes ,       | --sizes: there is no size in it
        bench svm --out pom.xml           | --out: cannot write files there: pom.xml
        bench svm --out x --sizes 4K,foo  | --sizes: 'foo' is not a size such as 65536, 64K, 2MiB or 1.5G
        bench micro nosuch                | no micro-benchmark matches 'nosuch'
        bench micro --quick Words extra   | extra
        """)
    void mistakesExitWithTwoAndSayWhatIsWrong(String line, String message) {
        assertThat(run(line.isEmpty() ? new String[0] : line.split(" "))).isEqualTo(2);
        assertThat(err.toString()).startsWith("hmm: ").contains(message).contains("--help").hasLineCount(2);
        assertThat(out.toString()).isEmpty();
        assertThat(good.runs + other.runs).isZero();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        --help             | bench
        demo --help        | Describes other.
        demo -h            | Describes good.
        demo good --help   | --page-size
        demo all --help    | --json
        bench --help       | How fast?
        bench copy --help  | --runs
        bench micro --help | --quick
        devices --help     | --binding
        """)
    void everyCommandHasHelp(String line, String mentions) {
        assertThat(run(line.split(" "))).isZero();
        assertThat(out.toString()).startsWith("Usage: hmm").contains(mentions).contains("--help");
        assertThat(err.toString()).isEmpty();
        assertThat(good.runs).isZero();
    }

    @Test
    void listsDevices() {
        assertThat(run("devices", "--binding", "jocl")).isZero();
        assertThat(out.toString()).contains("0 *", "Device of jocl", "2.00 GiB", "direct, 6,000 MB/s to the device",
            "up to 1,024 work-items, best a multiple of 32, 48.0 KiB of local memory each; at least 2 of them",
            "fine-grained buffer: at a time", "no fine-grained system: any pointer", "steps of 80 ns", "cl_khr_some: useful");
    }

    @Test
    void listsOneDevice() {
        assertThat(run("devices", "--device", "Tesla")).isZero();
        assertThat(out.toString()).contains("Tesla of lwjgl");
    }

    @Test
    void aDeviceThatCannotBeUsedHidesNoOther() {
        ignored.add(DeviceReport.ignored("Old Platform", "Old GPU", "lwjgl", "needs OpenCL 1.2"));
        assertThat(run("devices")).isZero();
        assertThat(out.toString()).contains("Device of lwjgl", "Old Platform", "needs OpenCL 1.2").doesNotContain("-1");
        assertThat(run("devices", "--json")).isZero();
        assertThat(out.toString()).contains("{\"number\": -1, \"chosen\": false, \"name\": \"Old GPU\"");
    }

    @Test
    void listsDevicesForPrograms() throws IOException {
        Path file = folder.resolve("devices.json");
        assertThat(run("devices", "--json")).isZero();
        assertThat(out.toString()).startsWith("[\n{\"number\": 0, \"chosen\": true, \"name\": \"Device of lwjgl\"");
        assertThat(run("devices", "--json", file.toString())).isZero();
        assertThat(out.toString()).endsWith(Files.readString(file)).doesNotContain("number  name");
    }

    @Test
    void aDeviceThatDoesNotOpenIsAFailure() {
        deviceError = Optional.of("clCreateContext failed");
        assertThat(run("devices")).isEqualTo(1);
        assertThat(out.toString()).contains("does not open", "clCreateContext failed");
    }

    @ParameterizedTest
    @CsvSource({"65536,65536", "64K,65536", "64k,65536", "64KiB,65536", "2MiB,2097152", "1.5G,1610612736", "0.5K,512",
        "1T,1099511627776", "12B,12", "12 M,12582912", "9223372036854775807,9223372036854775807"})
    void readsSizes(String text, long bytes) {
        assertThat(Sizes.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "K", "-1", "64KB", "1e6", "1.2.3G", "64 Kilo", "9223372036854775808", "8388608T"})
    void refusesOtherSizes(String text) {
        assertThatThrownBy(() -> Sizes.parse(text)).hasMessageContaining("'" + text + "'");
    }

    private int run(String... args) {
        Catalog catalog = new Catalog(List.of(good, other), List.of(new FakeBench()),
            (binding, device) -> Stream.concat(Stream.of(device(device.orElse("Device") + " of " + binding)), ignored.stream()).toList());
        return new HmmCommandLine(catalog, new PrintWriter(out), new PrintWriter(err)).run(args);
    }

    private DeviceReport device(String name) {
        DeviceReport.Use use = new DeviceReport.Use("direct", 6000, 5000, "faster", 1L << 30, 2L << 30, "aperture",
            "checked", "because");
        DeviceReport.Offer offer = new DeviceReport.Offer("3.0", List.of("1.2"),
            List.of(new DeviceReport.SharedMemory("fine-grained buffer", true, "at a time"),
                new DeviceReport.SharedMemory("fine-grained system", false, "any pointer")),
            "relaxed", false, true, 80, List.of(new DeviceReport.Extension("cl_khr_some", "useful")), Optional.empty(),
            Optional.empty());
        return new DeviceReport(0, true, name, "CPU", "platform", "vendor", "driver", "binding", 2, 4L << 30, 1L << 30,
            128, true, List.of("FINE_GRAIN_BUFFER"), deviceError.isEmpty() ? Optional.of(use) : Optional.empty(),
            deviceError, Optional.of(offer),
            List.of(new DeviceReport.Decision("copies", "direct, 6,000 MB/s to the device", "faster")),
            Optional.of(new DeviceReport.WorkGroups(1024, 48 << 10, Optional.of(32L))));
    }
}

package io.github.hmm4j.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectIteration;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.transparent.ChildJvm;
import java.lang.reflect.Method;
import java.net.URL;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.DiscoverySelector;

/// The scenarios of one device on each profile of the emulated GPU, in a JVM of its own, since the loader of OpenCL reads its layers once. What is not as OpenCL has it ends that JVM.
@Timeout(30 * 60)
@Tag("source-tree")
class EmulatedProfilesTest {

    private static final String LAYER = "/io/github/hmm4j/native/linux-%s/libhmm-emulated-gpu.so";
    private static final Duration LIMIT = Duration.ofMinutes(5);

    @ParameterizedTest
    @ValueSource(strings = "nvidia")
    void aFewScenariosHold(String device) {
        check(on(device, LIMIT, Few.class));
    }

    /// One with a driver that never calls back, one with one that calls back only who asked before the end.
    @Tag("elsewhere")
    @ParameterizedTest
    @ValueSource(strings = {"rocm:callbacks=never", "arc", "igpu", "mali:callbacks=lost"})
    void theyHoldOnTheOtherProfiles(String device) {
        check(on(device, LIMIT, Few.class));
    }

    /// Eviction needs staging memory, which a device that is full does not give; and a kernel may need some for itself. Each copy engine has other memory, and which of them is the faster is chance.
    @ParameterizedTest
    @CsvSource({"nvidia:memory=96M, copy", "nvidia:memory=96M, staged"})
    void aDeviceMayHaveLessThanTheBudget(String device, String copies) {
        checkEviction(device, copies);
    }

    @Tag("elsewhere")
    @ParameterizedTest
    @CsvSource({"rocm:memory=96M, copy", "rocm:memory=96M, staged", "'arc:memory=256M,kernel=64M', copy", "'arc:memory=256M,kernel=64M', staged", "igpu:memory=96M, auto", "mali:memory=96M, auto"})
    void otherDevicesMay(String device, String copies) {
        checkEviction(device, copies);
    }

    private static void checkEviction(String device, String copies) {
        ChildJvm.Result result = on(device, LIMIT, List.of("-Dhmm.copy=" + copies), SmallDeviceWorker.class);
        check(result);
        assertThat(result.numbers().get("evicted")).isPositive();
    }

    /// What fails: each call of a kind in turn, and the device at each call. Those of [FailureWalkTest] are on `nvidia`. Each takes half a minute, so the other profiles are left to a person ([ProfileWalk]).
    @Tag("exhaustive")
    @ParameterizedTest
    @ValueSource(strings = "arc:callbacks=never")
    void whateverFailsLeavesAllAsItWas(String device) {
        check(on(device, LIMIT, Walks.class));
    }

    @Tag("exhaustive")
    @ParameterizedTest
    @ValueSource(strings = "rocm")
    void randomWorkAgrees(String device) {
        check(on(device, LIMIT, Models.class));
    }

    /// All calls of a device that is gone fail with the status of one that was asked for too much (`rocm`), or as if its queue were no queue (`nvidia`).
    @ParameterizedTest
    @ValueSource(strings = {"nvidia:lose=3000,leaks=ignore", "rocm:lose=3000,leaks=ignore"})
    void aDeviceThatGoesIsLost(String device) {
        ChildJvm.Result result = on(device, LIMIT, LostDeviceWorker.class);
        check(result);
        assertThat(result.output()).contains("told=device lost: device=emulated ", "kernel=add", "lost=1");
    }

    /// A shadow is no shared memory, whatever a driver says of itself.
    @Tag("elsewhere")
    @ParameterizedTest
    @CsvSource({"nvidia, refused", "rocm, refused", "igpu, in place"})
    void onlyWhoSharesTheHostsMemoryWorksInPlace(String device, String expected) {
        ChildJvm.Result result = on(device, LIMIT, InPlaceWorker.class);
        check(result);
        assertThat(result.output()).contains(expected);
    }

    /// By address only where the device says so: an address that is in no shared memory is refused by one that has no system SVM.
    @Tag("elsewhere")
    @ParameterizedTest
    @CsvSource({"igpu, auto, which get it wrapped", "igpu:svm=system, auto, which get its addresses", "igpu:svm=system, wrapped, which get it wrapped", "nvidia:svm=system, auto, which get its addresses",
        "igpu, address, refused", "igpu:svm=fine, address, refused", "nvidia:svm=none, address, refused"})
    void kernelsGetAddressesWhereAllMemoryIsShared(String device, String asked, String expected) {
        ChildJvm.Result result = on(device, LIMIT, List.of("-Dhmm.inPlace=" + asked), InPlaceWorker.class);
        check(result);
        assertThat(result.output().lines().filter(line -> line.contains(expected)).count()).as(result::output).isEqualTo(2);
    }

    /// Where wrapped memory is a shadow kernels work in what the driver allocates, if the host shares that while they run, and views are all that the host needs.
    @Tag("elsewhere")
    @ParameterizedTest
    @CsvSource({"mali:svm=fine, checked, that the device has allocated", "nvidia:svm=fine, checked, that the device has allocated", "igpu:svm=fine, checked, which get it wrapped", "mali:svm=fine, uffd, with checked access",
        "mali:svm=coarse, checked, refused"})
    void kernelsWorkInFineGrainedBuffersWhereNoOtherMemoryIsShared(String device, String hostAccess, String expected) {
        ChildJvm.Result result = on(device, LIMIT, List.of("-Dhmm.hostAccess=" + hostAccess), InPlaceWorker.class);
        check(result);
        assertThat(result.output().lines().filter(line -> line.contains(expected)).count()).as(result::output).isEqualTo(2);
    }

    /// What the scenarios of kernels in place say holds for those that get addresses as well, and a heap may be larger than any buffer.
    @ParameterizedTest
    @ValueSource(strings = "igpu:svm=system,allocation=8M")
    void scenariosHoldByAddress(String device) {
        check(on(device, LIMIT, ByAddress.class, "InPlaceUffdLwjglOneDeviceTest", "InPlaceCheckedJoclOneDeviceTest"));
    }

    @ParameterizedTest
    @ValueSource(strings = "mali:svm=fine")
    void scenariosHoldInMemoryOfTheDrivers(String device) {
        check(on(device, LIMIT, ByAddress.class, "InPlaceCheckedJoclOneDeviceTest"));
    }

    /// The page table for kernels lies in memory that host and kernels share, where that costs kernels nothing; elsewhere commands bring it what has changed.
    @ParameterizedTest
    @CsvSource({"igpu:svm=fine, shared", "nvidia:svm=fine, apart"})
    void kernelsThatPageFindTheirTable(String device, String expected) {
        checkPaged(device, expected);
    }

    @Tag("elsewhere")
    @ParameterizedTest
    @CsvSource({"rocm, apart", "arc, apart", "mali, apart"})
    void kernelsThatPageFindItOnTheOtherProfiles(String device, String expected) {
        checkPaged(device, expected);
    }

    private static void checkPaged(String device, String expected) {
        ChildJvm.Result result = on(device, LIMIT, Paged.class);
        check(result);
        assertThat(result.output()).contains("table=" + expected);
    }

    /// Of what a kernel is given a piece may be larger than the largest allocation, if the driver is asked for that and for kernels that can do it: without these the emulated GPU ends the JVM.
    @Tag("elsewhere")
    @ParameterizedTest
    @CsvSource({"arc, false, refused: device memory exhausted", "arc, true, right with allocations of up to 268435456", "nvidia, true, refused: device memory exhausted"})
    void largeBuffersAreGivenOnRequest(String device, String asked, String expected) {
        ChildJvm.Result result = on(device + ":memory=256M,allocation=64M", LIMIT, List.of("-Dhmm.largeBuffers=" + asked), LargeBuffersWorker.class);
        check(result);
        assertThat(result.output()).contains(expected);
    }

    private static void check(ChildJvm.Result result) {
        assertThat(result.status()).as(result::output).isZero();
    }

    private static ChildJvm.Result on(String device, Duration limit, Class<?> program, String... arguments) {
        return on(device, limit, List.of(), program, arguments);
    }

    /// Runs a program on a profile of the emulated GPU.
    static ChildJvm.Result on(String device, Duration limit, List<String> options, Class<?> program, String... arguments) {
        URL layer = EmulatedProfilesTest.class.getResource(LAYER.formatted(System.getProperty("os.arch").replace("amd64", "x86_64")));
        assumeTrue(layer != null && layer.getProtocol().equals("file"), "there is no emulated GPU here");
        assumeTrue(OpenClDevices.list(ClBinding.LWJGL).stream().anyMatch(id -> id.platformName().equals("Portable Computing Language")), "the emulated GPU takes a device of POCL's, and there is none here");
        return ChildJvm.run(limit, ChildJvm.JSIG, Map.of("OPENCL_LAYERS", Path.of(layer.getPath()).toString(), "HMM_EMULATED_GPU", device), options, program, arguments);
    }

    /// Of the classes named by `args`.
    static final class ByAddress {

        private ByAddress() {}

        public static void main(String[] args) {
            List<DiscoverySelector> methods = Stream.of(InPlaceUffdLwjglOneDeviceTest.class, InPlaceCheckedJoclOneDeviceTest.class).filter(type -> List.of(args).contains(type.getSimpleName()))
                    .flatMap(type -> Stream.of("slicesAtAnyElement", "slicesWithinOnePage", "anon_write", "migrate_release").map(name -> (DiscoverySelector) selectMethod(type, name))).toList();
            System.exit(ConformanceRun.run(methods, ".*", System.out));
        }
    }

    static final class Walks {

        private Walks() {}

        public static void main(String[] args) {
            System.exit(ConformanceRun.run(List.of(selectClass(ProfileWalk.class)), ".*", List.of("source-tree"), System.out));
        }
    }

    /// Of the models the runs whose backends differ most: checked access and page faults, in windows and in an aperture, through the page table and without.
    static final class Models {

        private Models() {}

        public static void main(String[] args) {
            System.exit(ConformanceRun.run(List.of(runs(ModelTest.class, "oneThreadAgrees", 0, 1, 5, 7), runs(ModelTest.class, "manyThreadsAgree", 0, 1), runs(TransparentModelTest.class, "everybodyAgrees", 1, 2, 6)),
                    ".*", System.out));
        }

        private static DiscoverySelector runs(Class<?> type, String name, int... indexes) {
            Method method = Stream.of(type.getDeclaredMethods()).filter(each -> each.getName().equals(name)).findFirst().orElseThrow();
            return selectIteration(selectMethod(type, method), indexes);
        }
    }

    static final class Paged {

        private Paged() {}

        public static void main(String[] args) {
            try (Hmm hmm = Hmm.builder().open(); DeviceMemory table = hmm.device().device().tableMemory(4096)) {
                System.out.println("table=" + (table.hostAddressBytes() == 0 ? "apart" : "shared"));
            }
            String tests = "io.github.hmm4j.PagedLaunchTest";
            List<DiscoverySelector> methods = new ArrayList<>(List.of(selectMethod(tests, "aKernelThatSpoilsAllOfItsTableHurtsNobodyAfterIt")));
            for (String name : List.of("rowsOfALargeTableAreGathered", "eachValueIsCountedOnce", "workGroupsWithBarriersLeaveTogether", "theTableSaysWhatTheWordsSay", "outputsComeWithoutTheirOldContents", "plainKernelsAndPagedOnesTakeTurns")) {
                methods.add(selectMethod(tests, name, Mode.class.getName()));
            }
            System.exit(ConformanceRun.run(methods, ".*", System.out));
        }
    }

    /// What differs most from device to device: where arguments may start, moves in both directions, and who hears of the end of a kernel.
    static final class Few {

        private Few() {}

        public static void main(String[] args) {
            if (!OpenClDevices.choose(OpenClDevices.list(ClBinding.LWJGL), "").info().name().contains("emulated")) {
                throw new AssertionError("the loader of OpenCL takes no layers");
            }
            List<DiscoverySelector> methods = Stream.of(OpenClLwjglOneDeviceTest.class, UffdLwjglOneDeviceTest.class)
                    .flatMap(type -> Stream.of("slicesAtAnyElement", "slicesWithinOnePage", "anon_write", "migrate_release").map(name -> (DiscoverySelector) selectMethod(type, name))).toList();
            System.exit(ConformanceRun.run(methods, ".*", System.out));
        }
    }
}

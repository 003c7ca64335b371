package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.transparent.ChildJvm;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.management.JMX;
import javax.management.MBeanInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What monitors see.
@Timeout(60)
class MetricsTest {

    private static final MBeanServer SERVER = ManagementFactory.getPlatformMBeanServer();

    private static Set<ObjectName> names() throws Exception {
        return SERVER.queryNames(new ObjectName("io.github.hmm4j:type=Heap,*"), null);
    }

    @Test
    void aHeapShowsItselfUntilItIsClosed() throws Exception {
        try (Rig rig = Rig.open(1, builder -> builder.heap(ByteSize.mib(64)).budget(32L * Rig.PAGE).metrics(true));
                Rig other = Rig.open(1, builder -> builder.heap(ByteSize.mib(64)).budget(32L * Rig.PAGE).metrics(true))) {
            assertThat(names()).hasSize(2);
            ObjectName name = names().stream().min(ObjectName::compareTo).orElseThrow();
            HeapMXBean bean = JMX.newMXBeanProxy(SERVER, name, HeapMXBean.class);
            MemorySegment a = rig.filled(8, 1);
            MemorySegment b = rig.filled(4, 1);
            MemorySegment c = rig.pages(2);
            rig.add(a, 1, 0).await();
            rig.copy(rig.pages(4), b, 0).await();
            assertThat(bean.getCapacityBytes()).isEqualTo(rig.heap.capacityBytes());
            assertThat(bean.getAllocatedBytes()).isEqualTo(18L * Rig.PAGE);
            assertThat(bean.getEmptyBytes()).isEqualTo(c.byteSize());
            assertThat(bean.getHostBytes()).isZero();
            assertThat(bean.getSharedBytes()).isEqualTo(b.byteSize());
            String key = "0 " + rig.deviceName(0);
            assertThat(bean.getDeviceBytes()).containsOnlyKeys(key).containsEntry(key, 12L * Rig.PAGE);
            assertThat(bean.getDeviceMemoryBytes()).containsEntry(key, rig.device(0).usedBytes());
            assertThat(bean.getPoisonedBytes()).isZero();
            assertThat(bean.getBytesToDevice()).isEqualTo(12L * Rig.PAGE);
            assertThat(bean.getLaunches()).isEqualTo(2);
            rig.read(a);
            rig.hmm.evictAll(rig.device(0));
            assertThat(bean.getBytesToHost()).isEqualTo(12L * Rig.PAGE);
            assertThat(bean.getEvictions()).isEqualTo(rig.count(Counter.EVICTED_CLEAN_PAGES) + rig.count(Counter.EVICTED_DIRTY_PAGES)).isPositive();
            assertThat(bean.getHostFaults() + bean.getHostFaultErrors() + bean.getDeviceFaults() + bean.getLongWaits()).isZero();
            assertThat(other.heap.usedBytes()).isZero();
        }
        assertThat(names()).isEmpty();
    }

    @Test
    void faultsAreCounted() throws Exception {
        try (Hmm hmm = Hmm.builder().hostOnly().hostAccess(HostAccess.Mode.UFFD).heap(ByteSize.mib(4)).metrics(true).open()) {
            HeapMXBean bean = JMX.newMXBeanProxy(SERVER, names().iterator().next(), HeapMXBean.class);
            hmm.heap().allocate(8).set(ValueLayout.JAVA_LONG, 0, 1);
            assertThat(bean.getHostFaults()).isEqualTo(1);
        }
    }

    @Test
    void aLongWaitForAViewIsCounted() throws InterruptedException {
        try (Rig rig = Rig.windows(1, 32)) {
            MemorySegment a = rig.filled(1, 1);
            Background<Launch> launch;
            try (HostView _ = rig.heap.sharedView(a, Access.WRITE)) {
                launch = Background.call(() -> rig.add(a, 1, 0));
                ViewsAgainstLaunchesTest.awaitCount(rig, Counter.LAUNCH_WAITS, 1);
                launch.awaitWaiting();
                Thread.sleep(100); // from here on, which is a long wait
            }
            launch.join().await();
            assertThat(rig.count(Counter.LONG_WAITS)).isEqualTo(1);
        }
    }

    @Test
    void nobodySeesAHeapThatWasNotAskedTo() throws Exception {
        try (Hmm _ = Hmm.builder().hostOnly().heap(ByteSize.mib(2)).open()) {
            assertThat(names()).isEmpty();
        }
    }

    @Test
    void theSettingIsForHeapsThatSayNothing() throws Exception {
        System.setProperty("hmm.metrics", "true");
        try (Hmm _ = Hmm.builder().hostOnly().heap(ByteSize.mib(2)).open(); Hmm _ = Hmm.builder().hostOnly().heap(ByteSize.mib(2)).metrics(false).open()) {
            assertThat(names()).hasSize(1);
            System.setProperty("hmm.metrics", "yes");
            assertThatThrownBy(() -> Hmm.builder().hostOnly().open()).isInstanceOf(IllegalArgumentException.class).hasMessage("hmm.metrics=yes, must be true or false");
        } finally {
            System.clearProperty("hmm.metrics");
        }
    }

    /// The module is an optional one.
    @Test
    void aRuntimeWithoutManagementOpensAllTheSame() {
        ChildJvm.Result result = ChildJvm.run(Duration.ofSeconds(50), List.of("--limit-modules", "java.base,jdk.jfr,java.logging,jdk.unsupported", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"), Opening.class);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("has no module java.management").contains("opened");
    }

    /// A program that wants metrics.
    static final class Opening {

        private Opening() {}

        public static void main(String[] args) {
            try (Hmm _ = Hmm.builder().hostOnly().heap(ByteSize.mib(2)).metrics(true).open()) {
                System.out.println("opened");
            }
        }
    }

    @Test
    void theDocumentNamesEveryAttribute() throws Exception {
        try (Hmm _ = Hmm.builder().hostOnly().heap(ByteSize.mib(2)).metrics(true).open()) {
            MBeanInfo info = SERVER.getMBeanInfo(names().iterator().next());
            String document = Files.readString(Path.of("docs/metrics.md"));
            assertThat(Stream.of(info.getAttributes())).hasSize(16).allSatisfy(attribute -> assertThat(document).contains("`" + attribute.getName() + "`"));
        }
    }
}

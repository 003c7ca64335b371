package io.github.hmm4j;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.account.Direction;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectInstance;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/// The bean of one heap in the platform's server, from when it is made until it is closed. Only to be used where there
/// is a module `java.management`.
final class HeapMetrics implements HeapMXBean, AutoCloseable {

    private static final AtomicInteger LAST = new AtomicInteger();

    private final Hmm hmm;
    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    private final ObjectName name;

    HeapMetrics(Hmm hmm) {
        this.hmm = hmm;
        name = register();
    }

    private ObjectName register() {
        try {
            ObjectInstance registered = null;
            while (registered == null) {
                registered = registerAs("io.github.hmm4j:type=Heap,name=heap-" + LAST.incrementAndGet());
            }
            return registered.getObjectName();
        } catch (JMException e) {
            throw new IllegalStateException("metrics=true, but the bean cannot be registered", e);
        }
    }

    /// Returns null if there is one of that name: another class loader's copy of this class counts from 1, too.
    private @Nullable ObjectInstance registerAs(String text) throws JMException {
        try {
            return server.registerMBean(this, new ObjectName(text));
        } catch (InstanceAlreadyExistsException _) {
            return null;
        }
    }

    @Override
    public void close() {
        try {
            if (server.isRegistered(name)) {
                server.unregisterMBean(name);
            }
        } catch (JMException e) {
            throw new IllegalStateException("bean=" + name + " cannot be unregistered", e);
        }
    }

    private <T> Map<String, T> byDevice(Function<HmmDevice, T> number) {
        Map<String, T> numbers = new LinkedHashMap<>();
        for (HmmDevice device : hmm.devices()) {
            numbers.put(device.index() + " " + device.info().name(), number.apply(device));
        }
        return numbers;
    }

    @Override
    public long getCapacityBytes() {
        return hmm.heap().capacityBytes();
    }

    @Override
    public long getAllocatedBytes() {
        return hmm.heap().usedBytes();
    }

    @Override
    public long getEmptyBytes() {
        return hmm.heap().residency().emptyBytes();
    }

    @Override
    public long getHostBytes() {
        return hmm.heap().residency().hostBytes();
    }

    @Override
    public long getSharedBytes() {
        return hmm.heap().residency().sharedBytes();
    }

    @Override
    public Map<String, Long> getDeviceBytes() {
        return byDevice(hmm.heap().residency()::onDevice);
    }

    @Override
    public long getPoisonedBytes() {
        return hmm.heap().residency().poisonedBytes();
    }

    @Override
    public Map<String, Long> getDeviceMemoryBytes() {
        return byDevice(HmmDevice::usedBytes);
    }

    private long sum(Counter... counters) {
        Report report = hmm.report();
        long sum = 0;
        for (Counter counter : counters) {
            sum += report.count(counter);
        }
        return sum;
    }

    @Override
    public long getHostFaults() {
        return sum(Counter.FAULTS_READ, Counter.FAULTS_WRITE);
    }

    @Override
    public long getHostFaultErrors() {
        return sum(Counter.FAULT_ERRORS);
    }

    @Override
    public long getDeviceFaults() {
        return sum(Counter.DEVICE_FAULTS_READ, Counter.DEVICE_FAULTS_WRITE, Counter.DEVICE_BROUGHT_READ, Counter.DEVICE_BROUGHT_WRITE, Counter.DEVICE_UPGRADES);
    }

    @Override
    public long getBytesToDevice() {
        return hmm.report().bytes(Direction.TO_DEVICE);
    }

    @Override
    public long getBytesToHost() {
        return hmm.report().bytes(Direction.TO_HOST);
    }

    @Override
    public long getEvictions() {
        return sum(Counter.EVICTED_CLEAN_PAGES, Counter.EVICTED_DIRTY_PAGES, Counter.DEVICE_EVICTED);
    }

    @Override
    public long getLaunches() {
        return sum(Counter.LAUNCHES);
    }

    @Override
    public long getLongWaits() {
        return sum(Counter.LONG_WAITS);
    }
}

package io.github.hmm4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.FakeDevice;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClOptions;
import io.github.hmm4j.device.opencl.CopyMode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How much of a device a heap takes that is not told how much.
@Timeout(60)
final class BudgetTest {

    private static final int EXTENSIONS = 0x1030;
    private static final int GLOBAL_FREE_MEMORY_AMD = 0x4039;
    private static final long MIB = 1 << 20;

    private static DeviceInfo device(long memoryMib, boolean unified) {
        return FakeDevice.info("one", memoryMib * MIB, memoryMib * MIB, unified);
    }

    @ParameterizedTest
    @CsvSource({
        "81920, false, 81920, 81520", // all but what is kept for others
        "81920, false, 20480, 20080", // others have three quarters of it
        "81920, false,   100, 10240", // they may give some back
        " 1024, false,  1024,   768", // small
        "32768, true,  32768, 16384", // it is the host's as well
        "32768, true,   8192,  7792",
    })
    void isWhatIsFreeLessWhatOthersNeed(long memoryMib, boolean unified, long freeMib, long budgetMib) {
        assertThat(HmmBuilder.sensibleBudgetBytes(device(memoryMib, unified), freeMib * MIB)).isEqualTo(budgetMib * MIB);
    }

    private static ClDeviceId id() {
        return OpenClDevices.choose(OpenClDevices.list(ClBinding.LWJGL), "");
    }

    private static ClDevice open(ClApi api, ClDeviceId id) {
        return ClDevice.open(api, id, ClOptions.DEFAULTS.copy(CopyMode.STAGED)); // which wraps no host memory
    }

    /// Devices of one piece of hardware, each with a context of its own.
    @Test
    void whatOneHeapHasTakenIsNotFreeForAnother() {
        ClDeviceId id = id();
        ClApi api = OpenClDevices.api(ClBinding.LWJGL);
        try (ClDevice first = open(api, id); ClDevice second = open(api, id)) {
            long before = second.freeBytes();
            DeviceMemory taken = first.allocate(64 * MIB);
            DeviceMemory part = taken.slice(0, MIB);
            assertThat(second.freeBytes()).isEqualTo(before - 64 * MIB).isEqualTo(first.freeBytes());
            part.close();
            assertThat(second.freeBytes()).isEqualTo(before - 64 * MIB);
            taken.close();
            taken.close();
            assertThat(second.freeBytes()).isEqualTo(before);
        }
    }

    /// Such a heap has the budget that it then reports.
    @Test
    void theDriverSaysWhatIsFree() {
        ClApi real = OpenClDevices.api(ClBinding.LWJGL);
        ClDeviceId id = id();
        long freeBytes = id.info().memoryBytes() / 3;
        ClApi amd = (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, arguments) -> {
            if (method.getName().equals("deviceText") && (int) arguments[1] == EXTENSIONS) {
                return "cl_khr_icd cl_amd_device_attribute_query";
            } else if (method.getName().equals("deviceBytes") && (int) arguments[1] == GLOBAL_FREE_MEMORY_AMD) {
                return ByteBuffer.allocate(16).order(ByteOrder.nativeOrder()).putLong(freeBytes >> 10).putLong(1).array();
            }
            try {
                return method.invoke(real, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
        ClDevice device = open(amd, id);
        assertThat(device.freeBytes()).isEqualTo(freeBytes >> 10 << 10);
        try (Hmm hmm = Hmm.builder().device(device).heap(ByteSize.mib(16)).open()) {
            long expected = HmmBuilder.sensibleBudgetBytes(id.info(), freeBytes >> 10 << 10);
            assertThat(hmm.device().budgetBytes()).isEqualTo(expected >> 16 << 16);
        }
    }
}

package io.github.hmm4j.device.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What drivers say of the hardware, as they lay it out.
final class ClHardwareTest {

    private static final String UUID = "00112233445566778899aabbccddeeff";

    /// A driver with these answers about its device; all else fails.
    private static ClApi driver(String extensions, Map<Integer, Object> answers) {
        return (ClApi) Proxy.newProxyInstance(ClApi.class.getClassLoader(), new Class<?>[] {ClApi.class}, (_, method, arguments) -> {
            int name = (int) arguments[1];
            if (name == Cl.DEVICE_EXTENSIONS) {
                return extensions;
            }
            Object answer = answers.get(name);
            if (answer == null) {
                throw ClStatus.failure(-30, "clGetDeviceInfo", method.getName());
            }
            return answer;
        });
    }

    private static ClHardware of(String extensions, Map<Integer, Object> answers) {
        Map<Integer, Object> all = new HashMap<>(Map.of(Cl.PLATFORM_VENDOR, "Maker Corporation", Cl.DEVICE_VENDOR, "maker corporation "));
        all.putAll(answers);
        return ClHardware.of(driver(extensions, all), 1, 2);
    }

    private static byte[] numbers(int... numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.nativeOrder());
        for (int number : numbers) {
            bytes.putInt(number);
        }
        return bytes.array();
    }

    private static byte[] topology(int type, int bus, int device, int function) {
        byte[] bytes = new byte[24];
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putInt(0, type);
        bytes[21] = (byte) bus;
        bytes[22] = (byte) device;
        bytes[23] = (byte) function;
        return bytes;
    }

    @Test
    void readsUuidAndAddress() {
        ClHardware hardware = of("cl_khr_fp64 cl_khr_device_uuid cl_khr_pci_bus_info",
                Map.of(Cl.DEVICE_UUID, HexFormat.of().parseHex(UUID), Cl.DEVICE_PCI_BUS_INFO, numbers(1, 0x3b, 2, 7)));
        assertThat(hardware).isEqualTo(new ClHardware(UUID, "0001:3b:02.7", true));
    }

    @Test
    void readsWhatTwoVendorsHadBefore() {
        ClHardware nvidia = of("cl_nv_device_attribute_query", Map.of(Cl.DEVICE_PCI_BUS_ID_NV, 0xC1L, Cl.DEVICE_PCI_SLOT_ID_NV, 0x0AL));
        ClHardware amd = of("cl_amd_device_attribute_query", Map.of(Cl.DEVICE_TOPOLOGY_AMD, topology(1, 0xC1, 1, 2)));
        assertThat(nvidia.pciAddress()).isEqualTo("0000:c1:01.2");
        assertThat(amd.isSame(nvidia)).isTrue();
        assertThat(of("cl_amd_device_attribute_query", Map.of(Cl.DEVICE_TOPOLOGY_AMD, topology(0, 0xC1, 1, 2))).pciAddress()).isEmpty();
    }

    @Test
    void whatIsNotFilledInIsNotSaid() {
        ClHardware hardware = of("cl_khr_device_uuid cl_khr_pci_bus_info",
                Map.of(Cl.DEVICE_UUID, new byte[16], Cl.DEVICE_PCI_BUS_INFO, numbers(0, 0, 0, 0)));
        assertThat(hardware).isEqualTo(new ClHardware("", "", true));
        assertThat(hardware.isSame(hardware)).isFalse();
    }

    @Test
    void aDriverThatDoesNotAnswerIsNotAsked() {
        assertThat(of("cl_khr_fp64", Map.of())).isEqualTo(new ClHardware("", "", true));
        assertThat(of("cl_khr_device_uuid", Map.of())).as("it promises, and fails").isEqualTo(ClHardware.UNKNOWN);
    }

    @Test
    void anIntegratedGpuOfNvidiaWorksInTheHostsMemory() {
        assertThat(ClHardware.isUnified(driver("", Map.of(Cl.DEVICE_HOST_UNIFIED_MEMORY, 1L)), 2)).isTrue();
        assertThat(ClHardware.isUnified(driver("cl_nv_device_attribute_query", Map.of(Cl.DEVICE_HOST_UNIFIED_MEMORY, 0L, Cl.DEVICE_INTEGRATED_MEMORY_NV, 1L)), 2)).isTrue();
        assertThat(ClHardware.isUnified(driver("cl_nv_device_attribute_query", Map.of(Cl.DEVICE_HOST_UNIFIED_MEMORY, 0L)), 2)).as("does not know").isFalse();
        assertThat(ClHardware.isUnified(driver("", Map.of(Cl.DEVICE_HOST_UNIFIED_MEMORY, 0L)), 2)).isFalse();
    }
}

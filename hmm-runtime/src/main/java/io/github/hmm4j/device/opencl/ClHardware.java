package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.HmmException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which piece of hardware a device is, as far as its driver says: several drivers may show one.
///
/// @param uuid         32 hexadecimal digits (`cl_khr_device_uuid`), or empty
/// @param pciAddress   such as `0000:3b:01.0` (`cl_khr_pci_bus_info`, or what NVIDIA and AMD had before it), or empty
/// @param makersDriver whether the driver's vendor is the device's
public record ClHardware(String uuid, String pciAddress, boolean makersDriver) {

    /// What a device is whose driver says nothing.
    public static final ClHardware UNKNOWN = new ClHardware("", "", false);

    private static final Logger LOG = LoggerFactory.getLogger(ClHardware.class);

    private static final String DEVICE_UUID = "cl_khr_device_uuid";
    private static final String PCI_BUS_INFO = "cl_khr_pci_bus_info";
    private static final String NVIDIA = "cl_nv_device_attribute_query";
    private static final String AMD = "cl_amd_device_attribute_query";

    private static final int TOPOLOGY_BYTES = 24;
    private static final int TOPOLOGY_PCIE = 1;
    private static final int TOPOLOGY_BUS = 21;

    /// Asks the driver. What it promises and does not answer counts as not said: the device is as good as before.
    static ClHardware of(ClApi api, long platform, long device) {
        try {
            Set<String> extensions = extensions(api, device);
            boolean makers = api.platformText(platform, Cl.PLATFORM_VENDOR).strip()
                    .equalsIgnoreCase(api.deviceText(device, Cl.DEVICE_VENDOR).strip());
            return new ClHardware(uuid(api, device, extensions), pciAddress(api, device, extensions), makers);
        } catch (HmmException e) {
            LOG.debug("a device does not say which one it is", e);
            return UNKNOWN;
        }
    }

    /// Whether the device works in the host's memory. NVIDIA has a question of its own for that, besides OpenCL's.
    static boolean isUnified(ClApi api, long device) {
        if (api.deviceNumber(device, Cl.DEVICE_HOST_UNIFIED_MEMORY) != 0) {
            return true;
        }
        try {
            return extensions(api, device).contains(NVIDIA) && api.deviceNumber(device, Cl.DEVICE_INTEGRATED_MEMORY_NV) != 0;
        } catch (HmmException e) {
            LOG.debug("a device does not say whether it is integrated", e);
            return false;
        }
    }

    /// What the driver says is free of the device's memory, in bytes; empty where it does not say.
    static OptionalLong freeBytes(ClApi api, long device) {
        try {
            if (!extensions(api, device).contains(AMD)) {
                return OptionalLong.empty();
            }
            byte[] kibibytes = api.deviceBytes(device, Cl.DEVICE_GLOBAL_FREE_MEMORY_AMD); // all of it, then the largest piece
            return kibibytes.length < Long.BYTES ? OptionalLong.empty()
                    : OptionalLong.of(ByteBuffer.wrap(kibibytes).order(ByteOrder.nativeOrder()).getLong(0) << 10);
        } catch (HmmException e) {
            LOG.debug("a device does not say how much of its memory is free", e);
            return OptionalLong.empty();
        }
    }

    private static Set<String> extensions(ClApi api, long device) {
        return Set.copyOf(List.of(api.deviceText(device, Cl.DEVICE_EXTENSIONS).strip().split("\\s+")));
    }

    /// Whether both are one. To be asked of devices of different platforms: those of one may be parts that share an
    /// address.
    public boolean isSame(ClHardware other) {
        return (!uuid.isEmpty() && uuid.equals(other.uuid)) || (!pciAddress.isEmpty() && pciAddress.equals(other.pciAddress));
    }

    private static String uuid(ClApi api, long device, Set<String> extensions) {
        String uuid = extensions.contains(DEVICE_UUID) ? HexFormat.of().formatHex(api.deviceBytes(device, Cl.DEVICE_UUID)) : "";
        return uuid.matches("0*") ? "" : uuid; // some drivers fill in nothing
    }

    private static String pciAddress(ClApi api, long device, Set<String> extensions) {
        if (extensions.contains(PCI_BUS_INFO)) {
            return khronosAddress(api.deviceBytes(device, Cl.DEVICE_PCI_BUS_INFO));
        }
        if (extensions.contains(NVIDIA)) {
            return nvidiaAddress(api.deviceNumber(device, Cl.DEVICE_PCI_BUS_ID_NV), api.deviceNumber(device, Cl.DEVICE_PCI_SLOT_ID_NV));
        }
        return extensions.contains(AMD) ? amdAddress(api.deviceBytes(device, Cl.DEVICE_TOPOLOGY_AMD)) : "";
    }

    static String khronosAddress(byte[] numbers) {
        if (numbers.length < 4 * Integer.BYTES) {
            return "";
        }
        ByteBuffer each = ByteBuffer.wrap(numbers).order(ByteOrder.nativeOrder());
        return address(each.getInt(), each.getInt(), each.getInt(), each.getInt());
    }

    /// The domain is above the eight bits of the bus.
    static String nvidiaAddress(long bus, long slot) {
        return address((int) (bus >> 8), (int) (bus & 0xFF), (int) (slot >> 3), (int) (slot & 7));
    }

    static String amdAddress(byte[] topology) {
        if (topology.length < TOPOLOGY_BYTES || ByteBuffer.wrap(topology).order(ByteOrder.nativeOrder()).getInt(0) != TOPOLOGY_PCIE) {
            return "";
        }
        return address(0, topology[TOPOLOGY_BUS] & 0xFF, topology[TOPOLOGY_BUS + 1] & 0xFF, topology[TOPOLOGY_BUS + 2] & 0xFF);
    }

    /// As Linux writes it; the first of all is the host's own bridge, so a device that is said to be there has no address.
    private static String address(int domain, int bus, int device, int function) {
        return (domain | bus | device | function) == 0 ? "" : String.format(Locale.ROOT, "%04x:%02x:%02x.%x", domain, bus, device, function);
    }
}

package io.github.hmm4j.demos.devices;

import io.github.hmm4j.demos.harness.DeviceReport.Extension;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The extensions that change what hmm4j does with a device, or would once it uses them. All others are none of its
/// business.
final class Extensions {
    private static final Map<String, String> MEANINGS = meanings();

    private Extensions() {}

    private static Map<String, String> meanings() {
        Map<String, String> meanings = new LinkedHashMap<>();
        meanings.put("cl_khr_int64_base_atomics",
            "kernels may add to and exchange 64-bit values of a heap, such as counters and links");
        meanings.put("cl_khr_unified_svm",
            "would say what else than OpenCL 2.0's kinds can be shared, and where each allocation lives");
        meanings.put("cl_intel_unified_shared_memory",
            "would give device memory addresses of its own: pointers could be followed in a heap larger than one allocation");
        meanings.put("cl_ext_buffer_device_address",
            "would fix each buffer's address: pointers could be followed in a heap larger than one allocation");
        meanings.put("cl_arm_import_memory",
            "would let kernels use the heap's host pages where they are: in place, nothing migrates");
        meanings.put("cl_khr_external_memory",
            "would let two devices or interfaces use one allocation: no copy between them goes through the host");
        meanings.put("cl_khr_external_memory_opaque_fd",
            "how such an allocation is handed over: a file descriptor of the driver's");
        meanings.put("cl_khr_external_memory_dma_buf",
            "how such an allocation is handed over: a dma-buf, which other drivers and devices take too");
        meanings.put("cl_khr_device_uuid", "says which device it is, whatever interface shows it: two drivers for one count as one");
        meanings.put("cl_khr_pci_bus_info", "says which slot it is in: tells two equal devices apart, and two drivers for one from two devices");
        return meanings;
    }

    /// Those of `names` that matter, in an order of ours.
    static List<Extension> that(Set<String> names) {
        return MEANINGS.entrySet().stream().filter(each -> names.contains(each.getKey()))
            .map(each -> new Extension(each.getKey(), each.getValue())).toList();
    }
}

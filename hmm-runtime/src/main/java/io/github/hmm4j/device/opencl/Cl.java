package io.github.hmm4j.device.opencl;

/// The constants of `cl.h` that this package passes, under their own names without the prefix `CL_`.
final class Cl {

    static final int PLATFORM_VERSION = 0x0901;
    static final int PLATFORM_NAME = 0x0902;
    static final int PLATFORM_VENDOR = 0x0903;

    static final int DEVICE_TYPE = 0x1000;
    static final long DEVICE_TYPE_CPU = 1 << 1;
    static final long DEVICE_TYPE_GPU = 1 << 2;
    static final long DEVICE_TYPE_ACCELERATOR = 1 << 3;
    static final int DEVICE_MAX_COMPUTE_UNITS = 0x1002;
    static final int DEVICE_MAX_WORK_GROUP_SIZE = 0x1004;
    /// As many as there may be dimensions.
    static final int DEVICE_MAX_WORK_ITEM_SIZES = 0x1005;
    static final int DEVICE_MAX_MEM_ALLOC_SIZE = 0x1010;
    /// In bits.
    static final int DEVICE_MEM_BASE_ADDR_ALIGN = 0x1019;
    static final int DEVICE_GLOBAL_MEM_SIZE = 0x101F;
    static final int DEVICE_GLOBAL_FREE_MEMORY_AMD = 0x4039;
    static final int DEVICE_LOCAL_MEM_SIZE = 0x1023;
    static final int DEVICE_AVAILABLE = 0x1027;
    static final int DEVICE_COMPILER_AVAILABLE = 0x1028;
    static final int DEVICE_NAME = 0x102B;
    static final int DEVICE_VENDOR = 0x102C;
    static final int DRIVER_VERSION = 0x102D;
    static final int DEVICE_VERSION = 0x102F;
    static final int DEVICE_EXTENSIONS = 0x1030;
    static final int DEVICE_PLATFORM = 0x1031;
    static final int DEVICE_HOST_UNIFIED_MEMORY = 0x1035;
    /// From OpenCL 2.0 on.
    static final int DEVICE_SVM_CAPABILITIES = 0x1053;
    /// From OpenCL 3.0 on.
    static final int DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT = 0x1065;
    /// Of `cl_khr_device_uuid`: 16 bytes.
    static final int DEVICE_UUID = 0x106A;
    /// Of `cl_nv_device_attribute_query`, as the next three.
    static final int DEVICE_INTEGRATED_MEMORY_NV = 0x4006;
    static final int DEVICE_PCI_BUS_ID_NV = 0x4008;
    /// Device and function, 5 and 3 bits.
    static final int DEVICE_PCI_SLOT_ID_NV = 0x4009;
    /// Of `cl_amd_device_attribute_query`: a type, 17 bytes that mean nothing, bus, device, function.
    static final int DEVICE_TOPOLOGY_AMD = 0x4037;
    /// Of `cl_khr_pci_bus_info`: domain, bus, device, function, 4 bytes each.
    static final int DEVICE_PCI_BUS_INFO = 0x410F;

    static final long MEM_READ_WRITE = 1;
    static final long MEM_USE_HOST_PTR = 1 << 3;
    static final long MEM_ALLOC_HOST_PTR = 1 << 4;
    /// From OpenCL 2.0 on, for shared virtual memory.
    static final long MEM_SVM_FINE_GRAIN_BUFFER = 1 << 10;
    static final long MEM_SVM_ATOMICS = 1 << 11;
    static final long MAP_READ = 1;
    static final long MAP_WRITE = 1 << 1;
    /// The host is going to write all that it maps, so nothing is brought to it.
    static final long MAP_WRITE_INVALIDATE_REGION = 1 << 2;

    static final int PROGRAM_DEVICES = 0x1163;
    static final int PROGRAM_BINARY_SIZES = 0x1165;
    static final int PROGRAM_BINARIES = 0x1166;

    static final int KERNEL_ARG_ADDRESS_QUALIFIER = 0x1196;
    static final int KERNEL_ARG_ADDRESS_GLOBAL = 0x119B;
    static final int KERNEL_ARG_ADDRESS_LOCAL = 0x119C;
    static final int KERNEL_ARG_ADDRESS_CONSTANT = 0x119D;
    static final int KERNEL_ARG_ADDRESS_PRIVATE = 0x119E;
    static final int KERNEL_ARG_ACCESS_QUALIFIER = 0x1197;
    static final int KERNEL_ARG_ACCESS_NONE = 0x11A3;
    static final int KERNEL_ARG_TYPE_NAME = 0x1198;
    static final int KERNEL_ARG_TYPE_QUALIFIER = 0x1199;
    static final long KERNEL_ARG_TYPE_CONST = 1;
    static final long KERNEL_ARG_TYPE_PIPE = 1 << 3;
    static final int KERNEL_ARG_NAME = 0x119A;

    static final int KERNEL_WORK_GROUP_SIZE = 0x11B0;
    static final int KERNEL_COMPILE_WORK_GROUP_SIZE = 0x11B1;
    static final int KERNEL_LOCAL_MEM_SIZE = 0x11B2;
    static final int KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE = 0x11B3;

    static final int PROFILING_COMMAND_QUEUED = 0x1280;
    static final int PROFILING_COMMAND_START = 0x1282;
    static final int PROFILING_COMMAND_END = 0x1283;

    private Cl() {}
}

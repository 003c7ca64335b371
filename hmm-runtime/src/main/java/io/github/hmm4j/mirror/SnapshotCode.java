package io.github.hmm4j.mirror;

import java.util.Locale;

/// What one page looks like from a device: permission and location in one code, with the values of the kernel's HMM test device (`lib/test_hmm_uapi.h`).
///
/// The kernel's level bits (a mapping of 2 MiB or 1 GiB) do not appear, since all pages of a heap have one size, nor its codes of coherent devices: what kernels use in place is the host's.
public enum SnapshotCode {
    /// No region, not readable, or the contents are lost.
    ERROR(0xff),
    /// Nothing there that this device could read without a fault: untouched, in migration, or in the private memory of another device.
    NONE(0x00),
    /// On the host, read only: by protection, or because devices share it.
    READ(0x01),
    /// On the host, writable.
    WRITE(0x02),
    /// Read by the host but never written: zeros.
    ZERO_READ(0x11),
    DEVICE_PRIVATE_LOCAL_READ(0x21),
    DEVICE_PRIVATE_LOCAL_WRITE(0x22);

    private static final SnapshotCode[] BY_CODE = new SnapshotCode[256];

    static {
        for (SnapshotCode value : values()) {
            BY_CODE[value.code] = value;
        }
    }

    private final int code;

    SnapshotCode(int code) {
        this.code = code;
    }

    /// The kernel's byte, 0 to 255.
    public int code() {
        return code;
    }

    /// @throws IllegalArgumentException if the runtime gives no such code
    public static SnapshotCode of(byte code) {
        SnapshotCode value = BY_CODE[code & 0xff];
        if (value == null) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "code=0x%02x is not a snapshot code",
                    code & 0xff));
        }
        return value;
    }
}

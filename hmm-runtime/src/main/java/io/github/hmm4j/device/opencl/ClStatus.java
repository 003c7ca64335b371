package io.github.hmm4j.device.opencl;

import io.github.hmm4j.error.DeviceLostException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.OpenClFailedException;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Names of the OpenCL status codes, and what each means to the runtime.
///
/// A device counts as **lost** where the driver says so (`CL_DEVICE_NOT_AVAILABLE`, `CL_CONTEXT_TERMINATED_KHR`), where
/// it calls a queue or a context invalid that it made itself and that was not released (drivers answer so once a
/// context has died), and for the code -9999 that one vendor returns after a kernel has touched memory that is not its
/// own. `CL_OUT_OF_RESOURCES` is not among them: it may come from one allocation or launch that was too big. Where a
/// call or a command has ended with it, [ClProbe] tells; native code asks for itself (`fail_cl` in `failure.c`).
public final class ClStatus {

    public static final int SUCCESS = 0;
    public static final int DEVICE_NOT_FOUND = -1;
    public static final int MEM_OBJECT_ALLOCATION_FAILURE = -4;
    public static final int OUT_OF_RESOURCES = -5;
    public static final int OUT_OF_HOST_MEMORY = -6;
    public static final int BUILD_PROGRAM_FAILURE = -11;
    public static final int EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST = -14;
    public static final int INVALID_BUILD_OPTIONS = -43;
    public static final int INVALID_ARG_SIZE = -51;
    public static final int INVALID_OPERATION = -59;
    public static final int PLATFORM_NOT_FOUND_KHR = -1001;

    private static final String DEVICE = "device=";
    private static final String NO_DETAIL = "no detail";

    private static final Map<Integer, String> NAMES = Map.<Integer, String>ofEntries(
            Map.entry(0, "CL_SUCCESS"),
            Map.entry(-1, "CL_DEVICE_NOT_FOUND"),
            Map.entry(-2, "CL_DEVICE_NOT_AVAILABLE"),
            Map.entry(-3, "CL_COMPILER_NOT_AVAILABLE"),
            Map.entry(-4, "CL_MEM_OBJECT_ALLOCATION_FAILURE"),
            Map.entry(-5, "CL_OUT_OF_RESOURCES"),
            Map.entry(-6, "CL_OUT_OF_HOST_MEMORY"),
            Map.entry(-7, "CL_PROFILING_INFO_NOT_AVAILABLE"),
            Map.entry(-8, "CL_MEM_COPY_OVERLAP"),
            Map.entry(-9, "CL_IMAGE_FORMAT_MISMATCH"),
            Map.entry(-10, "CL_IMAGE_FORMAT_NOT_SUPPORTED"),
            Map.entry(-11, "CL_BUILD_PROGRAM_FAILURE"),
            Map.entry(-12, "CL_MAP_FAILURE"),
            Map.entry(-13, "CL_MISALIGNED_SUB_BUFFER_OFFSET"),
            Map.entry(-14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"),
            Map.entry(-15, "CL_COMPILE_PROGRAM_FAILURE"),
            Map.entry(-16, "CL_LINKER_NOT_AVAILABLE"),
            Map.entry(-17, "CL_LINK_PROGRAM_FAILURE"),
            Map.entry(-18, "CL_DEVICE_PARTITION_FAILED"),
            Map.entry(-19, "CL_KERNEL_ARG_INFO_NOT_AVAILABLE"),
            Map.entry(-30, "CL_INVALID_VALUE"),
            Map.entry(-31, "CL_INVALID_DEVICE_TYPE"),
            Map.entry(-32, "CL_INVALID_PLATFORM"),
            Map.entry(-33, "CL_INVALID_DEVICE"),
            Map.entry(-34, "CL_INVALID_CONTEXT"),
            Map.entry(-35, "CL_INVALID_QUEUE_PROPERTIES"),
            Map.entry(-36, "CL_INVALID_COMMAND_QUEUE"),
            Map.entry(-37, "CL_INVALID_HOST_PTR"),
            Map.entry(-38, "CL_INVALID_MEM_OBJECT"),
            Map.entry(-39, "CL_INVALID_IMAGE_FORMAT_DESCRIPTOR"),
            Map.entry(-40, "CL_INVALID_IMAGE_SIZE"),
            Map.entry(-41, "CL_INVALID_SAMPLER"),
            Map.entry(-42, "CL_INVALID_BINARY"),
            Map.entry(-43, "CL_INVALID_BUILD_OPTIONS"),
            Map.entry(-44, "CL_INVALID_PROGRAM"),
            Map.entry(-45, "CL_INVALID_PROGRAM_EXECUTABLE"),
            Map.entry(-46, "CL_INVALID_KERNEL_NAME"),
            Map.entry(-47, "CL_INVALID_KERNEL_DEFINITION"),
            Map.entry(-48, "CL_INVALID_KERNEL"),
            Map.entry(-49, "CL_INVALID_ARG_INDEX"),
            Map.entry(-50, "CL_INVALID_ARG_VALUE"),
            Map.entry(-51, "CL_INVALID_ARG_SIZE"),
            Map.entry(-52, "CL_INVALID_KERNEL_ARGS"),
            Map.entry(-53, "CL_INVALID_WORK_DIMENSION"),
            Map.entry(-54, "CL_INVALID_WORK_GROUP_SIZE"),
            Map.entry(-55, "CL_INVALID_WORK_ITEM_SIZE"),
            Map.entry(-56, "CL_INVALID_GLOBAL_OFFSET"),
            Map.entry(-57, "CL_INVALID_EVENT_WAIT_LIST"),
            Map.entry(-58, "CL_INVALID_EVENT"),
            Map.entry(-59, "CL_INVALID_OPERATION"),
            Map.entry(-60, "CL_INVALID_GL_OBJECT"),
            Map.entry(-61, "CL_INVALID_BUFFER_SIZE"),
            Map.entry(-62, "CL_INVALID_MIP_LEVEL"),
            Map.entry(-63, "CL_INVALID_GLOBAL_WORK_SIZE"),
            Map.entry(-64, "CL_INVALID_PROPERTY"),
            Map.entry(-65, "CL_INVALID_IMAGE_DESCRIPTOR"),
            Map.entry(-66, "CL_INVALID_COMPILER_OPTIONS"),
            Map.entry(-67, "CL_INVALID_LINKER_OPTIONS"),
            Map.entry(-68, "CL_INVALID_DEVICE_PARTITION_COUNT"),
            Map.entry(-69, "CL_INVALID_PIPE_SIZE"),
            Map.entry(-70, "CL_INVALID_DEVICE_QUEUE"),
            Map.entry(-71, "CL_INVALID_SPEC_ID"),
            Map.entry(-72, "CL_MAX_SIZE_RESTRICTION_EXCEEDED"),
            Map.entry(-1001, "CL_PLATFORM_NOT_FOUND_KHR"),
            Map.entry(-1121, "CL_CONTEXT_TERMINATED_KHR"),
            Map.entry(-9999, "vendor: illegal read or write to a buffer"));

    private static final Set<Integer> LOST = Set.of(-2, -34, -36, -1121, -9999);

    private ClStatus() {}

    /// The name in the OpenCL headers, or `unknown`.
    public static String name(int status) {
        return NAMES.getOrDefault(status, "unknown");
    }

    /// Throws what `status` means unless it is `CL_SUCCESS`.
    ///
    /// @param what a handle or another object to name in the message, or null
    public static void check(int status, String call, @Nullable String what) {
        if (status != SUCCESS) {
            throw failure(status, call, what);
        }
    }

    /// The exception that `status` means, with `detail` as `name=value` pairs.
    public static HmmException failure(int status, String call, @Nullable String detail) {
        String known = detail == null ? NO_DETAIL : detail;
        var failed = new OpenClFailedException(call, status, name(status), known);
        return LOST.contains(status) ? lost(failed) : failed;
    }

    /// That the device is gone, as a command has shown that failed so.
    static DeviceLostException lost(OpenClFailedException failed) {
        String detail = failed.detail();
        int at = detail.lastIndexOf(DEVICE);
        if (at < 0) {
            return new DeviceLostException("(" + detail + ")", failed.call(), failed);
        }
        String about = at == 0 ? "" : " (" + detail.substring(0, at).replaceFirst(",\\s*$", "") + ")";
        return new DeviceLostException(detail.substring(at + DEVICE.length()), failed.call() + about, failed);
    }

    /// The same failure with another detail, by who knows what it was about: calls know handles and sizes only.
    static HmmException retold(HmmException e, String detail) {
        OpenClFailedException first = failed(e);
        if (first == null) {
            return e;
        }
        var failed = new OpenClFailedException(first.call(), first.status(), name(first.status()), detail, first);
        HmmException told = e instanceof DeviceLostException ? lost(failed) : failed;
        for (Throwable other : e.getSuppressed()) {
            told.addSuppressed(other);
        }
        return told;
    }

    /// The same failure with the name of its device, unless that is told.
    static HmmException on(Object device, HmmException e) {
        OpenClFailedException first = failed(e);
        if (first == null || first.detail().contains(DEVICE)) {
            return e;
        }
        return retold(e, (first.detail().equals(NO_DETAIL) ? "" : first.detail() + ", ") + DEVICE + device);
    }

    private static @Nullable OpenClFailedException failed(HmmException e) {
        return switch (e) {
            case OpenClFailedException failed -> failed;
            case DeviceLostException lost when lost.getCause() instanceof OpenClFailedException failed -> failed;
            default -> null;
        };
    }
}

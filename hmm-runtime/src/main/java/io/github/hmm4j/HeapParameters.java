package io.github.hmm4j;

import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.KernelParameter;
import java.util.List;

/// What `HMM_HEAP` of `hmm.clh` declares: two parameters, and two more where the kernel goes through the device's page table. A program sees the two and no others, so that a kernel has the same
/// parameters on all devices.
final class HeapParameters {

    /// Parameters that a program does not see.
    static final int HIDDEN = 2;

    private static final String IMAGE = "hmm_image";
    private static final String BASE = "hmm_base";
    private static final String PAGES = "hmm_pages";
    private static final String ITEMS = "hmm_items";

    private HeapParameters() {}

    /// Whether the heap's parameters, which begin at `index`, are those of a kernel that goes through the table.
    static boolean goThroughTable(DeviceKernel kernel, int index) {
        List<KernelParameter> parameters = kernel.parameters();
        return index + 3 < parameters.size() && parameters.get(index + 2).name().equals(PAGES) && parameters.get(index + 3).name().equals(ITEMS);
    }

    static List<KernelParameter> visible(List<KernelParameter> parameters) {
        return parameters.stream().filter(parameter -> !parameter.name().equals(PAGES) && !parameter.name().equals(ITEMS)).toList();
    }

    /// Whether it is the first of them, which stands for all in what a program passes ([Arg#heap]).
    static boolean isHeap(KernelParameter parameter) {
        return parameter.name().equals(IMAGE);
    }

    /// Those that a program passes an argument for.
    static List<KernelParameter> passed(List<KernelParameter> parameters) {
        return visible(parameters).stream().filter(parameter -> !parameter.name().equals(BASE)).toList();
    }
}

package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.demos.svm.SvmResults;

/// What a run is called.
final class Titles {
    private Titles() {}

    /// With a CPU named as one, since its figures say nothing about a bus.
    static String device(DeviceReport device) {
        return device.name() + (device.kind().equals("CPU") ? " (CPU device)" : "");
    }

    static String of(SvmResults results) {
        return "SVM, copies or paging on " + device(results.device());
    }

    /// The day of the run; empty if it is not known.
    static String day(SvmResults results) {
        String date = results.machine().getOrDefault("date", "");
        return date.length() >= 10 ? date.substring(0, 10) : date;
    }
}

package io.github.hmm4j.demos.svm;

import io.github.hmm4j.demos.harness.DeviceReport;
import java.util.List;
import java.util.Map;

/// One run of the benchmark: all that its report says is computed from this.
///
/// @param command as it was typed
/// @param machine what the figures depend on beside the device, by name, in the order in which it is shown: `date`, `commit`, `jdk`, `processors`, `load`, `os`, `processor`, `memory`
/// @param method  how it was measured, by name, each in a sentence
/// @param cells   by workload, then size, then strategy; one for each combination, also where nothing could be measured
public record SvmResults(String command, Map<String, String> machine, DeviceReport device, Map<String, String> method, List<Cell> cells) {
    public SvmResults {
        cells = List.copyOf(cells);
    }
}

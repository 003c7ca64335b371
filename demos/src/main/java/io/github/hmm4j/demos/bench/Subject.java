package io.github.hmm4j.demos.bench;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmBuilder;
import io.github.hmm4j.demos.device.Opening;
import io.github.hmm4j.demos.harness.BenchRow;
import io.github.hmm4j.demos.harness.DeviceChoice;
import io.github.hmm4j.demos.harness.RunFacts;
import io.github.hmm4j.device.DeviceInfo;
import java.util.Map;
import java.util.Optional;

/// The heap that is measured, and how its rows name it.
final class Subject {
    private Subject() {}

    /// A heap on the chosen device.
    static HmmBuilder heap(DeviceChoice choice, long heapBytes) {
        return Opening.settings(choice, heapBytes);
    }

    /// The rows of one heap.
    static Rows rows(DeviceInfo device) {
        return new Rows(device, environment(device));
    }

    /// The rows of one heap, which also say how the host reaches it.
    static Rows rows(Hmm hmm) {
        Map<String, String> facts = environment(hmm.device().info());
        facts.put("hostAccess", hmm.hostAccess().mode().toString());
        return new Rows(hmm.device().info(), facts);
    }

    /// Makes rows that all name the same device.
    record Rows(DeviceInfo device, Map<String, String> environment) {

        /// A figure whose target is a bound for `ratio`.
        BenchRow ratio(String name, double value, String unit, Samples ratio, String baseline, Map<String, Long> sizes,
            BenchRow.Target target) {
            return row(name, value, unit, Optional.of(ratio.median()), baseline, sizes, Optional.of(target), ratio);
        }

        /// A figure whose target is a bound for itself.
        BenchRow value(String name, Samples values, String unit, String baseline, Map<String, Long> sizes,
            BenchRow.Target target) {
            return row(name, values.median(), unit, Optional.empty(), baseline, sizes, Optional.of(target), values);
        }

        /// @param samples of the ratio, or of the value where there is no ratio
        BenchRow row(String name, double value, String unit, Optional<Double> ratio, String baseline,
            Map<String, Long> sizes, Optional<BenchRow.Target> target, Samples samples) {
            return new BenchRow(name, value, unit, ratio, baseline, Opening.label(device), device.binding(), sizes,
                target, Optional.of(samples.spread()), environment);
        }
    }

    private static Map<String, String> environment(DeviceInfo info) {
        Map<String, String> facts = RunFacts.now();
        facts.put("driver", info.driver());
        return facts;
    }
}

package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.report.Table;
import io.github.hmm4j.demos.report.Units;
import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.SvmResults;
import java.nio.file.Path;

/// STUB until the report branch comes.
public record SvmReport(SvmResults results) {
    public String terminal() {
        Table t = new Table("workload", "strategy", "size", "median", "ci%", "noise", "n", "dev", "toDev", "toHost", "lat", "why");
        for (Cell c : results.cells()) {
            if (c.figures().isEmpty()) {
                t.row(c.workload(), c.strategy(), Units.bytes(c.sizeBytes()), "-", "-", "-", "-", "-", "-", "-", "-", c.why());
            } else {
                var f = c.figures().get();
                t.row(c.workload(), c.strategy(), Units.bytes(c.sizeBytes()), Units.nanos(Math.round(f.wall().median())), Units.decimal(100 * (f.wall().high() - f.wall().low()) / 2 / f.wall().median()), Units.decimal(f.wall().noise()), f.wall().samples(), f.device().map(d -> Units.nanos(Math.round(d.median()))).orElse("-"), f.bytesToDevice(), f.bytesToHost(), f.latencies().map(l -> l.p50() + "/" + l.p99() + "/" + l.p999()).orElse("-"), "");
            }
        }
        return t.toString();
    }

    public void writeTo(Path p) {}
}

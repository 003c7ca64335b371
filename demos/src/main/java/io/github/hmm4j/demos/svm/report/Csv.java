package io.github.hmm4j.demos.svm.report;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Latencies;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// `results.csv`: a row for each cell, also for those without figures. RFC 4180: commas, CRLF, quotes where needed.
final class Csv {
    private static final List<String> HEADER = List.of("workload", "strategy", "size_bytes", "status", "why",
        "wall_median_ns", "wall_low_ns", "wall_high_ns", "confidence", "wall_min_ns", "wall_p10_ns", "wall_p90_ns",
        "wall_max_ns", "noise", "samples", "device_median_ns", "device_low_ns", "device_high_ns", "to_device_bytes",
        "to_host_bytes", "latency_p50_ns", "latency_p99_ns", "latency_p99_9_ns", "latency_max_ns", "latency_operations");

    private Csv() {}

    static String of(List<Cell> cells) {
        StringBuilder csv = new StringBuilder();
        append(csv, HEADER.stream());
        for (Cell cell : cells) {
            append(csv, Stream.concat(
                Stream.of(cell.workload(), cell.strategy(), cell.sizeBytes(), cell.status(), cell.why()),
                cell.figures().map(Csv::figures).orElseGet(() -> empty(HEADER.size() - 5))));
        }
        return csv.toString();
    }

    private static Stream<Object> figures(Cell.Figures figures) {
        Estimate wall = figures.wall();
        Stream<Object> time = Stream.of(wall.median(), wall.low(), wall.high(), wall.confidence(), wall.min(), wall.p10(),
            wall.p90(), wall.max(), wall.noise(), wall.samples());
        Stream<Object> device = figures.device()
            .map(each -> Stream.<Object>of(each.median(), each.low(), each.high())).orElseGet(() -> empty(3));
        Stream<Object> bytes = Stream.of(figures.bytesToDevice(), figures.bytesToHost());
        return Stream.of(time, device, bytes, latencies(figures.latencies())).flatMap(each -> each);
    }

    private static Stream<Object> latencies(Optional<Latencies> latencies) {
        return latencies.map(each -> Stream.<Object>of(each.p50(), each.p99(), each.p999(), each.max(), each.operations()))
            .orElseGet(() -> empty(5));
    }

    private static Stream<Object> empty(int fields) {
        return Stream.generate(() -> (Object) "").limit(fields);
    }

    private static void append(StringBuilder csv, Stream<?> fields) {
        csv.append(fields.map(Csv::field).collect(Collectors.joining(","))).append("\r\n");
    }

    /// A number that there is not is an empty field.
    private static String field(Object value) {
        if (value instanceof Double number) {
            return Double.isFinite(number) ? number.toString() : "";
        }
        String text = value.toString();
        boolean quoted = text.chars().anyMatch(each -> ",\"\r\n".indexOf(each) >= 0);
        return quoted ? '"' + text.replace("\"", "\"\"") + '"' : text;
    }
}

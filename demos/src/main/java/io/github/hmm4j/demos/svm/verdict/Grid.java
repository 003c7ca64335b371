package io.github.hmm4j.demos.svm.verdict;

import io.github.hmm4j.demos.svm.Cell;
import io.github.hmm4j.demos.svm.Cell.Status;
import io.github.hmm4j.demos.svm.Estimate;
import io.github.hmm4j.demos.svm.Strategy;
import io.github.hmm4j.demos.svm.Workload;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;

/// The cells of a run by workload, size and strategy. A cell that is not there was not part of the run.
public final class Grid {
    private final SequencedMap<Workload, Map<Long, Map<Strategy, Cell>>> cells = new LinkedHashMap<>();

    /// @throws IllegalArgumentException if two cells claim the same place
    public Grid(Collection<Cell> cells) {
        for (Cell cell : cells) {
            Cell before = this.cells.computeIfAbsent(cell.workload(), _ -> new TreeMap<>())
                .computeIfAbsent(cell.sizeBytes(), _ -> new TreeMap<>()).put(cell.strategy(), cell);
            if (before != null) {
                throw new IllegalArgumentException(String.format(Locale.ROOT, "two cells for workload=%s, strategy=%s, sizeBytes=%d",
                    cell.workload(), cell.strategy(), cell.sizeBytes()));
            }
        }
    }

    /// In the order of the cells.
    public List<Workload> workloads() {
        return List.copyOf(cells.keySet());
    }

    /// All that have a cell anywhere, in the order of the enum.
    public List<Strategy> strategies() {
        return cells.values().stream().flatMap(sizes -> sizes.values().stream()).flatMap(row -> row.keySet().stream())
            .distinct().sorted().toList();
    }

    /// All of them.
    List<Cell> cells() {
        return cells.values().stream().flatMap(sizes -> sizes.values().stream()).flatMap(row -> row.values().stream()).toList();
    }

    /// In ascending order, in bytes.
    public List<Long> sizes(Workload workload) {
        return List.copyOf(cells.getOrDefault(workload, Map.of()).keySet());
    }

    /// The cells of a workload at a size, in the order of the strategies.
    public List<Cell> row(Workload workload, long sizeBytes) {
        return List.copyOf(cells.getOrDefault(workload, Map.of()).getOrDefault(sizeBytes, Map.of()).values());
    }

    public Optional<Cell> cell(Workload workload, long sizeBytes, Strategy strategy) {
        return Optional.ofNullable(cells.getOrDefault(workload, Map.of()).getOrDefault(sizeBytes, Map.of()).get(strategy));
    }

    /// The cells of a strategy with a workload that have a status, by size.
    public List<Cell> cells(Workload workload, Strategy strategy, Status status) {
        return sizes(workload).stream().flatMap(size -> cell(workload, size, strategy).stream())
            .filter(cell -> cell.status() == status).toList();
    }

    /// What may be compared.
    public Optional<Estimate> usable(Workload workload, long sizeBytes, Strategy strategy) {
        return cell(workload, sizeBytes, strategy).flatMap(Comparison::usable);
    }

    /// The largest size at which every strategy can be compared that can be at any; if there is none, the largest of
    /// those at which the most can. Empty if nothing can be compared.
    public Optional<Long> commonSize(Workload workload) {
        Optional<Long> best = Optional.empty();
        long most = 0;
        for (long size : sizes(workload)) {
            long count = row(workload, size).stream().filter(cell -> Comparison.usable(cell).isPresent()).count();
            if (count > 0 && count >= most) {
                most = count;
                best = Optional.of(size);
            }
        }
        return best;
    }
}

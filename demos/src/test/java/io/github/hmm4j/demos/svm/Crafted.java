package io.github.hmm4j.demos.svm;

import com.google.gson.Gson;
import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.demos.svm.Cell.Figures;
import io.github.hmm4j.demos.svm.Cell.Status;
import io.github.hmm4j.demos.svm.Latencies.Bucket;
import io.github.hmm4j.demos.svm.report.ResultsFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/// Results that nobody measured, for tests of what is made of results.
public final class Crafted {
    private static final long SEED = 7;

    private Crafted() {}

    /// A median with an interval of 2 % to both sides.
    public static Estimate wall(double median) {
        return wall(median, median * 0.98, median * 1.02);
    }

    public static Estimate wall(double median, double low, double high) {
        return new Estimate(median, low, high, 0.96, low * 0.9, low * 0.95, high * 1.05, high * 1.4, (high - low) / median, 25);
    }

    /// As it comes out of one measurement, or two.
    public static Estimate tooFew(double median) {
        return new Estimate(median, median, median, 0, median, median, median, median, 0, 2);
    }

    public static Cell cell(Workload workload, Strategy strategy, long sizeBytes, Estimate wall) {
        return new Cell(workload, strategy, sizeBytes, Status.MEASURED, "",
            Optional.of(new Figures(wall, Optional.empty(), sizeBytes, 8, Optional.empty())));
    }

    /// At 4 KiB, 16 KiB and so on.
    public static List<Cell> cells(Workload workload, Strategy strategy, double... medians) {
        List<Cell> cells = new ArrayList<>();
        for (int i = 0; i < medians.length; i++) {
            cells.add(cell(workload, strategy, 4096L << 2 * i, medians[i]));
        }
        return cells;
    }

    public static Cell cell(Workload workload, Strategy strategy, long sizeBytes, double median) {
        return cell(workload, strategy, sizeBytes, wall(median));
    }

    public static Cell notSupported(Workload workload, Strategy strategy, long sizeBytes, String why) {
        return new Cell(workload, strategy, sizeBytes, Status.NOT_SUPPORTED, "not supported by this device: " + why, Optional.empty());
    }

    public static Cell failed(Workload workload, Strategy strategy, long sizeBytes, String why) {
        return new Cell(workload, strategy, sizeBytes, Status.FAILED, why, Optional.empty());
    }

    /// Some cells on a GPU of nobody's.
    public static SvmResults results(List<Cell> cells) {
        return results("GPU", "Imaginary 9000", cells);
    }

    /// The device is read from JSON with what these tests need, so that it may have more to say than they know.
    public static SvmResults results(String kind, String name, List<Cell> cells) {
        Map<String, Object> device = Map.ofEntries(Map.entry("number", 0), Map.entry("chosen", true), Map.entry("name", name),
            Map.entry("kind", kind), Map.entry("platform", "Imaginary OpenCL"), Map.entry("vendor", "Nobody & Sons <nobody>"),
            Map.entry("driver", "OpenCL 3.0 IMG 1.2, a driver with quite a long description, RELOC, SPIR, ASSERTS"), Map.entry("binding", "lwjgl"), Map.entry("computeUnits", 128),
            Map.entry("memoryBytes", 24L << 30), Map.entry("maxAllocationBytes", 6L << 30), Map.entry("alignmentBytes", 128),
            Map.entry("unifiedMemory", false), Map.entry("svm", List.of("ATOMICS", "COARSE_GRAIN_BUFFER", "FINE_GRAIN_BUFFER")),
            Map.entry("use", Map.of("copyEngine", "staged", "toDeviceMegabytesPerSecond", 11_800, "toHostMegabytesPerSecond", 12_100,
                "copyEngineWhy", "pinned staging was 1.8 times as fast as direct copies and gave the same bytes", "heapBytes", 16L << 30,
                "budgetBytes", 18L << 30, "placement", "aperture", "hostAccess", "userfaultfd", "hostAccessWhy",
                "/dev/userfaultfd may be opened; not from within system calls")));
        Map<String, String> machine = new LinkedHashMap<>(Map.of("date", "2026-11-21T15:22:53Z"));
        machine.put("commit", "ad54bb7+");
        machine.put("jdk", "25.0.3+9-LTS, OpenJDK 64-Bit Server VM");
        machine.put("processor", "Imaginary CPU \"X\" <1>");
        Map<String, String> method = new LinkedHashMap<>(Map.of("order", "The strategies run in turns (A B C A B C), so that drift meets all of them."));
        method.put("repetitions", "Until the interval of the median is known with 95 % confidence and is narrower than 5 %, or 60 times.");
        method.put("correctness", "Every result of every run is compared with one that the processor computed.");
        return new SvmResults("demos/hmm bench svm --out results && echo \"<done>\"", machine, device(device), method, cells);
    }

    private static DeviceReport device(Map<String, Object> fields) {
        try {
            Path file = Files.createTempFile("crafted", ".json");
            Files.writeString(file, new Gson().toJson(Map.of("format", 1, "device", fields)));
            DeviceReport device = ResultsFile.read(file).device();
            Files.delete(file);
            return device;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Everything that there can be: all workloads, strategies and eight sizes, some not supported, some failed, some
    /// measured too seldom; ties, crossovers and latencies.
    public static SvmResults full() {
        List<Cell> cells = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(SEED);
        for (Workload workload : Workload.values()) {
            for (long size = 4096; size <= 64L << 20; size *= 4) {
                for (Strategy strategy : Strategy.values()) {
                    cells.add(fullCell(workload, strategy, size, random));
                }
            }
        }
        return results(cells);
    }

    private static Cell fullCell(Workload workload, Strategy strategy, long size, SplittableRandom random) {
        if (strategy == Strategy.SVM_SYSTEM) {
            return notSupported(workload, strategy, size, "CL_DEVICE_SVM_FINE_GRAIN_SYSTEM is not set");
        }
        if (workload == Workload.HANDSHAKE && strategy != Strategy.SVM_ATOMICS) {
            return notSupported(workload, strategy, size, "a running kernel and the host share nothing here");
        }
        if (workload == Workload.CHASE && strategy == Strategy.HMM_CHECKED && size >= 16 << 20) {
            return failed(workload, strategy, size, "wrong result: expected 0x3f, got 0x40 at <word 17>");
        }
        if (workload == Workload.BEYOND_BUDGET && strategy.family() == Strategy.Family.SVM && size > 1 << 20) {
            return notSupported(workload, strategy, size, "larger than one allocation may be");
        }
        double median = cost(workload, strategy, size) * (1 + 0.04 * random.nextDouble());
        if (workload == Workload.FIRST_TOUCH && strategy == Strategy.ZERO_COPY) {
            return cell(workload, strategy, size, tooFew(median));
        }
        double noise = 0.01 + 0.12 * random.nextDouble() * random.nextDouble();
        boolean single = workload == Workload.PING_PONG || workload == Workload.HANDSHAKE || workload == Workload.FIRST_TOUCH;
        boolean sparse = workload == Workload.SPARSE_READ_1 || workload == Workload.SPARSE_READ_10;
        long copied = sparse && strategy.family() != Strategy.Family.SVM ? size * 16 / 100 : strategy.family() == Strategy.Family.COPIES ? size : strategy.family() == Strategy.Family.PAGING ? size / 7 : 0;
        return new Cell(workload, strategy, size, Status.MEASURED, "", Optional.of(new Figures(
            wall(median, median * (1 - noise), median * (1 + noise)), Optional.of(wall(median * 0.6)), copied,
            workload == Workload.REDUCE ? 8 : copied, single ? Optional.of(latencies(median, random)) : Optional.empty())));
    }

    /// Copies are dear to begin and cheap to go on, sharing the other way round, paging dear at small sizes.
    private static double cost(Workload workload, Strategy strategy, long size) {
        double begin = switch (strategy) {
            case COPIES_PAGEABLE -> 24e3;
            case COPIES_PINNED -> 20e3;
            case ZERO_COPY -> 12e3;
            case SVM_COARSE -> 11e3;
            case SVM_FINE, SVM_ATOMICS, SVM_SYSTEM -> 6e3;
            case HMM_CHECKED -> 45e3;
            case HMM_TRANSPARENT -> 60e3;
            case HMM_PAGED -> 90e3;
            case HMM_TRAP -> 70e3;
            case HMM_IN_PLACE -> 8e3;
        };
        double nanosPerByte = switch (strategy) {
            case COPIES_PAGEABLE -> 0.16;
            case COPIES_PINNED -> 0.09;
            case ZERO_COPY -> 0.32;
            case SVM_COARSE -> 0.10;
            case SVM_FINE, SVM_ATOMICS, SVM_SYSTEM -> 0.28;
            case HMM_CHECKED -> 0.12;
            case HMM_TRANSPARENT -> 0.14;
            case HMM_PAGED -> 0.31;
            case HMM_TRAP -> 0.22;
            case HMM_IN_PLACE -> 0.29;
        };
        double part = switch (workload) {
            case SPARSE_READ_1 -> strategy.family() == Strategy.Family.COPIES ? 1 : 0.02;
            case SPARSE_READ_10, SPARSE_UPDATE -> strategy.family() == Strategy.Family.COPIES ? 1 : 0.12;
            case ITERATE -> strategy.family() == Strategy.Family.SVM ? 30 : 3;
            default -> 1;
        };
        return begin + nanosPerByte * part * size;
    }

    private static Latencies latencies(double median, SplittableRandom random) {
        List<Bucket> buckets = new ArrayList<>();
        long count = 0;
        for (int i = 0; i < 60; i++) {
            long here = Math.round(4000 * Math.exp(-Math.pow((i - 14) / 7.0, 2)) + 40 * Math.exp(-i / 14.0) + random.nextInt(3));
            if (here > 0) {
                buckets.add(new Bucket(Math.round(median * 0.5 * Math.pow(1.06, i)), here));
                count += here;
            }
        }
        return new Latencies(percentile(buckets, 0.5), percentile(buckets, 0.99), percentile(buckets, 0.999),
            buckets.getLast().upToNanos(), count, buckets);
    }

    private static long percentile(List<Bucket> buckets, double part) {
        long wanted = (long) Math.ceil(part * buckets.stream().mapToLong(Bucket::count).sum());
        long counted = 0;
        for (Bucket bucket : buckets) {
            counted += bucket.count();
            if (counted >= wanted) {
                return bucket.upToNanos();
            }
        }
        throw new AssertionError();
    }
}

package io.github.hmm4j.kernels;

import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;

/// What runs on the simulator: each kernel file against its oracle, on small sizes.
final class OclgrindRun {

    private static final Pattern PAGING = Pattern.compile("(?m)^kernel void (\\w+)\\(HMM_HEAP");

    private OclgrindRun() {}

    /// @param args a kernel file and a seed, or the resource of a kernel `bad(global int *a)` for 8 elements
    public static void main(String[] args) {
        try (ClHarness cl = ClHarness.open()) {
            if (!cl.onSimulator()) {
                throw new IllegalStateException("not on the simulator: device=" + cl.deviceName());
            }
            if (args.length == 1) {
                cl.build(Source.resource(args[0])).kernel("bad").args(cl.ints(new int[8])).runOver(8, 4);
            } else {
                check(cl, args[0], new SplittableRandom(Long.parseLong(args[1])));
            }
        }
    }

    private static void check(ClHarness cl, String file, SplittableRandom random) {
        switch (file) {
            case "matmul.cl" -> {
                MatmulTest.checkIntegers(cl, "", 8, random.nextInt(1, 64), random);
                MatmulTest.checkIntegers(cl, "", 8, 65, random);
                MatmulTest.checkIntegers(cl, "-DHMM_WG_EDGE=2 -DHMM_TILE_K=4", 2, random.nextInt(1, 40), random);
            }
            case "tree.cl" -> {
                TreeTest.check(cl, 200, 100, random);
                TreeTest.checkCollisions(cl, 50, 50, random);
            }
            case "paged.cl" -> PagedTest.checkAll(cl, PagedTest.Form.APERTURE, random);
            case "paged form" -> {
                PagedTest.checkAll(cl, PagedTest.Form.PAGED, random);
                PagedTest.checkLimit(cl, random);
                TreeTest.checkPaged(cl, 40, 20, random);
                SharingPagedTest.check(cl, PagedTest.Form.PAGED, random.nextInt(1, 20), random);
                requireAllInParts();
            }
            case "bfs.cl" -> {
                BfsTest.check(cl, 100, 300, random);
                BfsTest.check(cl, random.nextInt(1, 200), random.nextInt(500), random);
                BfsTest.checkBoth(cl, Graph.star(50), random.nextInt(50));
            }
            case "memory.cl" -> {
                MemoryTest.check(cl, random.nextInt(0, 16), random);
                MemoryTest.check(cl, random.nextInt(2, 600), random);
            }
            case "runs.cl" -> {
                RunsTest.check(cl, 1, random);
                RunsTest.check(cl, random.nextInt(2, RunsTest.RUNS), random);
            }
            case "access.cl" -> {
                AccessTest.check(cl, 1, random);
                AccessTest.check(cl, random.nextInt(2, 600), random);
            }
            case "shuffle.cl" -> {
                ShuffleTest.check(cl, 1, 1, random);
                ShuffleTest.check(cl, random.nextInt(2, 9), random.nextInt(2, 600), random);
            }
            case "sharing.cl" -> {
                SharingTest.check(cl, 1, random);
                SharingTest.check(cl, random.nextInt(2, 200), random);
            }
            case "sharing_paged.cl" -> SharingPagedTest.check(cl, PagedTest.Form.APERTURE, random.nextInt(1, 100), random);
            case "handshake.cl" -> cl.build(Source.resource(file)); // the simulator has no OpenCL C 2.0: nothing to run
            case "in_place.cl" -> InPlaceTest.check(cl, 32, random);
            case "heap/lists.cl" -> HeapHeaderTest.check(cl, 0x7f00_0000_0000L, 5, 100, random);
            default -> throw new IllegalArgumentException("no small run for this kernel file: file=" + file);
        }
    }

    /// A kernel that is written tomorrow must not be left out.
    private static void requireAllInParts() {
        List<String> left = KernelFiles.names().stream().flatMap(file -> PAGING.matcher(Source.resource(file).text()).results().map(found -> found.group(1)))
                .filter(kernel -> !PagedHost.begun().contains(kernel)).toList();
        if (!left.isEmpty()) {
            throw new IllegalStateException("no small run in paged form for these kernels: " + left);
        }
    }
}

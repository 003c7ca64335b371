package io.github.hmm4j.device;

import static io.github.hmm4j.device.HostRange.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/// Does to byte arrays what an engine is asked to do to memory, and compares. The naive side of the model test.
final class CopyModel {

    private final SplittableRandom random;
    private final HostRange host;
    private final List<DeviceMemory> memories;
    private final CopyEngine engine;
    private final MemorySegment hostModel;
    private final List<MemorySegment> memoryModels;
    private final int pages;

    /// @param memories all of `pages` pages, like the host range
    CopyModel(long seed, HostRange host, List<DeviceMemory> memories, CopyEngine engine, int pages) {
        this.random = new SplittableRandom(seed);
        this.host = host;
        this.memories = memories;
        this.engine = engine;
        this.pages = pages;
        host.fillRandomly(random);
        hostModel = MemorySegment.ofArray(new byte[pages * PAGE]).copyFrom(host.bytes());
        memoryModels = memories.stream().map(_ -> MemorySegment.ofArray(new byte[pages * PAGE])).toList();
        memories.forEach(memory -> engine.zero(memory, 0, (long) pages * PAGE).await());
    }

    void step() {
        switch (random.nextInt(4)) {
            case 0 -> scribble();
            case 1 -> copy(true);
            case 2 -> copy(false);
            default -> zero();
        }
    }

    void compare() {
        assertThat(hostModel.mismatch(host.bytes())).as("first wrong byte on the host").isEqualTo(-1);
        for (int m = 0; m < memories.size(); m++) {
            engine.toHost(List.of(host.run(0, memories.get(m), 0, pages))).await();
            assertThat(memoryModels.get(m).mismatch(host.bytes())).as("first wrong byte in memory " + m).isEqualTo(-1);
            host.bytes().copyFrom(hostModel);
        }
    }

    private void scribble() {
        int page = random.nextInt(pages);
        byte value = (byte) random.nextInt();
        host.pages(page, 1).fill(value);
        slice(hostModel, page, 1).fill(value);
    }

    /// A batch of runs over distinct host pages and distinct device pages, in no order.
    private void copy(boolean toDevice) {
        List<CopyRun> batch = new ArrayList<>();
        List<int[]> hostRuns = cut();
        List<int[]> deviceRuns = new ArrayList<>(hostRuns);
        int m = random.nextInt(memories.size());
        // The same pieces in another order have other places, but the same total.
        Collections.shuffle(deviceRuns, new Random(random.nextLong()));
        int[] devicePlaces = new int[hostRuns.size()];
        int next = 0;
        for (int[] run : deviceRuns) {
            devicePlaces[hostRuns.indexOf(run)] = next;
            next += run[1];
        }
        for (int i = 0; i < hostRuns.size(); i++) {
            if (random.nextInt(3) == 0) {
                continue;
            }
            int hostPage = hostRuns.get(i)[0];
            int length = hostRuns.get(i)[1];
            batch.add(host.run(hostPage, memories.get(m), devicePlaces[i], length));
            MemorySegment onHost = slice(hostModel, hostPage, length);
            MemorySegment onDevice = slice(memoryModels.get(m), devicePlaces[i], length);
            (toDevice ? onDevice : onHost).copyFrom(toDevice ? onHost : onDevice);
        }
        Collections.shuffle(batch, new Random(random.nextLong()));
        (toDevice ? engine.toDevice(batch) : engine.toHost(batch)).await();
    }

    /// All pages cut into runs of random length, each as {first page, pages}.
    private List<int[]> cut() {
        List<int[]> runs = new ArrayList<>();
        for (int page = 0; page < pages; ) {
            int length = Math.min(pages - page, 1 + random.nextInt(random.nextInt(8) == 0 ? pages : 6));
            runs.add(new int[] {page, length});
            page += length;
        }
        return runs;
    }

    private void zero() {
        int m = random.nextInt(memories.size());
        int from = random.nextInt(pages * PAGE);
        int length = 1 + random.nextInt(pages * PAGE - from);
        engine.zero(memories.get(m), from, length).await();
        memoryModels.get(m).asSlice(from, length).fill((byte) 0);
    }

    private static MemorySegment slice(MemorySegment bytes, int page, int pages) {
        return bytes.asSlice((long) page * PAGE, (long) pages * PAGE);
    }
}

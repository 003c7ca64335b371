package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.hmm4j.account.Counter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.error.DeviceMemoryExhaustedException;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.error.LaunchBlockedException;
import io.github.hmm4j.error.QuotaExceededException;
import io.github.hmm4j.error.RunawayKernelException;
import io.github.hmm4j.kernels.Source;
import io.github.hmm4j.pager.HostAccess.Mode;
import io.github.hmm4j.pager.HostView;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A kernel that writes down what is not so, and looks as if it could be: pages that it may use and pages of others, ways of access, ranks, counters, ends, violations, entries of the table, flags.
///
/// What holds: it ends, after a bounded number of rounds, with a typed error or a result. No byte changes that is not its own, the next launch is right, and no frame is lost. Each seed is one
/// launch; that they end in many different ways is checked, too.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class ForgedQueueTest {

    private static final int PAGE = 4096;
    private static final int INTS = PAGE / Integer.BYTES;
    private static final int BUDGET = 16;
    private static final int ROOM = 12; // three quarters
    private static final int QUOTA = 3;
    private static final int ITEMS = 8;
    private static final int HEAP_PAGES = 16_384;
    private static final int PATIENCE = 1000; // rounds in which nothing is missed but what was brought
    private static final int MOST_ROUNDS = 10 * PATIENCE; // so many for each end that is told of

    // Ways of a forger, as in forge.cl.
    private static final int CONTROL = 0;
    private static final int QUEUE = 1;
    private static final int NOTED = 2;
    private static final int ENTRY = 3;
    private static final int TOUCHED = 4;
    private static final int ITEM = 5;
    private static final int MISS = 6;
    private static final int ANYTHING = 7;

    // Control words, as in hmm.clh.
    private static final int UNFINISHED = 0;
    private static final int PROGRESS = 1;
    private static final int FAULTS = 2;
    private static final int VIOLATION = 3;
    private static final int GROUP_SIZE = 9;

    private static final int CROSSES = 8; // of a violation

    /// What a launch's script is about.
    private enum Forgery {
        NOTHING_MISSED, NOT_NAMED, IN_NO_REGION, BEYOND, READ_ONLY, TOO_MANY, OVER_QUOTA, NEW_PAGES, THE_SAME_PAGE, ENDS, ENDS_NOW_AND_THEN, VIOLATIONS, CROSSINGS, RANKS, GROUPS, OVERFLOW,
        LESS_MAY_RUN_THEN_NOTHING, FLAGS, LOST_ENTRY, ENTRIES, GARBAGE, MIXED;

        /// Whether it is noticed, and so put right, only when the launch is over.
        boolean spoilsTheTable() {
            return this == ENTRIES || this == LOST_ENTRY;
        }
    }

    /// How a launch ends.
    private record End(Class<? extends HmmException> type, String says) {}

    /// What must have been the end of some launch, beside a result.
    private static final List<End> OUTCOMES = List.of(
            new End(RunawayKernelException.class, "work-items have not ended, and miss nothing"),
            new End(RunawayKernelException.class, "some work-item has ended, and there are workItems="),
            new End(RunawayKernelException.class, "has missed a page, and only those below"),
            new End(AccessViolationException.class, "which the launch does not name"),
            new End(AccessViolationException.class, "which the launch names as read only"),
            new End(AccessViolationException.class, "in no region of the heap"),
            new End(AccessViolationException.class, "violation=CROSSES_PAGE"),
            new End(AccessViolationException.class, "in none of the ranges of Arg.heap"),
            new End(DeviceMemoryExhaustedException.class, "counted group by group, asks for at least"),
            new End(QuotaExceededException.class, "counted group by group, asks for at least"),
            new End(LaunchBlockedException.class, "as often as they come"));

    private static Hmm open(Mode mode) {
        return Hmm.builder().hostAccess(mode).heap((long) HEAP_PAGES * PAGE).pageSize(PAGE).budget((long) BUDGET * PAGE).open();
    }

    @ParameterizedTest
    @EnumSource(value = Mode.class, names = {"UFFD", "CHECKED"})
    void whatKernelsForgeHurtsNobody(Mode mode) {
        forge(mode, 1, 2 * Forgery.values().length);
    }

    @Tag("exhaustive")
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    @ParameterizedTest
    @EnumSource(Mode.class)
    void whatManyKernelsForgeHurtsNobody(Mode mode) {
        forge(mode, System.nanoTime(), 20 * Forgery.values().length);
    }

    private static void forge(Mode mode, long firstSeed, int launches) {
        Set<HmmException> ends = new HashSet<>();
        int results = 0;
        try (Hmm hmm = open(mode)) {
            Regions regions = new Regions(hmm);
            for (int i = 0; i < launches; i++) {
                Forgery forgery = Forgery.values()[i % Forgery.values().length];
                try {
                    HmmException end = regions.launch(forgery, firstSeed + i);
                    results += end == null ? 1 : 0;
                    if (end != null) {
                        ends.add(end);
                    }
                    regions.requireRight(forgery);
                } catch (RuntimeException | Error e) {
                    throw new AssertionError("%s, seed=%d".formatted(forgery, firstSeed + i), e);
                }
            }
            regions.requireNoFrameLost();
        }
        assertThat(results).isPositive();
        for (End end : OUTCOMES) {
            assertThat(ends).as("some launch ends so: %s", end).anyMatch(e -> end.type().isInstance(e) && String.valueOf(e.getMessage()).contains(end.says()));
        }
    }

    /// It says in each round that it misses a page which is there.
    @Test
    void aKernelThatNeverGetsOnIsGivenUp() {
        try (Hmm hmm = open(Mode.CHECKED)) {
            Regions regions = new Regions(hmm);
            for (Forgery forgery : List.of(Forgery.THE_SAME_PAGE, Forgery.LOST_ENTRY)) {
                long before = hmm.report().count(Counter.DEVICE_FAULT_ROUNDS);
                assertThat(regions.launch(forgery, 1)).isInstanceOf(LaunchBlockedException.class).hasMessageContaining("as often as they come");
                assertThat(hmm.report().count(Counter.DEVICE_FAULT_ROUNDS) - before).isBetween((long) PATIENCE, PATIENCE + 10L);
                regions.requireRight(forgery);
            }
            regions.requireNoFrameLost();
        }
    }

    /// Others take turns with it, on the same device and through the same table. Entries are left alone here: what is written over them is put right after the launch, and not between its rounds.
    @Test
    void launchesBesideItAreRight() {
        try (Hmm hmm = open(Mode.CHECKED)) {
            Regions regions = new Regions(hmm);
            AtomicBoolean over = new AtomicBoolean();
            Background<Boolean> beside = Background.run(() -> {
                while (!over.get()) {
                    regions.copyOthers();
                }
            });
            for (int i = 0; i < 2 * Forgery.values().length; i++) {
                Forgery forgery = Forgery.values()[i % Forgery.values().length];
                if (!forgery.spoilsTheTable()) {
                    regions.launch(forgery, i);
                }
            }
            over.set(true);
            beside.join();
            regions.requireNoFrameLost();
        }
    }

    /// The regions, what they hold, and the launches over them.
    private static final class Regions {

        private final Hmm hmm;
        private final Kernel forge;
        private final Kernel copy;
        private final MemorySegment mine;
        private final MemorySegment readOnly;
        private final MemorySegment bounded;
        private final MemorySegment others;
        private final MemorySegment copied;
        private final MemorySegment round;
        private final long pageOfMine;

        Regions(Hmm hmm) {
            this.hmm = hmm;
            forge = hmm.program(Source.resource("forge.cl")).kernel("forge");
            copy = hmm.program(Source.resource("paged_access.cl")).kernel("copy_paged");
            mine = filled(3 * ROOM, 1 << 20);
            readOnly = filled(8, 2 << 20);
            bounded = filled(8, 3 << 20);
            others = filled(20, 4 << 20);
            copied = filled(20, 0);
            round = hmm.heap().allocate(PAGE, PAGE);
            hmm.heap().quota(bounded, hmm.device(), (long) QUOTA * PAGE);
            pageOfMine = hmm.heap().deviceTable(hmm.device(), mine.asSlice(0, PAGE)).getFirst().page();
        }

        private MemorySegment filled(int pages, int first) {
            MemorySegment segment = hmm.heap().allocate((long) pages * PAGE, PAGE);
            try (HostView view = hmm.heap().view(segment, Access.WRITE)) {
                for (int i = 0; i < pages * INTS; i++) {
                    view.segment().setAtIndex(JAVA_INT, i, first + i);
                }
            }
            return segment;
        }

        /// Returns what it ended with, or null for a result.
        @Nullable HmmException launch(Forgery forgery, long seed) {
            Script script = new Script(this, forgery, new SplittableRandom(seed));
            MemorySegment words = ints(script.words());
            MemorySegment begins = ints(script.begins());
            try (HostView view = hmm.heap().view(round, Access.WRITE)) {
                view.segment().set(JAVA_INT, 0, 0);
            }
            long before = hmm.report().count(Counter.DEVICE_FAULT_ROUNDS);
            HmmException end = null;
            try {
                forge.args(Arg.heap(Arg.inOut(mine), Arg.in(readOnly), Arg.inOut(bounded)), mine.address(), script.honest(), Arg.in(words), Arg.in(begins), script.rounds(), Arg.inOut(round))
                        .launch(NDRange.of(ITEMS).local(ITEMS)).await();
            } catch (HmmException e) {
                assertThat(e).hasMessageContaining("kernel=forge");
                end = e;
            }
            assertThat(hmm.report().count(Counter.DEVICE_FAULT_ROUNDS) - before).as("rounds").isLessThan(MOST_ROUNDS);
            hmm.heap().free(words);
            hmm.heap().free(begins);
            return end;
        }

        private MemorySegment ints(int... values) {
            MemorySegment segment = hmm.heap().allocate(Math.max(1, values.length) * (long) Integer.BYTES, PAGE);
            try (HostView view = hmm.heap().view(segment, Access.WRITE)) {
                view.segment().copyFrom(MemorySegment.ofArray(values));
            }
            return segment;
        }

        private int[] intsOf(MemorySegment segment) {
            try (HostView view = hmm.heap().view(segment, Access.READ)) {
                return view.segment().toArray(JAVA_INT);
            }
        }

        /// By the host, and by a kernel that goes through the same table.
        void requireRight(Forgery forgery) {
            for (MemorySegment segment : List.of(mine, readOnly, bounded, others)) {
                requireUnchanged(segment, intsOf(segment));
            }
            copy(others);
            if (forgery.spoilsTheTable() || forgery == Forgery.MIXED) {
                copy(mine.asSlice(0, copied.byteSize()));
                copy(readOnly);
                copy(bounded);
            }
        }

        void copyOthers() {
            copy(others);
        }

        private void copy(MemorySegment from) {
            MemorySegment to = copied.asSlice(0, from.byteSize());
            copy.args(Arg.heap(Arg.in(from), Arg.out(to)), from.address(), to.address(), (int) (from.byteSize() / Integer.BYTES)).launch(NDRange.of(from.byteSize() / 128)).await();
            requireUnchanged(from, intsOf(to));
        }

        /// But for the one word a page that an honest work-item may have written.
        private void requireUnchanged(MemorySegment of, int... got) {
            boolean ofMine = of.address() == mine.address();
            int first = ofMine ? 1 << 20 : of.address() == readOnly.address() ? 2 << 20 : of.address() == bounded.address() ? 3 << 20 : 4 << 20;
            for (int i = 0; i < got.length; i++) {
                boolean slot = ofMine && i % INTS == 0 && i / INTS > 0 && i / INTS < ITEMS;
                if (got[i] != first + i && !(slot && got[i] == 7000 + i / INTS)) {
                    throw new AssertionError("int %d of %s: %d, not %d".formatted(i, of, got[i], first + i));
                }
            }
        }

        /// One work-item gets all of the room that there is, and nothing is left when all is freed.
        void requireNoFrameLost() {
            String want = """
                    #include "hmm.clh"
                    kernel void want(HMM_HEAP_CONST, const ulong at, const uint pages) {
                        HMM_BEGIN;
                        bool missing = false;
                        for (uint i = 0; i < pages; i++) {
                            missing |= !HMM_READ(int, at + ((ulong)i << HMM_PAGE_SHIFT));
                        }
                        if (missing) {
                            return;
                        }
                        HMM_END;
                    }
                    """;
            hmm.program(Source.text("want.cl", want)).kernel("want").args(Arg.heap(Arg.in(others)), others.address(), ROOM).launch(NDRange.of(1)).await();
            List.of(mine, readOnly, bounded, others, copied, round).forEach(hmm.heap()::free);
            assertThat(hmm.device().usedBytes()).isZero();
        }

        int pageOf(MemorySegment segment) {
            return Math.toIntExact(pageOfMine + (segment.address() - mine.address()) / PAGE);
        }
    }

    /// What a launch's forger writes in each of some rounds, which are repeated until the launch is over.
    private static final class Script {

        private final Regions on;
        private final SplittableRandom random;
        private final List<Integer> words = new ArrayList<>();
        private final List<Integer> begins = new ArrayList<>();
        private final int honest;
        private List<int[]> faults = new ArrayList<>(); // of the round that is being written: {page and way, rank}

        Script(Regions on, Forgery forgery, SplittableRandom random) {
            this.on = on;
            this.random = random;
            honest = forgery.spoilsTheTable() || forgery == Forgery.THE_SAME_PAGE || random.nextBoolean() ? 0 : 1 + random.nextInt(ITEMS); // an entry that is wrong leads anywhere
            int rounds = switch (forgery) {
                case LESS_MAY_RUN_THEN_NOTHING -> 3;
                case TOO_MANY, OVER_QUOTA, READ_ONLY -> 6;
                default -> 1 + random.nextInt(6);
            };
            for (int r = 0; r < rounds; r++) {
                begins.add(words.size() / 3);
                write(forgery, r);
            }
            begins.add(words.size() / 3);
        }

        int[] words() {
            return words.stream().mapToInt(Integer::intValue).toArray();
        }

        int[] begins() {
            return begins.stream().mapToInt(Integer::intValue).toArray();
        }

        int rounds() {
            return begins.size() - 1;
        }

        int honest() {
            return honest;
        }

        private void op(int what, int where, int value) {
            words.addAll(List.of(what, where, value));
        }

        private void fault(int page, boolean write, int rank) {
            faults.add(new int[] {page << 1 | (write ? 1 : 0), rank});
        }

        private int page(MemorySegment segment) {
            return on.pageOf(segment) + random.nextInt((int) (segment.byteSize() / PAGE));
        }

        private int nowhere() {
            return random.nextInt(HEAP_PAGES - 1000, HEAP_PAGES);
        }

        private int rank() {
            return random.nextInt(ITEMS);
        }

        /// Some that may be, in any order and some of them twice.
        private void missSome(int most) {
            for (int n = 1 + random.nextInt(most); n > 0; n--) {
                fault(page(on.mine), random.nextBoolean(), rank());
                if (random.nextInt(4) == 0) {
                    faults.add(faults.getLast());
                }
            }
        }

        private void write(Forgery forgery, int r) {
            op(CONTROL, UNFINISHED, 1);
            faults = new ArrayList<>();
            switch (forgery) {
                case NOTHING_MISSED -> {
                    if (r > 0 || random.nextBoolean()) {
                        op(CONTROL, FAULTS, 0);
                    } else {
                        missSome(4);
                    }
                }
                case NOT_NAMED -> {
                    missSome(6);
                    fault(page(on.others), random.nextBoolean(), rank());
                }
                case IN_NO_REGION -> {
                    missSome(6);
                    fault(nowhere(), random.nextBoolean(), rank());
                }
                case BEYOND -> {
                    for (int i = 0; i < 5; i++) {
                        fault(HEAP_PAGES + (random.nextInt() >>> 2), random.nextBoolean(), random.nextInt());
                    }
                    if (random.nextBoolean()) {
                        missSome(2);
                    }
                }
                case READ_ONLY -> {
                    missSome(6);
                    fault(page(on.readOnly), r > 0, rank());
                }
                case TOO_MANY -> {
                    for (int i = 0; i < 4; i++) { // always others: what is held would only be missed again
                        fault(on.pageOf(on.mine) + 4 * r + i, random.nextBoolean(), 0);
                    }
                }
                case OVER_QUOTA -> fault(on.pageOf(on.bounded) + r, random.nextBoolean(), 0);
                case NEW_PAGES -> missSome(2 * ROOM);
                case THE_SAME_PAGE -> fault(on.pageOf(on.mine) + 9, true, 0);
                case ENDS -> {
                    op(CONTROL, PROGRESS, 1);
                    missSome(4);
                }
                case ENDS_NOW_AND_THEN -> {
                    op(CONTROL, PROGRESS, random.nextInt(2));
                    missSome(2 * ROOM);
                }
                case VIOLATIONS, CROSSINGS -> {
                    int word = random.nextBoolean() ? random.nextInt() : 1 << random.nextInt(4);
                    op(CONTROL, VIOLATION, forgery == Forgery.CROSSINGS ? word | CROSSES : Math.max(1, word & ~CROSSES));
                    for (int at = 1; at <= 4; at++) {
                        op(CONTROL, VIOLATION + at, random.nextInt());
                    }
                }
                case RANKS -> {
                    missSome(4);
                    fault(page(on.mine), random.nextBoolean(), random.nextBoolean() ? ITEMS : random.nextInt());
                }
                case GROUPS -> {
                    op(CONTROL, GROUP_SIZE, random.nextBoolean() ? random.nextInt() : random.nextInt(2 * ITEMS));
                    missSome(2 * ROOM);
                }
                case OVERFLOW -> missSome(4);
                case LESS_MAY_RUN_THEN_NOTHING -> {
                    if (r == 0) { // as much as there is room for; then one more, which has to wait
                        for (int i = 0; i < ROOM; i++) {
                            fault(on.pageOf(on.mine) + i, false, i % 3);
                        }
                    } else if (r == 1) {
                        fault(on.pageOf(on.mine) + ROOM, false, 5);
                    }
                }
                case FLAGS -> {
                    flags();
                    op(CONTROL, UNFINISHED, r == 0 ? 1 : random.nextInt(2));
                    missSome(3);
                }
                case LOST_ENTRY -> { // is missed although it is there
                    int page = on.pageOf(on.mine) + r % 2;
                    op(ENTRY, page, 0);
                    op(MISS, page, 1 + random.nextInt(2));
                }
                case ENTRIES -> {
                    for (int i = 0; i < 30; i++) {
                        int page = random.nextInt(4) == 0 ? random.nextInt(HEAP_PAGES)
                                : page(List.of(on.mine, on.readOnly, on.bounded, on.others, on.copied).get(random.nextInt(5)));
                        op(ENTRY, page, random.nextBoolean() ? random.nextInt(ROOM) << 2 | 3 : random.nextInt());
                    }
                    if (random.nextBoolean()) {
                        missSome(ROOM);
                    }
                }
                case GARBAGE -> {
                    op(ANYTHING, 0, random.nextInt(8) == 0 ? 0 : random.nextInt());
                    op(CONTROL, VIOLATION, 0);
                    if (random.nextBoolean()) {
                        op(CONTROL, FAULTS, 0);
                        missSome(4);
                    }
                }
                case MIXED -> {
                    op(CONTROL, UNFINISHED, random.nextInt(8) == 0 ? 0 : 1);
                    op(CONTROL, PROGRESS, random.nextInt(4) == 0 ? 1 : 0);
                    missSome(ROOM);
                    flags();
                    if (random.nextInt(3) == 0) {
                        fault(page(on.bounded), random.nextBoolean(), rank());
                    }
                    if (random.nextInt(8) == 0) {
                        fault(page(List.of(on.readOnly, on.others, on.round).get(random.nextInt(3))), random.nextBoolean(), rank());
                    }
                    if (random.nextInt(8) == 0) {
                        op(MISS, page(on.mine), 1 + random.nextInt(2));
                    }
                }
            }
            queue(forgery);
        }

        /// What only flags and hints are: who has ended, what is in the queue, what was touched.
        private void flags() {
            for (int i = 0; i < 10; i++) {
                op(ITEM, random.nextInt(ITEMS), random.nextInt(3));
                op(NOTED, random.nextInt(HEAP_PAGES / 16), random.nextInt());
                op(NOTED, page(on.mine) / 16, random.nextInt());
                op(TOUCHED, 2 * page(random.nextBoolean() ? on.mine : on.others) + random.nextInt(2), random.nextInt(256));
            }
        }

        private void queue(Forgery forgery) {
            if (faults.isEmpty()) {
                return;
            }
            Collections.shuffle(faults, new Random(random.nextLong()));
            for (int i = 0; i < faults.size(); i++) {
                op(QUEUE, 2 * i, faults.get(i)[0]);
                op(QUEUE, 2 * i + 1, faults.get(i)[1]);
            }
            boolean more = forgery == Forgery.OVERFLOW || forgery == Forgery.MIXED && random.nextInt(4) == 0; // what earlier launches have left there
            op(CONTROL, FAULTS, more ? random.nextBoolean() ? -1 : faults.size() + random.nextInt(1000) : faults.size());
        }
    }
}

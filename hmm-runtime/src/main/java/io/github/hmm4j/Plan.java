package io.github.hmm4j;

import io.github.hmm4j.device.DeviceKernel;
import io.github.hmm4j.device.DeviceMemory;
import io.github.hmm4j.device.KernelLimits;
import io.github.hmm4j.device.KernelParameter;
import io.github.hmm4j.device.NDRange;
import io.github.hmm4j.device.ScalarType;
import io.github.hmm4j.device.ValueType;
import io.github.hmm4j.migrate.ToDevice;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.PageUse;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Region;
import io.github.hmm4j.space.VaRange;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The arguments of one launch, sorted out: what is passed for each parameter, which pages that takes, and in which mode.
///
/// Made by one thread and used by it alone.
final class Plan {

    /// Pages and what the device will do with them. Needs of one plan that overlap do not contradict each other.
    ///
    /// @param inPlace whether the kernel is given the host's pages where they are
    record Need(PageRange pages, ToDevice.Intent intent, boolean inPlace) {}

    /// What is passed for one parameter.
    sealed interface Passed {
        /// @param copied  whether the kernel gets a copy, because the device cannot start a pointer there
        /// @param inPlace whether it is the host's memory
        record Range(VaRange range, boolean writes, boolean copied, boolean inPlace) implements Passed {}

        record Image() implements Passed {}

        /// The pages and the item flags of a kernel that goes through the device's page table.
        record Table() implements Passed {}

        record Items() implements Passed {}

        record Value(MemorySegment bytes) implements Passed {}

        record Local(long lengthBytes) implements Passed {}

        record NullPointer() implements Passed {}

        /// Memory of the device that no page lies in; also an argument by itself.
        record Unmanaged(DeviceMemory memory) implements Passed {}
    }

    private static final Passed TABLE = new Passed.Table();

    /// A page to be written is not shared first.
    private static final List<ToDevice.Intent> ORDER = List.of(ToDevice.Intent.WRITE, ToDevice.Intent.OVERWRITE, ToDevice.Intent.READ);

    private final AddressSpace space;
    private final DeviceKernel kernel;
    private final DeviceMirror mirror;
    private final Map<Integer, Arg.Intent> intents;
    private long localBytes;
    private final List<Passed> passed = new ArrayList<>();
    private final List<Need> needs = new ArrayList<>();
    private final List<PageRange> windows = new ArrayList<>();
    private final List<PageUse> paged = new ArrayList<>();
    private final List<PageRange> dead = new ArrayList<>();
    private final List<Passed.Range> followed = new ArrayList<>(); // what the kernel may reach by pointers in an aperture
    private final List<MemorySegment> segments = new ArrayList<>(); // all of the above
    private final Map<Integer, Boolean> placements = new HashMap<>(); // by region: whether it is used in place
    private boolean followsPointers;
    private final long frees; // of the space, when the first of them was looked up
    private int hidden; // parameters so far that the program does not see
    private int at; // the parameter, or the first of those, that the argument in hand is for

    private Plan(AddressSpace space, DeviceKernel kernel, DeviceMirror mirror, Map<Integer, Arg.Intent> intents, long frees) {
        this.frees = frees;
        this.space = space;
        this.kernel = kernel;
        this.mirror = mirror;
        this.intents = intents;
    }

    /// @param intents what the kernel does with memory, by parameter, where that was said: it goes before the signature, and an [Arg] before it
    static Plan of(AddressSpace space, DeviceKernel kernel, DeviceMirror mirror, Map<Integer, Arg.Intent> intents, Object[] arguments, NDRange range) {
        Plan plan = new Plan(space, kernel, mirror, intents, space.frees());
        for (Object argument : arguments) {
            plan.followsPointers |= argument instanceof Arg.Heap;
        }
        for (Object argument : arguments) {
            plan.add(argument);
        }
        if (plan.passed.size() != kernel.parameters().size()) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "kernel=%s, arguments=%d, parameters=%s", kernel.name(), plan.argument(plan.passed.size()), plan.counted()));
        }
        kernel.limits().require(kernel.name(), range, plan.localBytes);
        plan.settleContradictions();
        plan.refuseTwoPlaces();
        plan.settlePagedContradictions();
        plan.refuseTornCopies();
        return plan;
    }

    List<Passed> passed() {
        return passed;
    }

    /// Whether the kernel writes to a range that is passed, perhaps more than once.
    boolean writes(VaRange range) {
        return passed.stream().anyMatch(one -> one instanceof Passed.Range(var same, boolean writes, _, _) && writes && same.equals(range));
    }

    List<Need> needs() {
        return needs;
    }

    /// Pages among these whose old contents are dead, apart from each other.
    List<PageRange> overwrites() {
        List<PageRange> pages = new ArrayList<>();
        for (Need need : needs) {
            if (need.intent() == ToDevice.Intent.OVERWRITE) {
                pages.add(need.pages());
            }
        }
        return pages;
    }

    /// Ranges that must each lie in one piece.
    List<PageRange> windows() {
        return windows;
    }

    boolean goesThroughTable() {
        return passed.contains(TABLE);
    }

    /// Pages that the kernel may look for in the device's page table; none if it does not go through it.
    List<PageUse> paged() {
        return paged;
    }

    /// Of these, whole pages of outputs that no other range shares: their old contents are dead.
    List<PageRange> dead() {
        return dead;
    }

    /// What a second round needs: nothing is dead any more in what it takes as pointers of its own.
    Plan again() {
        Plan again = new Plan(space, kernel, mirror, intents, frees);
        again.passed.addAll(passed);
        again.segments.addAll(segments);
        again.windows.addAll(windows);
        again.paged.addAll(paged);
        for (Need need : needs) {
            again.needs.add(need.intent() == ToDevice.Intent.OVERWRITE ? new Need(need.pages(), ToDevice.Intent.WRITE, need.inPlace()) : need);
        }
        return again;
    }

    List<PageUse> uses() {
        List<PageUse> uses = new ArrayList<>(needs.size());
        for (Need need : needs) {
            uses.add(new PageUse(need.pages(), need.intent().writes(), need.inPlace()));
        }
        return uses;
    }

    private void add(@Nullable Object argument) {
        at = passed.size();
        requireHeapForHeap(argument);
        switch (argument) {
            case null -> throw new IllegalArgumentException(String.format(Locale.ROOT, "kernel=%s, argument %d is null; a pointer that points nowhere is Arg.nullPointer()",
                    kernel.name(), argument()));
            case MemorySegment segment -> addMemory(segment, intentOf(parameter(argument)));
            case Arg.Memory(MemorySegment segment, Arg.Intent intent) -> addMemory(segment, intent);
            case Arg.Heap(List<Arg.Memory> ranges) -> addHeap(ranges);
            case Arg.Local(long lengthBytes) -> {
                require(parameter(argument).space() == KernelParameter.Space.LOCAL, argument, "local memory");
                localBytes = KernelLimits.sum(localBytes, lengthBytes);
                passed.add(new Passed.Local(lengthBytes));
            }
            case Arg.NullPointer() -> addNothing(argument);
            case Passed.Unmanaged unmanaged -> {
                require(parameter(argument).isMemory(), argument, "memory");
                passed.add(unmanaged);
            }
            case Number number -> addValue(argument, "a value", number);
            case Boolean truth -> addValue(argument, "a value", truth ? 1 : 0);
            case Character character -> addValue(argument, "a value", (int) character);
            case Arg.Vector(List<Number> components) -> addValue(argument, "a vector", components.toArray(Number[]::new));
            case Arg.Value(MemorySegment value) -> {
                KernelParameter parameter = parameter(argument);
                require(parameter.space() == KernelParameter.Space.PRIVATE, argument,
                        "a value of valueBytes=" + value.byteSize());
                parameter.valueType().ifPresent(type -> require(type.bytes() == value.byteSize(), argument,
                        "a value of valueBytes=" + value.byteSize() + ", it has " + type.bytes()));
                passed.add(new Passed.Value(value));
            }
            default -> throw new IllegalArgumentException(String.format(Locale.ROOT,
                    "kernel=%s, argument %d is a %s: not a managed segment, an Arg, a number, a boolean or a char;"
                            + " an array becomes managed memory (heap.allocateFrom), or an Arg.vector",
                    kernel.name(), argument(), argument.getClass().getTypeName()));
        }
    }

    /// A segment would be taken for the memory that all of the heap lies in, and the number behind it for its first address.
    private void requireHeapForHeap(@Nullable Object argument) {
        List<KernelParameter> all = kernel.parameters();
        if (at < all.size() && HeapParameters.isHeap(all.get(at)) && !(argument instanceof Arg.Heap)) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "kernel=%s, argument %d is %s: for HMM_HEAP or HMM_HEAP_CONST pass Arg.heap(ranges) with what may be followed, parameters=%s",
                    kernel.name(), argument(), argument, counted()));
        }
    }

    /// A value of a type that is not built in is passed as Java has it: nothing is known of the type but its name.
    private void addValue(Object argument, String what, Number... numbers) {
        KernelParameter parameter = parameter(argument);
        require(parameter.space() == KernelParameter.Space.PRIVATE, argument, what);
        for (Number number : numbers) {
            if (!ScalarType.has(number)) {
                throw new IllegalArgumentException(String.format(Locale.ROOT,
                        "kernel=%s, argument %d: %s is a %s, must be a Byte, Short, Integer, Long, Float or Double",
                        kernel.name(), argument(), number, number.getClass().getName()));
            }
        }
        ValueType type = parameter.valueType().orElseGet(() -> new ValueType(ScalarType.of(numbers[0]), numbers.length));
        require(type.components() == numbers.length, argument, numbers.length == 1 ? "a scalar" : "a vector of " + numbers.length);
        passed.add(new Passed.Value(type.bytesOf(numbers).orElseThrow(() -> new IllegalArgumentException(
                String.format(Locale.ROOT, "kernel=%s, argument %d: %s %s cannot hold %s without loss",
                        kernel.name(), argument(), parameter.typeName(), parameter.name(), Stream.of(numbers).map(number -> number.getClass().getSimpleName() + " " + number).collect(Collectors.joining(", ")))))));
    }

    private Arg.Intent intentOf(KernelParameter parameter) {
        Arg.Intent said = intents.get(parameter.index() - hidden);
        return said != null ? said : parameter.isConst() ? Arg.Intent.IN : Arg.Intent.IN_OUT;
    }

    private void addMemory(MemorySegment segment, Arg.Intent intent) {
        require(parameter(segment).isMemory(), segment, "memory");
        require(intent != Arg.Intent.OUT || !parameter(segment).isConst(), segment, "an output, since it is const");
        requireWritable(segment, intent);
        if (segment.byteSize() == 0) {
            addNothing(segment);
            return;
        }
        boolean inPlace = isInPlace(managed(segment));
        VaRange range = Segments.addressesOf(segment);
        boolean aligned = inPlace ? mirror.startsPointersInPlaceAt(range, parameter(segment)) : mirror.startsPointersAt(range);
        if (!aligned && mirror.isFaulting()) { // nobody waits for kernels that fault, so a copy that goes back would overwrite what the host stores meanwhile
            throw misaligned(at, range, "");
        }
        passed.add(new Passed.Range(range, intent.writes(), !aligned, inPlace));
        addNeeds(range, intent, inPlace);
    }

    /// One answer for all of a region, whatever is advised meanwhile: a page cannot be used both ways. What follows
    /// pointers finds all of the heap in one place.
    private boolean isInPlace(Region region) {
        if (followsPointers) {
            return mirror.isHeapInPlace() && noteInPlace();
        }
        return placements.computeIfAbsent(region.id(), _ -> mirror.usesInPlace(region) && noteInPlace());
    }

    private boolean noteInPlace() {
        mirror.hostPages();
        return true;
    }

    private void addNothing(Object argument) {
        require(parameter(argument).isMemory(), argument, "a pointer");
        passed.add(new Passed.NullPointer());
    }

    private void addHeap(List<Arg.Memory> ranges) {
        boolean goesThroughTable = HeapParameters.goThroughTable(kernel, passed.size());
        if (!mirror.reachesHeap() && !goesThroughTable) {
            mirror.image(); // says why not
        }
        requireHeapParameters();
        ranges.forEach(memory -> requireWritable(memory.segment(), memory.intent()));
        passed.add(new Passed.Image());
        passed.add(new Passed.Value(MemorySegment.ofArray(new long[] {space.baseBytes()})));
        if (goesThroughTable) {
            passed.add(TABLE);
            passed.add(new Passed.Items());
            hidden += HeapParameters.HIDDEN;
        }
        for (Arg.Memory memory : ranges) {
            if (isNothing(memory.segment())) {
                continue;
            }
            Region region = managed(memory.segment());
            VaRange range = Segments.addressesOf(memory.segment());
            if (goesThroughTable) {
                paged.add(new PageUse(space.pagesOf(range), memory.intent().writes()));
                if (memory.intent() == Arg.Intent.OUT) {
                    dead.add(space.wholePagesOf(range));
                }
            } else {
                boolean inPlace = isInPlace(region);
                addNeeds(range, memory.intent(), inPlace);
                followed.add(new Passed.Range(range, memory.intent().writes(), false, inPlace));
            }
        }
    }

    /// An empty segment may lie where its allocation has ended, and another begins.
    private boolean isNothing(MemorySegment followed) {
        try {
            Segments.requireManaged(space, followed);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(named(e), e);
        }
        return followed.byteSize() == 0;
    }

    private void requireHeapParameters() {
        List<KernelParameter> all = kernel.parameters();
        if (at + 1 >= all.size() || !all.get(at).isMemory()
                || all.get(at + 1).space() != KernelParameter.Space.PRIVATE) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "kernel=%s, argument %d: Arg.heap stands for"
                    + " the two parameters that HMM_HEAP or HMM_HEAP_CONST declares, which it has not, parameters=%s",
                    kernel.name(), argument(), signature(HeapParameters.visible(all))));
        }
    }

    /// Bytes that a kernel gets a copy of it must not find anywhere else, if it writes there: the same range twice is one copy.
    private void refuseTornCopies() {
        for (int i = 0; i < passed.size(); i++) {
            if (passed.get(i) instanceof Passed.Range copied && copied.copied()) {
                int index = i;
                Stream.concat(passed.stream(), followed.stream()).filter(Passed.Range.class::isInstance).map(Passed.Range.class::cast)
                        .filter(other -> other.range().overlaps(copied.range()) && !other.range().equals(copied.range()) && (other.writes() || copied.writes()))
                        .findFirst().ifPresent(other -> {
                            throw misaligned(index, copied.range(), ", and a copy is not possible since it shares bytes with " + other.range() + ", which the kernel uses, too");
                        });
            }
        }
    }

    private IllegalArgumentException misaligned(int index, VaRange range, String why) {
        return new IllegalArgumentException(String.format(Locale.ROOT, "kernel=%s, argument %d: range=%s does not start at a multiple of %d bytes, as pointers of device=%s must%s",
                kernel.name(), argument(index), range, mirror.device().info().baseAlignmentBytes(), mirror.device().info().name(), why));
    }

    /// A page cannot be found through the table and lie in a window at a time.
    private void refuseTwoPlaces() {
        for (PageUse use : paged) {
            for (PageRange window : windows) {
                if (window.overlaps(use.pages())) {
                    throw new IllegalArgumentException("kernel=%s: %s is passed as a pointer of its own, and shares pages with %s of Arg.heap; pass it as an address in the heap only"
                            .formatted(kernel.name(), space.addressesOf(window), space.addressesOf(use.pages())));
                }
            }
        }
    }

    /// Who hands out a read-only segment relies on it that nobody writes there.
    private void requireWritable(MemorySegment segment, Arg.Intent intent) {
        if (segment.isReadOnly() && intent.writes()) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "kernel=%s, argument %d: the kernel writes there, and the segment is read-only; if it only reads, say so (Arg.in, Kernel.reads): %s",
                    kernel.name(), argument(), segment));
        }
    }

    private Region managed(MemorySegment segment) {
        try {
            Region region = Segments.regionOf(space, segment);
            segments.add(segment);
            return region;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(named(e), e);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(named(e), e);
        }
    }

    private String named(RuntimeException e) {
        return String.format(Locale.ROOT, "kernel=%s, argument %d: %s", kernel.name(), argument(), e.getMessage());
    }

    /// Segments of the program's whose bytes are passed as others.
    void keep(List<MemorySegment> more) {
        segments.addAll(more);
    }

    /// That nothing of what it uses was freed since it was made. Addresses are not given to anybody else while a
    /// launch of them is published, nor while somebody has a device's lock: whoever asks then knows that they still are
    /// what they were.
    ///
    /// @throws IllegalArgumentException if it was, or has moved
    /// @throws IllegalStateException    if its arena was closed
    void requireCurrent() {
        if (space.frees() == frees) {
            return;
        }
        for (int i = 0; i < segments.size(); i++) {
            Segments.requireCurrent(space, segments.get(i));
        }
    }

    /// Of an output, only pages that lie wholly within it are dead; the rest of its first and last page belongs to somebody.
    private void addNeeds(VaRange range, Arg.Intent intent, boolean inPlace) {
        PageRange all = space.pagesOf(range);
        if (!inPlace) {
            windows.add(all);
        }
        if (intent != Arg.Intent.OUT || inPlace) { // in place nothing is copied that could be spared
            needs.add(new Need(all, intent == Arg.Intent.IN ? ToDevice.Intent.READ : ToDevice.Intent.WRITE, inPlace));
            return;
        }
        PageRange whole = space.wholePagesOf(range);
        if (whole.isEmpty()) {
            needs.add(new Need(all, ToDevice.Intent.WRITE, false));
            return;
        }
        needs.add(new Need(whole, ToDevice.Intent.OVERWRITE, false));
        if (all.first() < whole.first()) {
            needs.add(new Need(new PageRange(all.first(), whole.first()), ToDevice.Intent.WRITE, false));
        }
        if (whole.end() < all.end()) {
            needs.add(new Need(new PageRange(whole.end(), all.end()), ToDevice.Intent.WRITE, false));
        }
    }

    /// A page that one argument overwrites and another reads has contents after all.
    private void settleContradictions() {
        for (int i = 0; i < needs.size(); i++) {
            Need need = needs.get(i);
            if (need.intent() == ToDevice.Intent.OVERWRITE && overlapsAnother(i)) {
                needs.set(i, new Need(need.pages(), ToDevice.Intent.WRITE, need.inPlace()));
            }
        }
        needs.sort(Comparator.comparingInt(need -> ORDER.indexOf(need.intent())));
    }

    /// The same for ranges of the heap.
    private void settlePagedContradictions() {
        dead.removeIf(pages -> pages.isEmpty() || paged.stream().filter(use -> use.pages().overlaps(pages)).count() > 1);
    }

    private boolean overlapsAnother(int index) {
        for (int i = 0; i < needs.size(); i++) {
            if (i != index && needs.get(i).pages().overlaps(needs.get(index).pages())) {
                return true;
            }
        }
        return false;
    }

    private KernelParameter parameter(Object argument) {
        if (passed.size() >= kernel.parameters().size()) {
            throw new IllegalArgumentException(String.format(Locale.ROOT, "kernel=%s, argument %d=%s is one too many, parameters=%s", kernel.name(), argument(), argument, counted()));
        }
        return kernel.parameters().get(passed.size());
    }

    private void require(boolean fits, Object argument, String what) {
        if (!fits) {
            KernelParameter parameter = parameter(argument);
            throw new IllegalArgumentException(String.format(Locale.ROOT, "kernel=%s, argument %d is for %s %s: %s",
                    kernel.name(), argument(), parameter.typeName(), parameter.name(),
                    parameter.space() == KernelParameter.Space.OBJECT
                            ? "images, samplers, pipes and queues cannot be passed here"
                            : "it does not take " + what + "; pass " + taken(parameter)));
        }
    }

    private static String taken(KernelParameter parameter) {
        return switch (parameter.space()) {
            case GLOBAL, CONSTANT -> "a managed segment";
            case LOCAL -> "Arg.local(lengthBytes)";
            default -> parameter.valueType().map(Plan::taken).orElse("Arg.value(segment), as structs are");
        };
    }

    private static String taken(ValueType type) {
        if (type.components() > 1) {
            return "an Arg.vector of " + type.components();
        }
        return type.scalar() == ScalarType.ULONG ? "a number; of a pointer into the heap that is segment.address()" : "a number";
    }

    /// The number of the argument in hand as the program counts it: [Arg#heap] is one.
    private int argument() {
        return argument(at);
    }

    private int argument(int parameter) {
        return HeapParameters.passed(kernel.parameters().subList(0, parameter)).size();
    }

    /// What the program passes arguments for, and how many that are.
    private String counted() {
        List<KernelParameter> counted = HeapParameters.passed(kernel.parameters());
        return counted.size() + " " + counted.stream().map(parameter -> HeapParameters.isHeap(parameter) ? "Arg.heap" : parameter.typeName() + " " + parameter.name()).toList();
    }

    static String signature(List<KernelParameter> parameters) {
        return parameters.stream().map(parameter -> parameter.typeName() + " " + parameter.name()).toList().toString();
    }
}

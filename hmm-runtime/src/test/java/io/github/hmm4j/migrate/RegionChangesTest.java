package io.github.hmm4j.migrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.OtherFrees;
import io.github.hmm4j.account.Accounts;
import io.github.hmm4j.error.SystemCallFailedException;
import io.github.hmm4j.mirror.InFlight;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.mirror.Notifier;
import io.github.hmm4j.page.PageState;
import io.github.hmm4j.page.PageTable;
import io.github.hmm4j.page.PageWord;
import io.github.hmm4j.page.Transition;
import io.github.hmm4j.space.AddressSpace;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.PageSize;
import io.github.hmm4j.space.VaRange;
import io.github.hmm4j.timeline.Timeline;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// An allocation whose addresses cannot be opened.
@Timeout(60)
class RegionChangesTest {

    private static final int PAGE = 4096;

    private final AddressSpace space = new AddressSpace(1L << 21, new PageSize(PAGE));
    private final PageTable table = new PageTable(space.pageCount(), space.pageSize());
    private final ManagedPages heap = managedPages();
    private final HostLock hostLock = new HostLock();
    private final List<PageRange> opened = new ArrayList<>();
    private @Nullable Throwable failure;
    private final RegionChanges regions = regions();

    private ManagedPages managedPages() {
        Accounts accounts = new Accounts();
        return new ManagedPages(space, table, nothingInFlight(), new Notifier(), accounts,
                new Timeline(accounts, null), List.of());
    }

    private static InFlight nothingInFlight() {
        return only(InFlight.class, (_, method, _) -> {
            assertThat(method.getName()).isEqualTo("awaitConflicts");
            return null;
        });
    }

    private static <T> T only(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /// Over a host side that remembers what was opened, and fails if it is to. No page is touched or moved here, so that is all there is to do.
    private RegionChanges regions() {
        HostSide hostSide = only(HostSide.class, (_, method, arguments) -> switch (method.getName()) {
            case "setAccess" -> {
                opened.add((PageRange) arguments[0]);
                if (failure != null) {
                    throw failure;
                }
                yield null;
            }
            case "forbid" -> null;
            case "mayBeWritten" -> false;
            default -> throw new AssertionError(method.toString());
        });
        VictimSource nobody = (_, _, _, _) -> new long[0];
        return new RegionChanges(heap, hostLock, hostSide, new Evictor(heap, hostSide, nobody));
    }

    @AfterEach
    void close() {
        table.close();
        space.close();
    }

    private VaRange allocate(int pages) {
        return regions.allocate((long) pages * PAGE, 1, region -> region.range());
    }

    private PageState stateOf(VaRange range) {
        return table.state(space.pageOf(range.startBytes()));
    }

    /// So many that what was freed before can be allocated again.
    private void passOthers() {
        for (int i = 0; i < OtherFrees.COUNT; i++) {
            regions.free(allocate(1), () -> {});
        }
    }

    @Test
    void only_what_was_used_before_is_opened_again() {
        VaRange first = allocate(2);
        assertThat(opened).isEmpty();
        regions.free(first, () -> {});
        VaRange longer = allocate((int) space.pageCount() - 1); // there is no other place
        assertThat(longer.startBytes()).isEqualTo(first.startBytes());
        assertThat(opened).containsExactly(space.pagesOf(first));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_region_whose_addresses_cannot_be_opened_is_given_back(boolean javaHeapIsFull) {
        VaRange before = allocate(2);
        allocate((int) space.pageCount() - 2); // there is no other place
        regions.free(before, () -> {});
        failure = javaHeapIsFull
                ? new OutOfMemoryError("made to fail")
                : new SystemCallFailedException("mprotect", 12, "made to fail");
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> allocate(2)).isSameAs(failure);
            assertThat(space.regions()).hasSize(1);
            assertThat(space.usedBytes()).isEqualTo((space.pageCount() - 2) * PAGE);
            assertThat(stateOf(before)).isEqualTo(PageState.UNMAPPED);
        }
        failure = null;
        assertThat(allocate(2)).isEqualTo(before);
        assertThat(stateOf(before)).isEqualTo(PageState.EMPTY);
    }

    /// Whoever allocates next is spared the first touch, wherever the contents were; and nobody takes memory only to keep it.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void host_memory_of_what_a_device_had_is_kept_if_there_is_any(boolean hasMemory) {
        VaRange range = allocate(2);
        PageRange pages = space.pagesOf(range);
        if (hasMemory) {
            space.host().give(pages);
            space.host().noteBacked(pages);
        }
        for (long page = pages.first(); page < pages.end(); page++) {
            long claim = PageWord.toClaimedForDevice(table.word(page), 0, true);
            assertThat(table.transition(page, Transition.CLAIM_FOR_DEVICE, table.word(page), claim)).isTrue();
            assertThat(table.settle(page, Transition.COMMIT_DEVICE, claim, word -> PageWord.toDevice(word, 0))).isTrue();
        }
        regions.free(range, () -> {});
        assertThat(space.host().spareBytes()).isEqualTo(hasMemory ? 2 * PAGE : 0);
    }

    @Test
    void while_somebody_has_a_view_of_it_by_an_old_address_it_stays() {
        VaRange before = allocate(1);
        long page = space.pageOf(before.startBytes());
        regions.free(before, () -> {});
        passOthers();
        table.pin(page, table.word(page), false);
        failure = new SystemCallFailedException("mprotect", 12, "made to fail");
        assertThatThrownBy(() -> allocate(1)).isSameAs(failure);
        failure = null;
        assertThat(allocate(1)).isNotEqualTo(before);
        assertThat(PageWord.isPinned(table.word(page))).isTrue();
        table.unpin(page, false);
        allocate(1); // which gives the one of before back first
        passOthers();
        VaRange other = allocate(1);
        assertThat(other).isEqualTo(before);
        assertThat(stateOf(other)).isEqualTo(PageState.EMPTY);
    }
}

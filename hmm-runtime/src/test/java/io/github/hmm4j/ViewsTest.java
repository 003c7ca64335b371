package io.github.hmm4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.error.AccessViolationException;
import io.github.hmm4j.mirror.PlacementMode;
import io.github.hmm4j.pager.HostAccess;
import io.github.hmm4j.pager.HostView;
import io.github.hmm4j.space.Protection;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Views by themselves.
@Timeout(60)
class ViewsTest {

    private final Rig rig = Rig.windows(1, 16);
    private final MemorySegment a = rig.filled(4, 1);

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void aRawTouchIsRefusedWhereAccessIsChecked() {
        try (Rig checked = Rig.open(1, builder -> builder.heap(ByteSize.mib(64)).hostAccess(HostAccess.Mode.CHECKED))) {
            MemorySegment own = checked.filled(4, 1);
            assertThatThrownBy(() -> own.get(JAVA_INT, 0)).isInstanceOf(WrongThreadException.class);
            assertThatThrownBy(() -> own.fill((byte) 1)).isInstanceOf(WrongThreadException.class);
            assertThatThrownBy(() -> own.asSlice(8, 8).set(JAVA_INT, 0, 1)).isInstanceOf(WrongThreadException.class);
            assertThat(checked.values(own)).containsExactly(1);
        }
    }

    @Test
    void nothingIsDoneToNothing() {
        MemorySegment nothing = a.asSlice(8, 0);
        assertThat(rig.heap.prefetch(nothing, rig.device(0)).pages().isEmpty()).isTrue();
        assertThat(rig.heap.migrate(nothing, rig.device(0)).pages().isEmpty()).isTrue();
        assertThat(rig.heap.prefetchHost(nothing).pages().isEmpty()).isTrue();
        rig.heap.discard(nothing);
        rig.heap.protect(nothing, Protection.NONE);
        rig.heap.place(nothing, rig.device(0), PlacementMode.PRIVATE);
        assertThat(rig.heap.residency(nothing).emptyBytes() + rig.heap.residency(nothing).hostBytes()).isZero();
        assertThat(rig.values(a)).containsExactly(1);
    }

    /// It keeps no kernel from the page that it lies in, not even of the thread that opened it.
    @Test
    void aViewOfNothingIsEmptyAndHoldsNothing() {
        MemorySegment nothing = a.asSlice(8, 0);
        try (HostView view = rig.heap.view(nothing, Access.WRITE);
                HostView shared = rig.heap.sharedView(nothing, Access.READ)) {
            assertThat(view.segment().byteSize()).isZero();
            assertThat(view.addressOf(0)).isEqualTo(nothing.address());
            assertThat(shared.segment().isReadOnly()).isTrue();
            rig.add(a, 1, 0).await();
            assertThat(rig.values(a)).containsExactly(2);
            rig.close(); // before the views
        }
    }

    @Test
    void viewsNestAndOverlap() {
        try (HostView outer = rig.heap.view(a, Access.WRITE); HostView inner = rig.heap.view(Rig.pages(a, 1, 2), Access.READ)) {
            outer.segment().set(JAVA_INT, Rig.PAGE, 9);
            assertThat(inner.segment().get(JAVA_INT, 0)).isEqualTo(9);
            outer.segment().set(JAVA_INT, Rig.PAGE, 10);
            assertThat(inner.segment().get(JAVA_INT, 0)).isEqualTo(10);
            assertThat(inner.range().startBytes()).isEqualTo(outer.addressOf(Rig.PAGE));
        }
        rig.add(a, 1, 0).await(); // nothing holds the pages any more
        assertThat(rig.read(a)[Rig.INTS]).isEqualTo(11);
    }

    @Test
    void aViewHasExactlyTheBytesAskedFor() {
        try (HostView view = rig.heap.view(a.asSlice(100, 10), Access.READ)) {
            assertThat(view.segment().byteSize()).isEqualTo(10);
            assertThat(view.addressOf(10)).isEqualTo(a.address() + 110);
            assertThatThrownBy(() -> view.addressOf(11)).isInstanceOf(IndexOutOfBoundsException.class).hasMessageContaining("offsetBytes=11");
            assertThatThrownBy(() -> view.segment().get(JAVA_INT, 8)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(view.segment().isReadOnly()).isTrue();
            assertThatThrownBy(() -> view.segment().fill((byte) 1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aViewBelongsToItsThreadUnlessItIsShared() {
        try (HostView own = rig.heap.view(a, Access.READ)) {
            assertThatThrownBy(() -> Background.run(own::close).join()).isInstanceOf(WrongThreadException.class);
            assertThatThrownBy(() -> Background.call(() -> own.segment().get(JAVA_INT, 0)).join()).isInstanceOf(WrongThreadException.class);
            assertThat(own.segment().get(JAVA_INT, 0)).isEqualTo(1);
        }
        HostView shared = rig.heap.sharedView(a, Access.WRITE);
        Background.run(() -> shared.segment().set(JAVA_INT, 0, 5)).join();
        Background.run(shared::close).join();
        shared.close();
        rig.add(a, 1, 0).await();
        assertThat(rig.read(a)[0]).isEqualTo(6);
    }

    @Test
    void manyThreadsMayCloseOneSharedView() {
        for (int i = 0; i < 50; i++) {
            HostView shared = rig.heap.sharedView(a, Access.WRITE);
            List<Background<Boolean>> closers = new ArrayList<>();
            for (int n = 0; n < 4; n++) {
                closers.add(Background.run(shared::close));
            }
            closers.forEach(Background::join);
        }
        rig.add(a, 1, 0).await();
    }

    @Test
    void a256thViewOfAPageIsRefusedAndTakesNothing() {
        List<HostView> views = new ArrayList<>();
        for (int i = 0; i < 255; i++) {
            views.add(rig.heap.view(Rig.page(a, 1), Access.READ));
        }
        assertThatThrownBy(() -> rig.heap.view(a, Access.READ)).isInstanceOf(IllegalStateException.class).hasMessageContaining("255");
        rig.add(Rig.page(a, 0), 1, 0).await(); // the page before it is not held
        views.forEach(HostView::close);
        rig.add(a, 1, 0).await();
        assertThat(rig.read(a)[0]).isEqualTo(3);
    }

    @Test
    void protectionRefusesViewsAndNamesTheAddress() {
        rig.heap.protect(Rig.page(a, 2), Protection.READ);
        rig.heap.protect(Rig.page(a, 3), Protection.NONE);
        assertThatThrownBy(() -> rig.heap.view(Rig.pages(a, 0, 3), Access.WRITE))
                .isInstanceOfSatisfying(AccessViolationException.class, e -> {
                    assertThat(e.kind()).isEqualTo(AccessViolationException.Kind.PERMISSION);
                    assertThat(e.addressBytes()).isEqualTo(a.address() + 2 * Rig.PAGE);
                });
        assertThat(rig.values(Rig.pages(a, 0, 3))).containsExactly(1);
        assertThatThrownBy(() -> rig.read(a)).isInstanceOfSatisfying(AccessViolationException.class,
                e -> assertThat(e.kind()).isEqualTo(AccessViolationException.Kind.FAULT));
        rig.add(Rig.pages(a, 0, 2), 1, 0).await(); // the refused views hold nothing
        assertThatThrownBy(() -> rig.add(Rig.pages(a, 0, 3), 1, 0)).isInstanceOf(AccessViolationException.class)
                .hasMessageStartingWith("kernel=add, ");
        rig.copy(rig.pages(1), Rig.page(a, 2), 0).await();
    }

    @Test
    void nothingOutsideAnAllocationCanBeViewed() {
        assertThatThrownBy(() -> rig.heap.view(MemorySegment.NULL.reinterpret(4), Access.READ))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> rig.heap.view(MemorySegment.ofArray(new int[1]), Access.READ)).isInstanceOf(IllegalArgumentException.class);
    }
}

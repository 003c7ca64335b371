package io.github.hmm4j.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.space.Protection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

class PageWordTest {

    private final long seed = System.nanoTime();
    private final SplittableRandom random = new SplittableRandom(seed);

    /// Any bits that are a word: the state is in the lowest three of its four.
    private long anyWord() {
        return random.nextLong() & ~8L;
    }

    private static Map<String, LongUnaryOperator> builders() {
        Map<String, LongUnaryOperator> builders = new LinkedHashMap<>();
        builders.put("toEmpty", PageWord::toEmpty);
        builders.put("toEmptyMarkedRead", PageWord::toEmptyMarkedRead);
        builders.put("toHost", PageWord::toHost);
        builders.put("toShared", word -> PageWord.toShared(word, 0x8001));
        builders.put("toShared of nobody", word -> PageWord.toShared(word, 0));
        builders.put("toDevice", word -> PageWord.toDevice(word, 15));
        builders.put("toClaimedForDevice", word -> PageWord.toClaimedForDevice(word, 9, true));
        builders.put("toClaimedForHost", word -> PageWord.toClaimedForHost(word, false));
        builders.put("toPoisoned", PageWord::toPoisoned);
        return builders;
    }

    @Test
    void everyBuilderKeepsPinsAndProtectionAndRaisesTheVersion() {
        for (int i = 0; i < 10_000; i++) {
            long word = anyWord();
            builders().forEach((name, builder) -> {
                long next = builder.applyAsLong(word);
                String what = "%s of %s, seed=%d".formatted(name, PageWord.describe(word), seed);
                assertThat(PageWord.readPins(next)).as(what).isEqualTo(PageWord.readPins(word));
                assertThat(PageWord.writePins(next)).as(what).isEqualTo(PageWord.writePins(word));
                assertThat(PageWord.isReadable(next)).as(what).isEqualTo(PageWord.isReadable(word));
                assertThat(PageWord.isWritable(next)).as(what).isEqualTo(PageWord.isWritable(word));
                assertThat(PageWord.version(next)).as(what).isEqualTo(PageWord.version(word) + 1 & 0xfffff);
            });
        }
    }

    @Test
    void buildersPutExactlyWhatTheyAreTold() {
        for (int i = 0; i < 10_000; i++) {
            long word = anyWord();
            int device = random.nextInt(PageWord.MAX_DEVICES);
            int sharers = 1 + random.nextInt(0xffff);
            boolean write = random.nextBoolean();
            long claimed = PageWord.toClaimedForDevice(PageWord.toShared(word, sharers), device, write);
            assertThat(PageWord.state(claimed)).isEqualTo(PageState.TO_DEVICE);
            assertThat(PageWord.device(claimed)).isEqualTo(device);
            assertThat(PageWord.sharers(claimed)).isEqualTo(sharers);
            assertThat(PageWord.hasWriteIntent(claimed)).isEqualTo(write);
            long owned = PageWord.toDevice(claimed, device);
            assertThat(PageWord.isOwnedBy(owned, device)).isTrue();
            assertThat(PageWord.sharers(owned)).isZero();
            assertThat(PageWord.hasWriteIntent(owned)).isFalse();
            long home = PageWord.toClaimedForHost(owned, write);
            assertThat(PageWord.device(home)).isEqualTo(device);
            assertThat(PageWord.state(PageWord.toShared(home, 0))).isEqualTo(PageState.HOST);
            assertThat(PageWord.isMarkedRead(PageWord.toEmptyMarkedRead(word))).isTrue();
            assertThat(PageWord.isMarkedRead(PageWord.toHost(PageWord.toEmptyMarkedRead(word)))).isFalse();
        }
    }

    @Test
    void protectionIsAllThatProtectingChanges() {
        for (int i = 0; i < 1000; i++) {
            long word = anyWord();
            for (Protection protection : Protection.values()) {
                long next = PageWord.withProtection(word, protection);
                assertThat(PageWord.isReadable(next)).isEqualTo(protection != Protection.NONE);
                assertThat(PageWord.isWritable(next)).isEqualTo(protection == Protection.READ_WRITE);
                assertThat(PageWord.withProtection(next, Protection.READ_WRITE) << 20)
                        .isEqualTo(PageWord.withProtection(word, Protection.READ_WRITE) << 20);
                assertThat(PageWord.isSameVersion(word, next)).isFalse();
            }
            long freed = PageWord.toUnmapped(word);
            assertThat(PageWord.isWritable(freed)).isTrue();
            assertThat(PageWord.readPins(freed)).isEqualTo(PageWord.readPins(word));
        }
    }

    @Test
    void pinsCountTo255OfEachKindAndNoFurther() {
        long word = PageWord.toHost(0);
        for (int i = 1; i <= PageWord.MAX_PINS; i++) {
            word = PageWord.pinned(PageWord.pinned(word, true), false);
            assertThat(PageWord.readPins(word)).isEqualTo(i);
            assertThat(PageWord.writePins(word)).isEqualTo(i);
        }
        long full = word;
        assertThatThrownBy(() -> PageWord.pinned(full, true)).isInstanceOf(IllegalStateException.class).hasMessageContaining("255");
        assertThatThrownBy(() -> PageWord.pinned(full, false)).isInstanceOf(IllegalStateException.class);
        assertThat(PageWord.isSameVersion(full, PageWord.toHost(0))).isTrue();
        assertThat(PageWord.isMarkedRead(full)).isFalse();
        for (int i = 0; i < PageWord.MAX_PINS; i++) {
            word = PageWord.unpinned(PageWord.unpinned(word, true), false);
        }
        assertThat(word).isEqualTo(PageWord.toHost(0));
    }

    @Test
    void pinsKeepDevicesAway() {
        long host = PageWord.toHost(0);
        assertThat(PageWord.isPinnedAgainst(PageWord.pinned(host, false), false)).isFalse();
        assertThat(PageWord.isPinnedAgainst(PageWord.pinned(host, false), true)).isTrue();
        assertThat(PageWord.isPinnedAgainst(PageWord.pinned(host, true), false)).isTrue();
        assertThat(PageWord.isPinned(host)).isFalse();
    }

    @Test
    void theVersionWrapsAroundWithoutTouchingAnythingElse() {
        long last = 0xfffffL << 44 | PageWord.pinned(PageWord.withProtection(0, Protection.READ), false) & (1L << 44) - 1;
        long next = PageWord.toHost(last);
        assertThat(PageWord.version(last)).isEqualTo(0xfffff);
        assertThat(PageWord.version(next)).isZero();
        assertThat(PageWord.readPins(next)).isEqualTo(1);
        assertThat(PageWord.isWritable(next)).isFalse();
        assertThat(PageWord.state(next)).isEqualTo(PageState.HOST);
        assertThat(PageWord.version(PageWord.withProtection(last, Protection.NONE))).isZero();
    }

    @Test
    void aDeviceReadsWhatItHasAndWhatAnotherHasOnlyClaimed() {
        long shared = PageWord.toShared(0, 1 << 3);
        assertThat(PageWord.isReadableOn(shared, 3)).isTrue();
        assertThat(PageWord.isReadableOn(shared, 2)).isFalse();
        long claimed = PageWord.toClaimedForDevice(shared, 2, true);
        assertThat(PageWord.isReadableOn(claimed, 3)).isTrue();
        assertThat(PageWord.isReadableOn(claimed, 2)).isFalse();
        long owned = PageWord.toDevice(claimed, 2);
        assertThat(PageWord.isReadableOn(owned, 2)).isTrue();
        assertThat(PageWord.isReadableOn(owned, 3)).isFalse();
        assertThat(PageWord.isReadableOn(PageWord.toClaimedForHost(shared, false), 3)).isFalse();
    }

    /// Bit 0 is the host. A claim changes nothing before it is settled.
    @Test
    void aPageIsValidWhereItWasUntilItsClaimIsSettled() {
        long host = PageWord.toHost(0);
        long shared = PageWord.toShared(host, 1 << 3 | 1 << 1);
        long owned = PageWord.toDevice(shared, 2);
        assertThat(PageWord.validAt(0)).isZero();
        assertThat(PageWord.validAt(PageWord.toPoisoned(owned))).isZero();
        assertThat(PageWord.validAt(PageWord.toUnmapped(owned))).isZero();
        assertThat(PageWord.validAt(host)).isEqualTo(0b1);
        assertThat(PageWord.validAt(PageWord.toClaimedForDevice(host, 2, true))).isEqualTo(0b1);
        assertThat(PageWord.validAt(shared)).isEqualTo(0b10101);
        assertThat(PageWord.validAt(PageWord.toClaimedForDevice(shared, 2, true))).isEqualTo(0b10101);
        assertThat(PageWord.validAt(PageWord.toClaimedForHost(shared, true))).isEqualTo(0b10101);
        assertThat(PageWord.validAt(owned)).isEqualTo(0b1000);
        assertThat(PageWord.validAt(PageWord.toClaimedForHost(owned, true))).isEqualTo(0b1000);
        assertThat(PageWord.validAt(PageWord.toPeers(owned, 0b1010))).isEqualTo(0b10100);
        assertThat(PageWord.toPeers(owned, 0b10)).isEqualTo(PageWord.toDevice(owned, 1));
    }

    @Test
    void describesWhatPeopleNeedToKnow() {
        long word = PageWord.pinned(PageWord.withProtection(PageWord.toDevice(0, 1), Protection.READ), false);
        assertThat(PageWord.describe(word)).isEqualTo("DEVICE(1) r v2 pins=1r0w");
        assertThat(PageWord.describe(PageWord.toShared(0, 5))).isEqualTo("SHARED(0b101) rw v1");
        assertThat(PageWord.describe(PageWord.toClaimedForDevice(0, 4, true))).isEqualTo("TO_DEVICE(4,write) rw v1");
    }
}

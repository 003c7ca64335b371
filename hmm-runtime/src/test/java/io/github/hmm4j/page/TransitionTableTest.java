package io.github.hmm4j.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.hmm4j.space.PageSize;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Every transition and every pair of states against the drawing, written down once more by hand.
class TransitionTableTest {

    /// One line for each transition: `NAME: from from > to to`, or `=` for a state to itself.
    private static final String TABLE = """
            FIRST_TOUCH: EMPTY > HOST
            CLAIM_FOR_DEVICE: EMPTY HOST SHARED > TO_DEVICE
            COMMIT_SHARED: TO_DEVICE > SHARED
            COMMIT_DEVICE: TO_DEVICE > DEVICE
            RELEASE: TO_DEVICE > EMPTY HOST SHARED
            TAKE_BACK: DEVICE > EMPTY HOST SHARED
            ABORT: TO_DEVICE > HOST SHARED
            CLAIM_FOR_HOST: DEVICE SHARED TO_DEVICE > TO_HOST
            LAND_SHARED: TO_HOST > SHARED
            LAND_HOST: TO_HOST > HOST
            RESTORE: TO_HOST > DEVICE SHARED
            DROP_COPY: SHARED > SHARED HOST
            DROP_PEER: PEERS > PEERS DEVICE
            UNDO: TO_HOST > EMPTY HOST SHARED
            DISCARD: EMPTY HOST SHARED DEVICE PEERS TO_DEVICE POISONED > EMPTY
            PROTECT: EMPTY HOST SHARED DEVICE PEERS POISONED =
            MARK_READ: EMPTY > EMPTY
            POISON: TO_HOST DEVICE > POISONED
            UNMAP: EMPTY HOST SHARED DEVICE PEERS TO_DEVICE POISONED > UNMAPPED
            MAP: UNMAPPED > EMPTY
            MOVE_IN: UNMAPPED > EMPTY HOST SHARED DEVICE PEERS POISONED
            """;

    private static Map<String, String[]> table() {
        Map<String, String[]> table = new HashMap<>();
        for (String line : TABLE.lines().toList()) {
            String[] parts = line.split(": ", 2);
            table.put(parts[0], parts[1].split(" *[>=] *", 2));
        }
        return table;
    }

    private static boolean isListed(String[] row, PageState from, PageState to) {
        boolean source = (" " + row[0] + " ").contains(" " + from + " ");
        return source && (row[1].isEmpty() ? from == to : (" " + row[1] + " ").contains(" " + to + " "));
    }

    @Test
    void theTableHasEveryTransition() {
        assertThat(table()).containsOnlyKeys(Arrays.stream(Transition.values()).map(Enum::name).toList());
    }

    @Test
    void everyPairOfStatesIsAllowedExactlyWhereTheTableSaysSo() {
        int allowed = 0;
        for (Transition transition : Transition.values()) {
            for (PageState from : PageState.values()) {
                for (PageState to : PageState.values()) {
                    boolean listed = isListed(table().get(transition.name()), from, to);
                    assertThat(transition.allows(from, to)).as("%s: %s -> %s", transition, from, to).isEqualTo(listed);
                    allowed += listed ? 1 : 0;
                }
            }
        }
        assertThat(allowed).isEqualTo(58);
    }

    /// No way out of a claim but through its own transitions: nobody can take a `TO_HOST` page away, and only the host and the program a `TO_DEVICE` one.
    @Test
    void claimsCannotBeTakenAwayExceptAsDrawn() {
        for (Transition transition : Transition.values()) {
            boolean endsHostClaim = false;
            for (PageState to : PageState.values()) {
                endsHostClaim |= transition.allows(PageState.TO_HOST, to);
            }
            boolean mayEnd = switch (transition) {
                case LAND_SHARED, LAND_HOST, RESTORE, UNDO, POISON -> true;
                default -> false;
            };
            assertThat(endsHostClaim).as("%s", transition).isEqualTo(mayEnd);
        }
    }

    @Test
    void anImpossibleTransitionNamesPageAndStates() {
        try (PageTable table = new PageTable(8, PageSize.DEFAULT)) {
            long word = table.word(3);
            assertThatThrownBy(() -> table.transition(3, Transition.COMMIT_DEVICE, word, PageWord.toDevice(word, 2)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("page=3").hasMessageContaining("COMMIT_DEVICE")
                    .hasMessageContaining("EMPTY").hasMessageContaining("DEVICE(2)");
            assertThat(table.word(3)).isEqualTo(word);
        }
    }
}

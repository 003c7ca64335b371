package io.github.hmm4j;

import io.github.hmm4j.migrate.AheadSource;
import io.github.hmm4j.mirror.ProgramCode;
import io.github.hmm4j.policy.AheadPolicy;
import io.github.hmm4j.space.PageRange;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Shows a policy what kernels miss and hands its answer to the engine, which does without if the policy fails.
final class Ahead implements AheadSource {

    private static final Logger LOG = LoggerFactory.getLogger(Ahead.class);

    private final ProgramCode programCode;
    private final AheadPolicy policy;

    Ahead(ProgramCode programCode, AheadPolicy policy) {
        this.programCode = programCode;
        this.policy = policy;
    }

    @Override
    public Watch watch() {
        Watched watched = new Watched();
        watched.ask(() -> {
            watched.by = policy.watch();
            return 0;
        });
        return watched;
    }

    /// For who cannot ask in the middle of a kernel.
    long mostPages() {
        Watched asked = new Watched();
        return Math.max(0, asked.ask(policy::mostPages));
    }

    private final class Watched implements Watch {

        private AheadPolicy.Watch by = (_, _) -> 0;

        @Override
        public long pagesBehind(PageRange missed) {
            return Math.max(0, ask(() -> by.pagesBehind(missed.first(), missed.end())));
        }

        @Override
        public void endRound() {
            ask(() -> {
                by.endRound();
                return 0;
            });
        }

        private long ask(LongSupplier question) {
            ProgramCode.Place place = programCode.place();
            String before = place.enter("a policy of what comes along with a fault");
            try {
                return question.getAsLong();
            } catch (RuntimeException e) {
                LOG.warn("policy {} failed; nothing comes along", policy, e);
                return 0;
            } finally {
                place.leave(before);
            }
        }
    }
}

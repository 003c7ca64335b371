package io.github.hmm4j.migrate;

import io.github.hmm4j.space.PageRange;

/// What comes along with pages that a kernel has missed. The engine asks, policy answers, and only the façade knows both.
@FunctionalInterface
public interface AheadSource {

    /// For one range of one launch.
    Watch watch();

    /// Sees what is missed there.
    interface Watch {

        /// How many pages behind a run that was missed are to come as well.
        long pagesBehind(PageRange missed);

        void endRound();
    }
}

package io.github.hmm4j.demos.svm.work;

import java.util.Locale;

/// A strategy has computed something else than the oracle.
public final class WrongResultException extends RuntimeException {
    private static final long serialVersionUID = 1;

    WrongResultException(String what, long where, long found, long expected) {
        super(String.format(Locale.ROOT, "wrong result: what=%s, where=%d, found=0x%x, expected=0x%x",
            what, where, found, expected));
    }

    static void check(String what, long where, long found, long expected) {
        if (found != expected) {
            throw new WrongResultException(what, where, found, expected);
        }
    }
}

package io.github.hmm4j.emulated;

/// Which calls of a program a test fails, one in each turn of it.
///
/// With `-Dhmm.test.all=true`, as `demos/hmm test --all` has it, more of them: each turn opens a heap, and calls that come later are mostly more of the same.
public final class Turns {

    /// Whether a test shall take the time that it takes to be sure.
    public static final boolean ALL = Boolean.getBoolean("hmm.test.all");

    private static final int EACH = 4;
    private static final int STEP = 3; // odd, so that both of what differs between odd and even calls comes up

    private Turns() {}

    /// The call to fail after this one, counted from 1: up to the fourth each, then every third; if it is to be all, each.
    public static int after(int nth) {
        return nth < EACH || ALL ? nth + 1 : nth + STEP;
    }
}

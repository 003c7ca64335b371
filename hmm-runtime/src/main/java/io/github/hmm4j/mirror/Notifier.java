package io.github.hmm4j.mirror;

import io.github.hmm4j.space.VaRange;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells mirrors what is about to change, so that a copy of the page table never shows what is no longer true.
///
/// A **mirror** is anything that remembers where pages are: a table on a device, a cache of addresses. It
/// [subscribes][#subscribe] to a range with a lock of its own. Whoever changes pages brackets the change with [#begin]
/// and [Token#close()].
///
/// Changing pages (any number of threads, ranges may overlap and nest; a changer never waits for a reader):
/// 1. `begin`: the sequence number becomes odd if any subscription overlaps the range.
/// 2. Each overlapping subscription in turn, with **its** lock held: it takes over the number, then its callback
///    forgets the range.
/// 3. The change itself. Nobody uses the old state any more, so its memory may be reused from here on.
/// 4. `close`: when it is the last in progress the number becomes even, and waiting readers go on.
///
/// Filling a mirror:
/// 1. `seq = subscription.readBegin()`: waits while an invalidation that reached this subscription is in progress.
/// 2. Look at the pages, with no lock held, for as long as it takes. [Subscription#checkRetry] tells early and without
///    a lock that it is in vain.
/// 3. Take the subscription's lock. `subscription.readRetry(seq)`: if true, release it and start over.
/// 4. Write into the mirror what was seen, then release the lock.
///
/// Why that is enough: steps 2 and 3 of the one and 3 and 4 of the other exclude each other by the subscription's lock.
/// ```
/// reader is late                                   | reader is early
/// reader                     changer               | reader                     changer
/// readBegin = 7                                    | readBegin = 7
/// sees page at A                                   | sees page at A
///                            begin: number 9       | lock, readRetry(7): no
///                            lock, seq = 9, forget |                            begin: number 9
///                            A -> B, close         | mirror says A, unlock
/// lock, readRetry(7): yes                          |                            lock, seq = 9, forget A
/// readBegin = 9, sees B      (number is 10)        |                            A -> B, close
/// ```
/// On the left A never enters the mirror; on the right it is taken out before A stops being true. A reader that begins
/// between `begin` and `close` has the number of the heap and waits; one that begins after `begin` but before its own
/// callback is the reader on the left or on the right.
///
/// **Nobody subscribed.** Then `begin` is two volatile reads and one atomic addition, `close` one subtraction. A read
/// alone would not do: a mirror that subscribes in the middle of an unannounced change could see the old page and never
/// hear that it went. Each side writes before it reads: the changer counts itself, then looks (again) for
/// subscriptions; the mirror subscribes, then its first `readBegin` looks at the count and waits for zero. Changers who
/// begin later see the subscription.
///
/// Threads: any. Locks: a subscription's lock, then the internal one, never the other way round. Do not call
/// `readBegin` inside a change of your own: it would wait for itself.
public final class Notifier {

    private static final Logger LOG = LoggerFactory.getLogger(Notifier.class);

    private final InvalidationSequence sequence = new InvalidationSequence();
    private final ProgramCode programCode;
    // Replaced as a whole under the sequence's lock.
    private volatile List<Subscription> subscriptions = List.of();

    public Notifier() {
        this(new ProgramCode());
    }

    /// @param programCode where it is noted that a thread is in a callback
    public Notifier(ProgramCode programCode) {
        this.programCode = programCode;
    }

    /// A change in progress. Closed once, by any thread; closing takes nothing from the Java heap.
    public sealed interface Token extends AutoCloseable {
        @Override
        void close();
    }

    private final Token announced = new Announced();
    private final Token unannounced = new Unannounced();

    private final class Announced implements Token {
        @Override
        public void close() {
            sequence.lock.lock();
            try {
                sequence.end();
            } finally {
                sequence.lock.unlock();
            }
        }
    }

    private final class Unannounced implements Token {
        @Override
        public void close() {
            sequence.endQuiet();
        }
    }

    /// Says that pages of `range` are about to change, and returns when no mirror uses what it knows of them. Close the
    /// token after the change.
    ///
    /// @param owner index of the device on whose behalf they change, or -1
    public Token begin(VaRange range, InvalidationKind kind, int owner) {
        return beginQuietly() ? unannounced : announce(new Invalidation(range, kind, owner));
    }

    /// The same for a change that was made out beforehand. Takes nothing from the Java heap, and never fails: for whoever undoes something because that heap is full.
    public Token begin(Invalidation event) {
        return beginQuietly() ? unannounced : announce(event);
    }

    /// Returns false if there is somebody to be told.
    private boolean beginQuietly() {
        if (subscriptions.isEmpty()) {
            sequence.beginQuiet();
            if (subscriptions.isEmpty()) {
                return true;
            }
            sequence.endQuiet();    // somebody came meanwhile; nothing has changed yet
        }
        return false;
    }

    private Token announce(Invalidation event) {
        ProgramCode.Place place = programCode.place();
        long number;
        List<Subscription> present; // replaced as a whole, so this one stays as it is
        sequence.lock.lock();
        try {
            present = subscriptions;
            boolean concernsAnybody = false;
            for (int i = 0; i < present.size(); i++) {
                Subscription subscription = present.get(i);
                if (subscription.range().overlaps(event.range())) {
                    concernsAnybody = true;
                    subscription.callbacks++;
                }
            }
            number = sequence.begin(concernsAnybody);
        } finally {
            sequence.lock.unlock();
        }
        for (int i = 0; i < present.size(); i++) {
            Subscription subscription = present.get(i);
            if (subscription.range().overlaps(event.range())) {
                tell(subscription, event, number, place);
            }
        }
        return announced;
    }

    private void tell(Subscription subscription, Invalidation event, long number, ProgramCode.Place place) {
        String before = place.enter("an invalidation callback");
        subscription.lock().lock();
        try {
            subscription.invalidate(event, number);
        } catch (Throwable thrown) {    // a mirror's mistake, even a failed assertion, must not stop a move half-way
            report(subscription, event, thrown);
        } finally {
            subscription.lock().unlock();
            place.leave(before);
            callbackEnded(subscription);
        }
    }

    private static void report(Subscription subscription, Invalidation event, Throwable thrown) {
        try {
            LOG.error("mirror of {} failed to forget {}; it may show stale pages", subscription.range(), event, thrown);
        } catch (OutOfMemoryError e) {
            return; // nor must this
        }
    }

    private void callbackEnded(Subscription subscription) {
        sequence.lock.lock();
        try {
            subscription.callbacks--;
            sequence.signal();
        } finally {
            sequence.lock.unlock();
        }
    }

    /// Subscribes to `range`. Does not wait, not even for an invalidation in progress; the first `readBegin` does.
    ///
    /// @param lock     the mirror's own lock: held during each callback, and by the mirror from `readRetry` until it is
    ///                 written. Several subscriptions may share one.
    /// @param callback forgets what the mirror knows of a range
    public Subscription subscribe(VaRange range, ReentrantLock lock, InvalidationCallback callback) {
        if (range.lengthBytes() == 0) {
            throw new IllegalArgumentException("range=" + range + ", must not be empty");
        }
        sequence.lock.lock();
        try {
            Subscription subscription = new Subscription(this, range, lock, callback, sequence.firstNumber());
            List<Subscription> more = new ArrayList<>(subscriptions);
            more.add(subscription);
            subscriptions = List.copyOf(more);
            return subscription;
        } finally {
            sequence.lock.unlock();
        }
    }

    /// Ends a subscription: its callback is not running when this returns, and will not run again.
    void remove(Subscription subscription) {
        refuseWaiting(subscription, "unsubscribe");
        sequence.lock.lock();
        try {
            List<Subscription> fewer = new ArrayList<>(subscriptions);
            fewer.remove(subscription);
            subscriptions = List.copyOf(fewer);
            subscription.closed = true;
            sequence.await(() -> subscription.callbacks == 0);
        } finally {
            sequence.lock.unlock();
        }
    }

    long readBegin(Subscription subscription) {
        refuseWaiting(subscription, "readBegin");
        sequence.lock.lock();
        try {
            if (subscription.closed) {
                throw new IllegalStateException("readBegin of " + subscription.range()
                        + ": the subscription is closed");
            }
            if (!subscription.settled) {
                sequence.await(sequence::isQuiet);
                subscription.settled = true;
            }
            long seen = subscription.number();
            sequence.await(() -> sequence.number() != seen);
            return seen;
        } finally {
            sequence.lock.unlock();
        }
    }

    private void refuseWaiting(Subscription subscription, String what) {
        programCode.refuse(what);
        if (subscription.lock().isHeldByCurrentThread()) {
            throw new IllegalStateException(what + " of " + subscription.range()
                    + " with the subscription's lock held would block its callback");
        }
    }

    /// Subscriptions there are now.
    public int subscriptionCount() {
        return subscriptions.size();
    }
}

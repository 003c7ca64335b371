/// `hmm bench micro`: what single steps of the hot paths cost, measured by JMH in processes of their own.
///
/// Each class is one hot path. Its constructor makes what is measured, so that a test can run a body without JMH.
@NullMarked
package io.github.hmm4j.demos.micro;

import org.jspecify.annotations.NullMarked;

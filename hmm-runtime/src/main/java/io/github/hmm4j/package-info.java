/// The façade: what a program that uses a managed heap sees.
@NullMarked
package io.github.hmm4j;

import org.jspecify.annotations.NullMarked;

/// What the figures of `hmm bench svm` say, in words, and by what rule: no word here that is not computed from the cells.
@NullMarked
package io.github.hmm4j.demos.svm.verdict;

import org.jspecify.annotations.NullMarked;
